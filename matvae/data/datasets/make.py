"""Making a data set: its structures are generated, read or downloaded, and written to a store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...crew import ALONE, Crew
from ...errors import InputError
from ...validate import integer
from ..complete import complete_store
from ..sample_blocks import Progress, block_bounds
from ..store import StoreWriter
from .cards import Card, load_card
from .download import download_dataset
from .generator import StructureGenerator, build_generator
from .measured import write_bundled

DEFAULT_SAMPLES = 1000
# Largest number of structures generated between two reports of progress.
_BLOCK_SAMPLES = 64


def make_dataset(
    name: str,
    out: str | os.PathLike[str],
    *,
    n: int | None = None,
    size: int | Sequence[int] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    crew: Crew = ALONE,
    **parameters: Any,
) -> None:
    """Write the data set called `name` to the store `out`.

    Sample i depends only on `seed` and i: the same call writes the same bytes, and the first samples of a larger set
    are those of a smaller one.

    Parameters
    ----------
    name : str
        Name of a data set, as listed by `list_datasets`.
    out : path
        Store to write. Nothing remains of it after an error or an interrupt.
    n : int, optional
        Number of structures of a generated set, by default 1000.
    size : int or sequence of int, optional
        Voxels along each axis, in array order, of a generated set; one number stands for all axes. By default the size
        on the card. (Without a card, as for plugins, one number means a square.)
    seed : int
        Seed of the random numbers, 0 or larger. Measured sets do not depend on it.
    overwrite : bool
        Replace an existing store.
    resume : bool
        Complete an existing store of a generated set, of which files are missing.
    progress : callable, optional
        Called as ``progress(done, total)`` with numbers of structures.
    crew : Crew
        Who generates the structures; measured sets are written by this process.
    **parameters
        Parameters of the generator; they override those on the card.

    Raises
    ------
    PluginError
        If there is no such data set.
    InputError
        If a parameter is unknown or invalid, or if `out` exists and `overwrite` is False.
    StoreError
        If `out` cannot be written, or the download fails or is not the expected file.
    MissingExtraError
        If a download needs a library that is not installed.
    """
    card = load_card(name)
    if resume and card.kind != "generated":
        raise InputError(
            f"The data set {card.name!r} is measured and written as a whole, so there is nothing to complete. Leave "
            "out resume (--resume)."
        )
    if card.kind != "generated":
        _refuse_generator_options(card, {"n": n, "size": size, **parameters})
        write = write_bundled if card.kind == "bundled" else download_dataset
        write(card, out, overwrite=overwrite)
        if progress is not None:
            progress(1, 1)
        return

    n = integer("n", DEFAULT_SAMPLES if n is None else n, 1)
    seed = integer("seed", seed, 0)
    overrides = {**card.parameters, **parameters}
    generator, all_parameters = build_generator(card.generator or name, _shape(card, size), overrides)
    record = {"name": name, "seed": seed, "n": n, "parameters": _plain(all_parameters)}
    if resume and Path(out).exists():
        draw = partial(draw_samples, generator, seed=seed)
        complete_store(Path(out), (n, *generator.grid.shape), {"dataset": record}, draw)
        return
    write_samples(
        generator, out, n, seed, attributes={"dataset": record}, overwrite=overwrite, progress=progress, crew=crew
    )


def write_samples(
    generator: StructureGenerator,
    out: str | os.PathLike[str],
    n: int,
    seed: int,
    *,
    attributes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    crew: Crew = ALONE,
) -> None:
    """Write the first `n` samples of a generator to the store `out`; sample i depends only on `seed` and i.

    Raises
    ------
    InputError
        If `out` may not be written, or the structures do not match the grid of the generator.
    StoreError
        If `out` cannot be written.
    """
    with StoreWriter(
        out,
        generator.grid,
        n_samples=n,
        property_names=generator.property_names,
        units=generator.units,
        attributes=attributes,
        overwrite=overwrite,
    ) as writer:
        step = min(_BLOCK_SAMPLES, writer.shard_samples)
        bounds = list(block_bounds(n, step))
        blocks = crew.in_order(_drawn, ((range(*part),) for part in bounds), (generator, seed))
        for (_, stop), (labels, values) in zip(bounds, blocks, strict=True):
            writer.append(labels, dict(zip(generator.property_names, values, strict=True)))
            if progress is not None:
                progress(stop, n)


def draw_samples(generator: StructureGenerator, indices: range, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw the structures ``(k, *space)`` with the given sample indices, and their properties, name to ``(k,)``."""
    labels = np.empty((len(indices), *generator.grid.shape), np.uint8)
    properties = {key: np.empty(len(indices)) for key in generator.property_names}
    for row, index in enumerate(indices):
        labels[row], values = generator.sample(np.random.default_rng([seed, index]))
        for key in properties:
            properties[key][row] = values[key]
    return labels, properties


def _drawn(given: tuple[StructureGenerator, int], indices: range) -> tuple[np.ndarray, np.ndarray]:
    """Structures ``(k, *space)`` and their properties ``(property, k)``: arrays alone, which a crew may keep."""
    generator, seed = given
    labels, properties = draw_samples(generator, indices, seed)
    return labels, np.array([*properties.values()]).reshape(len(properties), len(indices))


def _shape(card: Card, size: int | Sequence[int] | None) -> Sequence[int] | None:
    if size is None:
        return card.size
    if isinstance(size, Sequence) and not isinstance(size, str):
        return tuple(integer("size", n, 1) for n in size)
    return (integer("size", size, 1),) * (2 if card.size is None else len(card.size))


def _refuse_generator_options(card: Card, options: dict[str, Any]) -> None:
    names = [name for name, value in options.items() if value is not None]
    if names:
        raise InputError(
            f"The data set {card.name!r} is measured, so {', '.join(names)} cannot be chosen. "
            f"Omit {'it' if len(names) == 1 else 'them'}, and cut windows of the required size from the store."
        )


def _plain(value: Any) -> Any:
    """Convert parameters to types that JSON represents."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
