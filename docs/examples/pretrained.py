"""Fit the models that matvae brings along, and measure them: ``python docs/examples/pretrained.py DATA [NAME ...]``.

DATA is a folder with ``berea.zip``, the file of ``matvae dataset make berea``; the alloy is part of matvae. Writes
``matvae/pretrained/NAME.matvae``, each with a card that states data, licence and errors. Windows to fit and to measure
are cut from disjoint regions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from matvae import StatsVAETransformer, Structures, open_structures, save_structures
from matvae.data import windows
from matvae.data.datasets import load_card
from matvae.data.datasets.measured import bundled_file
from matvae.jobs import evaluate_model

OUT = Path(__file__).resolve().parents[2] / "matvae" / "pretrained"
Range = tuple[int, int]


@dataclass(frozen=True)
class Material:
    """A measured material, and how its windows are cut.

    Parameters
    ----------
    window : int
        Voxels along every edge.
    cutoff : int
        Largest lag.
    stride : (int, int)
        Of the windows to fit and to measure.
    training, held_out : tuple of (int, int)
        Disjoint regions.
    n_examples : int
        Training windows in the model.
    n_realized : int
        Held-out windows whose latents are realized.
    attributes : mapping
        Name, licence, citation, source and phases.
    """

    window: int
    cutoff: int
    stride: tuple[int, int]
    training: tuple[Range, ...]
    held_out: tuple[Range, ...]
    n_examples: int
    n_realized: int
    attributes: dict[str, Any]


def described(name: str, phases: list[str]) -> dict[str, Any]:
    """Attributes of the windows of a data set of matvae."""
    card = load_card(name)
    source = card.url or "https://github.com/NEFM-TUDresden/MCRpy"
    return {
        "dataset": {"name": name},
        "licence": card.licence,
        "citation": card.citation,
        "source": source,
        "phase_names": phases,
    }


MATERIALS = {
    "alloy": Material(
        64, 24, (4, 8), ((0, 256), (0, 160)), ((0, 256), (160, 256)), 64, 48, described("alloy", ["boundary", "grain"])
    ),
    "berea": Material(
        32,
        8,
        (32, 32),
        ((0, 240), (0, 400), (0, 400)),
        ((240, 400), (0, 400), (0, 400)),
        16,
        8,
        described("berea", ["pore", "solid"]),
    ),
}


def opened(name: str, data: Path, scratch: Path) -> Structures:
    """Open the image of a material."""
    if name == "alloy":
        return open_structures(bundled_file(load_card(name)), spatial_dims=2)
    with ZipFile(data / "berea.zip") as archive:
        return open_structures(archive.extract("berea.tif", scratch), spatial_dims=3, phase_values=(0, 255))


def build(name: str, data: Path) -> str:
    """Fit, save and measure the model of a material, and return the errors in words."""
    material = MATERIALS[name]
    with TemporaryDirectory(prefix="matvae-") as folder:
        scratch = Path(folder)
        image = opened(name, data, scratch)
        image = replace(image, attributes={**image.attributes, **material.attributes})
        stores = []
        for part, stride, region in zip(
            ("train", "test"), material.stride, (material.training, material.held_out), strict=True
        ):
            stores.append(scratch / f"{part}.zarr")
            save_structures(stores[-1], windows(image, material.window, stride=stride, region=region))
        train, test = stores
        model = StatsVAETransformer(n_components=5, cutoff=material.cutoff, periodic=False, random_state=0).fit(train)
        target = OUT / f"{name}.matvae"
        model.save(target, overwrite=True, half=True, n_examples=material.n_examples)
        return str(evaluate_model(target, test, train=train, n_realized=material.n_realized, card=True)["summary"])


if __name__ == "__main__":
    for chosen in sys.argv[2:] or MATERIALS:
        print(chosen, build(chosen, Path(sys.argv[1])))
