"""Make a data set: draw or download its structures into a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..store import StoreWriter
from .cards import Card, load_card
from .download import download_dataset
from .generator import StructureGenerator, build_generator
from .parameters import integer

Progress = Callable[[int, int], None]

DEFAULT_SAMPLES = 1000
# At most this many structures are drawn between two reports of progress.
_BLOCK_SAMPLES = 64


def make_dataset(
    name: str,
    out: str | os.PathLike[str],
    *,
    n: int | None = None,
    size: int | Sequence[int] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
    **parameters: Any,
) -> None:
    """Write the data set called `name` to the store `out`.

    Sample i depends on `seed` and i alone: the same call writes the same bytes, and the first samples of a
    larger set are those of a smaller one.

    Parameters
    ----------
    name : str
        A name `list_datasets` gives.
    out : path
        Store to write. Nothing remains there if making it fails or is interrupted.
    n : int, optional
        Number of structures of a generated set, by default 1000.
    size : int or sequence of int, optional
        Voxels along each axis, in array order, of a generated set; one number stands for all axes. By default
        the card's size. (Without a card, as some plugins come, one number means a square.)
    seed : int
        Start of the random numbers, 0 or larger. A downloaded set has nothing random.
    overwrite : bool
        Replace a store that is there already.
    progress : callable, optional
        Called as ``progress(done, total)`` with numbers of structures.
    **parameters
        Parameters of the generator, in place of those on the card.

    Raises
    ------
    PluginError
        If there is no such data set.
    InputError
        If a parameter is unknown or does not fit, or if `out` exists and `overwrite` is False.
    StoreError
        If `out` cannot be written, or the download fails or is not the expected file.
    MissingExtraError
        If a download needs a library that is not installed.
    """
    card = load_card(name)
    if card.kind == "download":
        _refuse_generator_options(card, {"n": n, "size": size, **parameters})
        download_dataset(card, out, overwrite=overwrite)
        if progress is not None:
            progress(1, 1)
        return

    n = integer("n", DEFAULT_SAMPLES if n is None else n, low=1)
    seed = integer("seed", seed, low=0)
    merged = {**card.parameters, **parameters}
    generator, used = build_generator(card.generator or name, _shape(card, size), merged)
    record = {"name": name, "seed": seed, "n": n, "parameters": {key: _plain(v) for key, v in used.items()}}

    with StoreWriter(
        out,
        generator.grid,
        n_samples=n,
        property_names=generator.property_names,
        units=generator.units,
        attributes={"dataset": record},
        overwrite=overwrite,
    ) as writer:
        block = min(_BLOCK_SAMPLES, writer.shard_samples)
        for start in range(0, n, block):
            stop = min(start + block, n)
            writer.append(*_draw(generator, range(start, stop), seed))
            if progress is not None:
                progress(stop, n)


def _draw(generator: StructureGenerator, indices: range, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Structures ``(k, *space)`` with these sample indices, and their properties, name to ``(k,)``."""
    labels = np.empty((len(indices), *generator.grid.shape), np.uint8)
    properties = {key: np.empty(len(indices)) for key in generator.property_names}
    for row, index in enumerate(indices):
        labels[row], values = generator.sample(np.random.default_rng([seed, index]))
        for key in properties:
            properties[key][row] = values[key]
    return labels, properties


def _shape(card: Card, size: int | Sequence[int] | None) -> Sequence[int] | None:
    if size is None:
        return card.size
    if isinstance(size, Sequence) and not isinstance(size, str):
        return tuple(integer("size", n, low=1) for n in size)
    return (integer("size", size, low=1),) * (2 if card.size is None else len(card.size))


def _refuse_generator_options(card: Card, options: dict[str, Any]) -> None:
    given = [key for key, value in options.items() if value is not None]
    if given:
        raise InputError(
            f"The data set {card.name!r} is downloaded as it is, so {', '.join(given)} cannot be chosen. "
            "Leave it out, and cut windows of the size you need from the store afterwards."
        )


def _plain(value: Any) -> Any:
    """JSON form of a parameter."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
