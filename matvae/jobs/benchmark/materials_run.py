"""One run of the benchmark of materials: all methods on the windows of one material and seed."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..._version import __version__
from ...estimator.textures import EXAMPLES
from ...files import atomic_output
from ...stats.independent_windows import independent_windows
from ..files.kept import KeptResults, Request, digest, kept_results
from .folder import write_json
from .materials_decoded import MATVAE, PLAIN_PCA, Windows, decoded_row, estimators, fitted, floor_row
from .materials_realized import Realizer, ways_to_realize
from .materials_windows import Material, MaterialWindows, cut

logger = logging.getLogger("matvae")
N_COMPONENTS = (1, 2, 3, 5, 9)
# Number of components, or the nearest to it, at which structures are realized and the image-space VAE is trained.
REALIZED_AT = 5
# Pictures that are kept: windows, and larger structures of images and of volumes.
PICTURES = 4
LARGER_PICTURES = {2: 2, 3: 1}


@dataclass(frozen=True)
class Effort:
    """What may differ between a full benchmark and a first look.

    Parameters
    ----------
    n_components : tuple of int
    most_training, most_held_out : int
        Maximum numbers of windows for training, and for validation and test each.
    n_realized : int
        Held-out latents that are realized as structures by each method; 0 measures decoded statistics only.
    image_seconds : float
        Of training of the image-space VAE; 0 leaves it out.
    """

    n_components: tuple[int, ...] = N_COMPONENTS
    most_training: int = 1500
    most_held_out: int = 200
    n_realized: int = 16
    image_seconds: float = 120.0

    @property
    def realized_at(self) -> int:
        """Number of components at which structures are realized."""
        return min(self.n_components, key=lambda n: abs(n - REALIZED_AT))


def run_material(
    material: Material, picture: np.ndarray, seed: int, effort: Effort, path: Path, *, resume: bool = False
) -> None:
    """Fit and measure all methods on the windows of one material and seed.

    Parameters
    ----------
    material : Material
    picture : array of uint8 ``(y, x)`` or ``(z, y, x)``
        Labels.
    seed : int
    effort : Effort
    path : Path
        JSON file for the result; structures for pictures are written beside it, as ``.npz``.
    resume : bool
        Keep what is measured at each number of components beside it until it is complete, and take over what an
        interrupted run has kept there.

    Raises
    ------
    InputError
        If what is kept belongs to another picture or effort.
    JobInterrupted
        On Ctrl-C, if something is kept.
    """
    windows = cut(material, picture, seed, most_training=effort.most_training, most_held_out=effort.most_held_out)
    test, others = (Windows.of(part, material.phases, material.cutoff) for part in (windows.test, windows.validation))
    settings = {"job": "benchmark materials", "material": material.name, "seed": seed, **asdict(effort)}
    request = Request(settings, {"picture": digest(picture)} if resume else {})
    pictures: dict[str, Any] = {"true": windows.test[:PICTURES], "larger_true": windows.larger[None]}
    with kept_results(path, request, resume=resume) as kept:
        parts = []
        for n in effort.n_components:
            found = _taken_over(kept, n, effort)
            part, structures = found or _measured(kept, n, material, windows, (test, others), seed, effort)
            parts.append(part)
            pictures |= structures
        _write(path, material, seed, windows, parts, pictures)


def _taken_over(kept: KeptResults, n: int, effort: Effort) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What an interrupted run has measured at a number of components, with its structures; None if it has not."""
    structures = kept.arrays(str(n)) if n == effort.realized_at and effort.n_realized else {}
    part = None if structures is None else kept.values(str(n))
    if part is None or structures is None:
        return None
    logger.info("Reusing what was measured at %d components.", n)
    return part, structures


def _measured(
    kept: KeptResults,
    n: int,
    material: Material,
    windows: MaterialWindows,
    true: tuple[Windows, Windows],
    seed: int,
    effort: Effort,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows, warnings and seconds of all methods at a number of components, with the structures that they realize.

    `true` are the test windows and those of validation.
    """
    started = time.monotonic()
    decoded: list[dict[str, Any]] = []
    realized: list[dict[str, Any]] = []
    structures: dict[str, Any] = {}
    with _collected() as messages:
        has_structures = n == effort.realized_at
        methods = estimators(material, n, seed, effort.image_seconds if has_structures else 0)
        seconds = {method: fitted(estimator, windows) for method, estimator in methods.items()}
        mean = methods[PLAIN_PCA].mean_
        if n == effort.n_components[0]:
            decoded.append(floor_row(*true, mean))
        rows: dict[str, dict[str, Any]] = {}
        for method, estimator in methods.items():
            rows[method] = decoded_row(method, estimator, true[0], mean, rows.get(PLAIN_PCA), seconds[method])
        decoded += rows.values()
        if has_structures and effort.n_realized:
            realizer = Realizer(material, windows, true[0], effort.n_realized, mean, seed)
            realized += _realize(realizer, methods, structures)
    part = {"decoded": decoded, "realized": realized, "warnings": messages, "seconds": time.monotonic() - started}
    if structures:
        kept.keep_arrays(str(n), structures)
    # The values are last: with them, the part is complete.
    kept.keep_values(str(n), part)
    return part, structures


def _write(
    path: Path,
    material: Material,
    seed: int,
    windows: MaterialWindows,
    parts: list[dict[str, Any]],
    pictures: dict[str, Any],
) -> None:
    """Write the result of a run and its pictures."""
    run = {
        "material": material.name,
        "seed": seed,
        "held_out": windows.held_out,
        "phases": material.phases,
        "shape": list(windows.test.shape[1:]),
        "cutoff": material.cutoff,
        "n_training": len(windows.training),
        "n_validation": len(windows.validation),
        "n_test": len(windows.test),
        "independent_windows": independent_windows(windows.training),
        **{name: [each for part in parts for each in part[name]] for name in ("decoded", "realized")},
        "warnings": list(dict.fromkeys(message for part in parts for message in part["warnings"])),
        "version": __version__,
        "seconds": sum(part["seconds"] for part in parts),
    }
    with atomic_output(path.with_suffix(".npz")) as temporary:
        np.savez_compressed(temporary, **pictures)
    # The result is last: it marks the run as finished.
    write_json(path, run)


def _realize(realizer: Realizer, methods: dict[str, Any], pictures: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the structures of all methods, in every way in which each can give them; adds to the pictures."""
    pictures["true"] = realizer.chosen.structures[:PICTURES]
    rows = []
    for method, estimator in methods.items():
        for realize in ways_to_realize(estimator):
            row, structures = realizer.row(method, estimator, realize)
            rows.append(row)
            pictures[f"{method}/{realize}"] = structures[:PICTURES]
            if (method, realize) == (MATVAE, EXAMPLES):
                pictures["larger"] = realizer.larger(estimator, LARGER_PICTURES[structures.ndim - 1])
    return rows


@contextmanager
def _collected() -> Iterator[list[str]]:
    """Collect warnings as messages, each once: they belong to the result."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield messages
    messages += dict.fromkeys(str(warning.message) for warning in caught)
