"""Phase values: the grey value in an image that stands for each phase."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import dask
import numpy as np

from ..errors import InputError
from ..grid import MAX_PHASES
from ..warn import warn
from .checks import check_values
from .lazy_array import Box, LazyArray

# A list of values, or "auto". In lists, "nan" stands for NaN, which JSON cannot hold.
PhaseValues = Sequence[float | str] | str | None
# More values are taken for grey levels rather than phases, unless the user lists them.
FEW_VALUES = 16
_MAX_TRACKED = 256
_LOOKED_UP = 2**15
# Values of a block that are looked at to guess the few that occur in it.
_SAMPLED_VALUES = 2**12
# Values that are read to recognize labels among real numbers.
_PROBED_VALUES = 2**20


def label_phases(samples: LazyArray, phase_values: PhaseValues) -> tuple[LazyArray, int, list[float | str] | None]:
    """Convert measured values to phase labels, or to a continuous field, lazily.

    Parameters
    ----------
    samples : LazyArray
        ``(sample, *space)`` as read from a file.
    phase_values : sequence of float, "auto" or None
        The i-th value listed becomes phase i; NaN, or ``"nan"``, may be one of them. ``"auto"`` lists the values that
        occur, in ascending order. None takes integers as phase labels, which they must be, and real numbers as a
        continuous field.

    Returns
    -------
    labels : LazyArray
        uint8 labels 0 to H-1, or real numbers; invalid values raise InputError when they are read.
    phases : int
        Number of phases H; 1 for a continuous field.
    values : list of float or None
        The values that became phases 0, 1, ..., with ``"nan"`` for NaN; None if no values were mapped.

    Raises
    ------
    InputError
        If the values cannot be phases: there are too many, the labels have gaps, or they are not real numbers.
    """
    _refuse_other_types(samples)
    kind = samples.dtype.kind
    if phase_values is None and kind == "f":
        _warn_of_labels(samples)
        dtype = np.float64 if samples.dtype == np.float64 else np.float32
        return samples.map(partial(_field, source=samples.source, dtype=np.dtype(dtype)), dtype), 1, None
    if phase_values is None:
        phases = _count_phases(samples)
        return samples.map(partial(_labels, source=samples.source, phases=phases), np.uint8), phases, None
    if isinstance(phase_values, str) and phase_values != "auto":
        raise InputError(
            f"phase_values must be 'auto' or a list of values such as (0, 255), but {phase_values!r} was given."
        )
    values = _detect_values(samples) if isinstance(phase_values, str) else _check_values(phase_values)
    labels = samples.map(partial(_map_values, source=samples.source, values=tuple(values)), np.uint8)
    return labels, max(2, len(values)), ["nan" if value != value else value for value in values]


def grey_values(samples: LazyArray) -> LazyArray:
    """Return the values of an image that is to be segmented as real numbers, whatever they are.

    Raises
    ------
    InputError
        If they are not integers or real numbers; when they are read, if they are not finite.
    """
    _refuse_other_types(samples)
    # Single precision holds integers of up to 24 bits.
    dtype = np.dtype(np.float32 if samples.dtype.itemsize < 4 or samples.dtype == np.float32 else np.float64)
    return samples.map(partial(_field, source=samples.source, dtype=dtype), dtype)


def _refuse_other_types(samples: LazyArray) -> None:
    if samples.dtype.kind not in "biuf":
        raise InputError(f"{samples.source} should hold integers or real numbers, but its values are {samples.dtype}.")


def _warn_of_labels(samples: LazyArray) -> None:
    """Warn if real numbers look like labels, in part of an array: whole numbers, and few different ones."""
    most = int(_PROBED_VALUES ** (1 / samples.ndim))
    values = np.unique(samples[tuple(slice(0, most) for _ in samples.shape)])
    if 2 <= len(values) <= FEW_VALUES and np.isfinite(values).all() and (values == np.round(values)).all():
        listed = [int(value) for value in values]
        warn(
            f"{samples.source} holds real numbers, which make a continuous field, but they look like labels "
            f"({_show(values)}). If they are, say so with {phase_values_option(listed)}."
        )


def refuse_missing(array: LazyArray, missing: int, phase_values: PhaseValues) -> None:
    """Refuse voxels that were not measured, unless the user lists their value as a phase.

    Parameters
    ----------
    array : LazyArray
        Integers as read from a file; all are read once.
    missing : int
        Value of voxels that were not measured.
    phase_values : sequence of float, "auto" or None
        As in `label_phases`.

    Raises
    ------
    InputError
        If there are some; the message says how many.
    """
    if phase_values is not None and not isinstance(phase_values, str) and missing in phase_values:
        return
    count = int((array.to_dask() == missing).sum().compute())
    if not count:
        return
    size = math.prod(array.shape)
    listed = ", ".join(str(int(value)) for value in distinct_values(array))
    raise InputError(
        f"{array.source} should have a phase at every point, but {count} of {size} points ({100 * count / size:.2g} %) "
        f"were not indexed. Make them a phase of their own with phase_values=({listed}), where {missing} stands for "
        f"them (command line: matvae import FILE OUT.zarr --phase-values {listed.replace(' ', '')}), leave them out "
        "with mask='missing' (command line: matvae import FILE OUT.zarr --mask missing), or assign a phase to them in "
        "EBSD software first."
    )


def distinct_values(array: LazyArray, limit: int = _MAX_TRACKED) -> np.ndarray:
    """Return the distinct values of an array in ascending order, the `limit` smallest of them.

    The whole array is read once, chunk by chunk; only the values are kept in memory.
    """
    chunks = array.to_dask().to_delayed().ravel()
    values = dask.compute(*(dask.delayed(_unique)(chunk, limit) for chunk in chunks))
    return np.unique(np.concatenate([np.empty(0, array.dtype), *values]))[:limit]


def _unique(block: np.ndarray, limit: int) -> np.ndarray:
    """Return the distinct values of a block in ascending order, the `limit` smallest of them."""
    if not block.size:
        return block.ravel()
    # Phases are few: comparing with each of them is many times faster than sorting or hashing all voxels.
    sample = np.unique(np.append(block.ravel()[:: 1 + block.size // _SAMPLED_VALUES], [block.min(), block.max()]))
    if len(sample) > FEW_VALUES:
        return np.unique(block)[:limit]
    if block.dtype.kind in "iub" and int(sample[-1]) - int(sample[0]) < len(sample):
        return sample[:limit]
    is_found = block == sample[0]
    for value in sample[1:]:
        is_found |= block == value
    others = block[~is_found] if not is_found.all() else block[:0].ravel()
    return np.unique(np.concatenate([sample, others]))[:limit]


def _count_phases(samples: LazyArray) -> int:
    """Count the phases of an array whose values must be the labels 0 to H-1."""
    values = distinct_values(samples).astype(object)
    if len(values) <= FEW_VALUES and list(values) == list(range(len(values))):
        return max(2, len(values))
    _refuse_grey_levels(samples, values)
    shown = [int(value) for value in values]
    raise InputError(
        f"{samples.source} should hold the phase labels 0 to H-1, but holds {', '.join(map(str, shown))}. State which "
        f"value is which phase with {phase_values_option(shown, or_auto=True)}. 'auto' takes them in ascending order."
    )


def _detect_values(samples: LazyArray) -> list[float]:
    values = distinct_values(samples)
    _refuse_grey_levels(samples, values)
    if samples.dtype.kind == "f" and not (np.isfinite(values) & (values == np.round(values))).all():
        raise InputError(
            f"{samples.source} holds real numbers that are not whole ({_show(values)}), so its phases cannot be "
            f"detected. List them with {phase_values_option(values.tolist())}, or omit phase_values for a continuous "
            "field."
        )
    return [int(value) for value in values]


def _refuse_grey_levels(samples: LazyArray, values: np.ndarray) -> None:
    if len(values) > FEW_VALUES:
        count = f"{len(values)} or more" if len(values) >= _MAX_TRACKED else str(len(values))
        raise InputError(
            f"{samples.source} should be segmented into at most {FEW_VALUES} phases, but holds {count} different "
            f"values ({_show(values)}), like an unsegmented grey image. Segment it with "
            "segmentation=Segmentation('otsu') of matvae.data (command line: matvae import FILE OUT.zarr --threshold "
            "otsu). If they really are phases, list every value with phase_values=(...) (command line: matvae import "
            "FILE OUT.zarr --phase-values ...)."
        )


def _check_values(phase_values: Sequence[float | str]) -> list[float]:
    given = [value.item() if isinstance(value, np.generic) else value for value in phase_values]
    values: list[Any] = [np.nan if value == "nan" else value for value in given]
    are_numbers = all(isinstance(value, int | float) and not np.isinf(value) for value in values)
    distinct = {"nan" if value != value else value for value in values}
    if not are_numbers or not 1 <= len(values) <= MAX_PHASES or len(distinct) != len(values):
        raise InputError(
            f"phase_values must list 1 to {MAX_PHASES} different numbers, the i-th for phase i, such as (0, 255), "
            f"but {values} was given."
        )
    return values


def _map_values(block: np.ndarray, box: Box, *, source: str, values: tuple[float, ...]) -> np.ndarray:
    # NaN sorts last, where a search finds no number.
    order = np.argsort(values)
    # Compared in the common type of both, so that 256 never matches a uint8 zero, nor 0.5 an integer.
    ascending = np.asarray(values)[order]
    if block.dtype.kind == "b":
        block = block.view(np.uint8)
    if block.dtype == np.uint8:
        grey_levels = np.arange(256)
        positions = np.minimum(np.searchsorted(ascending, grey_levels), len(ascending) - 1)
        is_listed = ascending[positions] == grey_levels
        table = np.full(256, 255, dtype=np.uint8)
        table[is_listed] = order[positions[is_listed]]
        labels = _looked_up(table, block)
        is_unlisted = labels == 255
    else:
        positions = np.minimum(np.searchsorted(ascending, block), len(ascending) - 1)
        labels = order.astype(np.uint8)[positions]
        is_unlisted = ascending[positions] != block
        if block.dtype.kind == "f" and np.isnan(ascending[-1]):
            is_unlisted &= ~np.isnan(block)
    if is_unlisted.any():
        others = np.unique(block[is_unlisted])
        advice = (
            f"{phase_values_option([*values, *others.tolist()])}" if len(others) <= FEW_VALUES else "phase_values=(...)"
        )
        raise InputError(
            f"{source} should hold only the phase values {list(values)}, but also holds {_show(others)}. List these "
            f"values as well, with {advice}, or clean the image first."
        )
    return labels


def _looked_up(table: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return ``table[block]`` for a table of 256 bytes and a block of bytes.

    Two bytes are looked up at once, in parts that fit into the cache, which takes a fifth of the time.
    """
    pairs = table[np.arange(2**16, dtype=np.uint16).view(np.uint8)].view(np.uint16)
    values = np.ascontiguousarray(block).ravel()
    found = np.empty_like(values)
    n_even = len(values) // 2 * 2
    given, wanted = values[:n_even].view(np.uint16), found[:n_even].view(np.uint16)
    for start in range(0, len(given), _LOOKED_UP):
        part = slice(start, start + _LOOKED_UP)
        np.take(pairs, given[part], out=wanted[part], mode="clip")
    found[n_even:] = table[values[n_even:]]
    return found.reshape(block.shape)


def _labels(block: np.ndarray, box: Box, *, source: str, phases: int) -> np.ndarray:
    check_values(block, phases, source=source, first_sample=box[0].start)
    return block.astype(np.uint8, copy=False)


def _field(block: np.ndarray, box: Box, *, source: str, dtype: np.dtype) -> np.ndarray:
    values = block.astype(dtype, copy=False)
    check_values(values, 1, source=source, first_sample=box[0].start)
    return values


def phase_values_option(values: Sequence[float | str], *, or_auto: bool = False) -> str:
    """Name the option that lists these values, in Python and on the command line, where only one command has it."""
    listed = ", ".join("float('nan')" if str(value) == "nan" else str(value) for value in values)
    typed = ",".join(str(value) for value in values)
    in_python, on_command_line = (" or phase_values='auto'", " or auto") if or_auto else ("", "")
    return (
        f"phase_values=({listed}){in_python} of matvae.open_structures (command line: matvae import FILE OUT.zarr "
        f"--phase-values {typed}{on_command_line})"
    )


def _show(values: np.ndarray, limit: int = 8) -> str:
    shown: list[Any] = values[:limit].tolist()
    return ", ".join(str(value) for value in shown) + (", ..." if len(values) > limit else "")
