"""Phase values: which grey value of an image is which phase."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import dask
import numpy as np

from ..errors import InputError
from ..grid import MAX_PHASES
from .blocks import Blocks, Box
from .checks import check_values

# A list of values, or "auto".
PhaseValues = Sequence[float] | str | None
# More values than this are grey levels, not phases, unless the user lists them.
_MOST_FOUND = 16
_MOST_TRACKED = 256


def label_phases(samples: Blocks, phase_values: PhaseValues) -> tuple[Blocks, int, list[float] | None]:
    """Make phase labels (or a continuous field) of values as they were measured, lazily.

    Parameters
    ----------
    samples : Blocks
        ``(sample, *space)`` as read from a file.
    phase_values : sequence of float, "auto" or None
        The i-th value listed becomes phase i. ``"auto"`` lists the values that occur, in rising order. None
        takes integers as phase labels, which they must be, and real numbers as a continuous field.

    Returns
    -------
    blocks : Blocks
        uint8 labels 0 to H-1, or real numbers; wrong values raise InputError when they are read.
    phases : int
        Number of phases H; 1 for a continuous field.
    values : list of float or None
        The values that became phases 0, 1, ...; None where nothing was mapped.

    Raises
    ------
    InputError
        If the values are no phases: too many, gaps in the labels, not real numbers.
    """
    kind = samples.dtype.kind
    if kind not in "biuf":
        raise InputError(f"{samples.source} should hold integers or real numbers, but its values are {samples.dtype}.")
    if phase_values is None and kind == "f":
        dtype = np.float64 if samples.dtype == np.float64 else np.float32
        return samples.map(partial(_field, source=samples.source, dtype=np.dtype(dtype)), dtype), 1, None
    if phase_values is None:
        phases = _contiguous(samples)
        return samples.map(partial(_labels, source=samples.source, phases=phases), np.uint8), phases, None
    chosen = _found(samples) if isinstance(phase_values, str) else _listed(phase_values)
    if isinstance(phase_values, str) and phase_values != "auto":
        raise InputError(
            f"phase_values must be 'auto' or a list of values such as (0, 255), but {phase_values!r} was given."
        )
    mapped = samples.map(partial(_mapped, source=samples.source, values=tuple(chosen)), np.uint8)
    return mapped, max(2, len(chosen)), chosen


def distinct_values(blocks: Blocks, most: int = _MOST_TRACKED) -> np.ndarray:
    """Distinct values of an array in rising order, found block by block; at most `most` of them.

    Reading everything once is the price of knowing them; only the values are kept in memory.
    """
    lazy = blocks.to_dask().to_delayed().ravel()
    found = dask.compute(*(dask.delayed(_unique)(block, most) for block in lazy))
    return np.unique(np.concatenate([np.empty(0, blocks.dtype), *found]))[:most]


def _unique(block: np.ndarray, most: int) -> np.ndarray:
    return np.unique(block)[:most]


def _contiguous(samples: Blocks) -> int:
    values = distinct_values(samples).astype(object)
    if len(values) <= _MOST_FOUND and list(values) == list(range(len(values))):
        return max(2, len(values))
    _refuse_grey(samples, values)
    shown = ", ".join(str(int(value)) for value in values)
    raise InputError(
        f"{samples.source} should hold the phase labels 0 to H-1, but holds {shown}. Say which value is "
        f"which phase with phase_values=({shown}) or phase_values='auto' (command line: --phase-values "
        f"{shown.replace(' ', '')} or auto)."
    )


def _found(samples: Blocks) -> list[float]:
    values = distinct_values(samples)
    _refuse_grey(samples, values)
    if samples.dtype.kind == "f" and not (np.isfinite(values) & (values == np.round(values))).all():
        raise InputError(
            f"{samples.source} holds real numbers that are not whole ({_show(values)}), so its phases are "
            "not found by themselves. List them with phase_values=(...), or leave phase_values out for a "
            "continuous field."
        )
    return [int(value) for value in values]


def _refuse_grey(samples: Blocks, values: np.ndarray) -> None:
    if len(values) > _MOST_FOUND:
        count = f"{len(values)} or more" if len(values) >= _MOST_TRACKED else str(len(values))
        raise InputError(
            f"{samples.source} should be segmented into at most {_MOST_FOUND} phases, but holds {count} "
            f"different values ({_show(values)}), as an unsegmented grey image does. Segment it first (for "
            "example by a threshold), or list every value with phase_values=(...) if they are phases after "
            "all."
        )


def _listed(phase_values: Sequence[float]) -> list[float]:
    values = [value.item() if isinstance(value, np.generic) else value for value in phase_values]
    numbers = all(isinstance(value, int | float) and np.isfinite(value) for value in values)
    if not numbers or not 1 <= len(values) <= MAX_PHASES or len(set(values)) != len(values):
        raise InputError(
            f"phase_values must list 1 to {MAX_PHASES} different numbers, the i-th for phase i, such as (0, "
            f"255), but {values} was given."
        )
    return values


def _mapped(block: np.ndarray, box: Box, *, source: str, values: tuple[float, ...]) -> np.ndarray:
    order = np.argsort(values)
    # Compared in the type both fit in, so that 256 never matches a uint8 zero, nor 0.5 an integer.
    ranked = np.asarray(values)[order]
    if block.dtype.kind == "b":
        block = block.view(np.uint8)
    if block.dtype == np.uint8:
        table = np.full(256, 255, dtype=np.uint8)
        grey = np.arange(256)
        at = np.minimum(np.searchsorted(ranked, grey), len(ranked) - 1)
        known = ranked[at] == grey
        table[known] = order[at[known]]
        labels = table[block]
        wrong = labels == 255
    else:
        at = np.minimum(np.searchsorted(ranked, block), len(ranked) - 1)
        labels = order.astype(np.uint8)[at]
        wrong = ranked[at] != block
    if wrong.any():
        raise InputError(
            f"{source} should hold the phase values {list(values)} only, but also holds "
            f"{_show(np.unique(block[wrong]))}. List these values too, or clean the image first."
        )
    return labels


def _labels(block: np.ndarray, box: Box, *, source: str, phases: int) -> np.ndarray:
    check_values(block, phases, source=source, first_sample=box[0].start)
    return block.astype(np.uint8)


def _field(block: np.ndarray, box: Box, *, source: str, dtype: np.dtype) -> np.ndarray:
    check_values(block, 1, source=source, first_sample=box[0].start)
    return block.astype(dtype, copy=False)


def _show(values: np.ndarray, most: int = 8) -> str:
    shown: list[Any] = values[:most].tolist()
    return ", ".join(str(value) for value in shown) + (", ..." if len(values) > most else "")
