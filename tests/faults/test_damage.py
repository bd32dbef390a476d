"""Damaged and hostile stores and models: one sentence and exit code 4, and nothing allocated that they claim."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ..saved_models import edited

# A process that allocates what a file claims ends here with another exit code.
MEMORY = 6 << 30


def change(path: Path, edit: Callable[[Any], None]) -> None:
    """Edit a JSON file; the metadata of a store occur a second time in those of the group."""
    values = json.loads(path.read_text())
    edit(values)
    path.write_text(json.dumps(values))


def claim(key: str, value: Any) -> Callable[[Path], None]:
    """Let the group of a store claim something in its attributes."""
    return lambda store: change(store / "zarr.json", lambda root: root["attributes"]["matvae"].update({key: value}))


def array(edit: Callable[[Any], None]) -> Callable[[Path], None]:
    """Edit the metadata of the array of labels, in both places."""

    def apply(store: Path) -> None:
        change(store / "phase" / "zarr.json", edit)
        change(store / "zarr.json", lambda root: edit(root["consolidated_metadata"]["metadata"]["phase"]))

    return apply


def samples(count: int, *, shard: bool = False) -> Callable[[Path], None]:
    """Let the labels claim another number of samples, in files of the same size or in one file."""

    def edit(metadata: Any) -> None:
        metadata["shape"][0] = count
        if shard:
            metadata["chunk_grid"]["configuration"]["chunk_shape"][0] = count
            metadata["codecs"][0]["configuration"]["chunk_shape"][0] = count

    return array(edit)


def inner(metadata: Any) -> list[int]:
    """Shape of the chunks within a file of the labels."""
    codec = metadata["codecs"][0]["configuration"]
    return codec["chunk_shape"] if "chunk_shape" in codec else metadata["chunk_grid"]["configuration"]["chunk_shape"]


def nested(store: Path) -> None:
    (store / "zarr.json").write_text('{"attributes": ' + "[" * 200_000 + "]" * 200_000 + "}")


def nested_attributes(store: Path) -> None:
    text = json.dumps(json.loads((store / "zarr.json").read_text())).replace('"periodic": true', '"periodic": @')
    (store / "zarr.json").write_text(text.replace("@", "[" * 200_000 + "]" * 200_000))


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGE = {"flipped": flip, "truncated": truncate, "empty": empty, "missing": Path.unlink}


def largest_file(store: Path) -> Path:
    """A shard of the labels, or their only chunk."""
    return max((store / "phase" / "c").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)


def flipped(store: Path) -> None:
    flip(largest_file(store))


STORES: dict[str, Callable[[Path], None]] = {
    "zarr.json nested without end": nested,
    "attributes nested without end": nested_attributes,
    "1e12 samples": samples(10**12),
    "1e12 samples in one file": samples(10**12, shard=True),
    "1e18 samples": samples(10**18),
    'periodic: "yes"': claim("periodic", "yes"),
    'phases: "two"': claim("phases", "two"),
    "phases: 1e9": claim("phases", 10**9),
    "voxel_size: nan": claim("voxel_size", [float("nan"), 1.0]),
    "a schema of the future": claim("schema", 99),
    "an unknown codec": array(lambda metadata: metadata["codecs"][0]["configuration"]["codecs"].append({"name": "x"})),
    "chunks of an unknown kind": array(lambda metadata: metadata["chunk_grid"].update(name="hexagonal")),
    "chunks of no voxels": array(lambda metadata: inner(metadata).__setitem__(0, 0)),
    "chunks that do not divide their file": array(lambda metadata: inner(metadata).__setitem__(0, 7)),
    "chunks of half an image": array(lambda metadata: inner(metadata).__setitem__(1, 16)),
    "chunks of fewer axes": array(lambda metadata: inner(metadata).pop()),
    "one axis more": array(lambda metadata: metadata["shape"].append(2)),
    "labels of a wrong type": array(lambda metadata: metadata.update(data_type="float64")),
    "a missing file": lambda store: shutil.rmtree(store / "phase" / "c"),
    "a flipped chunk": flipped,
    "an empty zarr.json": lambda store: (store / "zarr.json").write_text(""),
}
# What `info` does not see, as it reads no voxels.
ONLY_IN_VOXELS = ("a flipped chunk", "chunks of half an image")
READERS = {
    "info": ("info", "l.zarr"),
    "stats": ("stats", "l.zarr", "-o", "o.zarr"),
    "transform": ("transform", "m.matvae", "l.zarr", "-o", "o.csv"),
}


@pytest.mark.parametrize("case", STORES)
def test_a_damaged_or_hostile_store_is_refused_in_a_sentence(run, check, folder, case):
    STORES[case](folder / "l.zarr")
    for name, arguments in READERS.items():
        if name == "info" and case in ONLY_IN_VOXELS:
            continue
        outcome = run(*arguments, cwd=folder, memory=MEMORY)
        check(f"{name} of a store with {case}", outcome, 4, "error: ", folder=folder)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_shard_is_the_only_error(run, check, made, folder, damage):
    shutil.copytree(made / "many.zarr", folder / "many.zarr")
    DAMAGE[damage](largest_file(folder / "many.zarr"))
    says = "cannot be read" if damage in ("flipped", "truncated") else "missing or empty"
    for line in (
        "fit many.zarr -o o.matvae --decoder dense --max-epochs 1",
        "fit many.zarr -o o.matvae --decoder statistics --cutoff 8",
        "stats many.zarr -o o.zarr --cutoff 4",
        "import many.zarr o.zarr --window 32",
        "export many.zarr o.npy --samples all",
    ):
        outcome = run(*line.split(), cwd=folder)
        check(f"{line} with a shard that is {damage}", outcome, 4, says, folder=folder)
    assert not [path for path in folder.iterdir() if path.name.startswith("o.")]


def rewritten(model: Path, edit: Callable[[dict[str, Any], dict[str, np.ndarray]], None]) -> None:
    """Edit metadata and weights of a model, and make all hashes match again, as whoever means harm would."""
    with edited(model) as metadata:
        weights = load_file(model / "weights.safetensors")
        edit(metadata, weights)
        save_file(weights, model / "weights.safetensors")


def largest(weights: dict[str, np.ndarray]) -> str:
    return max(weights, key=lambda name: weights[name].size)


MODELS: dict[str, Callable[[dict[str, Any], dict[str, np.ndarray]], None]] = {
    "a NaN among the weights": lambda m, w: w[largest(w)].__setitem__((0,) * w[largest(w)].ndim, np.nan),
    "infinite weights": lambda m, w: w[largest(w)].fill(np.inf),
    "no weights": lambda m, w: w.clear(),
    "a network of another width": lambda m, w: m["spec"].update(width=10**12),
    "a network of 1e9 components": lambda m, w: m["spec"].update(n_components=10**9),
    "a network of 1e7 x 1e7 voxels": lambda m, w: m["spec"].update(shape=[10**7, 10**7]),
    "a grid of other voxels": lambda m, w: m["grid"].update(shape=[16, 64]),
    "samples of other voxels": lambda m, w: m["input"].update(given=[16, 64], shape=[16, 64]),
    "three phases on the grid": lambda m, w: m["grid"].update(phases=3),
    "periodic on the grid alone": lambda m, w: m["spec"].update(periodic=False),
    'periodic: "yes"': lambda m, w: m["grid"].update(periodic="yes"),
    "pairs of phases that do not exist": lambda m, w: m["spec"].update(pairs=[[7, 7]]),
    "other features": lambda m, w: m.update(n_features_in=7),
    "a spread that is NaN": lambda m, w: m.update(latent_spread=[float("nan")] * 2),
    "another number of components": lambda m, w: m["parameters"].update(n_components=3),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_hostile_model_is_refused_in_a_sentence(run, check, folder, case):
    rewritten(folder / "m.matvae", MODELS[case])
    outcome = run("transform", "m.matvae", "l.zarr", "-o", "o.csv", cwd=folder, memory=MEMORY)
    check(f"transform with a model with {case}", outcome, 4, "error: The model m.matvae is damaged", folder=folder)


def test_a_pickle_in_a_model_or_checkpoint_is_not_executed(run, check, folder):
    class Harm:
        def __reduce__(self) -> Any:
            return (Path.touch, (folder / "harm",))

    payload = pickle.dumps(Harm())
    shutil.copytree(folder / "m.matvae", folder / "p.matvae")
    (folder / "p.matvae" / "weights.safetensors").write_bytes(payload)
    transform = run("transform", "p.matvae", "l.zarr", "-o", "o.csv", cwd=folder)
    check("a pickle as weights", transform, 4, folder=folder, holds=not (folder / "harm").exists())
    (folder / "f.matvae.checkpoint").write_bytes(hashlib.sha256(payload).digest() + payload)
    fit = run("fit", "l.zarr", "-o", "f.matvae", "--decoder", "dense", "--max-epochs", 1, "--resume", cwd=folder)
    check("a pickle as a checkpoint", fit, 4, folder=folder, holds=not (folder / "harm").exists())
    (folder / "z.npy").write_bytes(payload)
    inverse = run("inverse", "m.matvae", "z.npy", "-o", "o.zarr", cwd=folder)
    check("a pickle as latents", inverse, (3, 4), folder=folder, holds=not (folder / "harm").exists())
