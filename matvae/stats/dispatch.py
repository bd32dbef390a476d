"""What every statistic shares: how an array holds structures, and a function of blocks run over all of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from .form import LABELS, Form, check_phases, check_state_axis, check_values, find_form
from .map_samples import BlockFunction, as_tensor, is_dask, kind_of, map_samples
from .masks import Mask

# Samples are taken in blocks whose spectra stay in the caches of a usual core, and are worth the calls they take.
BLOCK_VOXELS = 1 << 19
# An accelerator wants large blocks; their spectra take about a gigabyte.
DEVICE_BLOCK_VOXELS = 1 << 26

NO_MASK = Mask(None, per_sample=False, binary=True)


def check_array(X: Any) -> None:
    """Refuse what is not an array of numbers of known shape.

    Raises
    ------
    InputError
        If X is no numpy, dask or torch array, masked, empty, of unknown shape, or of a type without real numbers.
    """
    if not (isinstance(X, np.ndarray | Tensor) or is_dask(X)):
        raise InputError(
            f"A numpy, dask or torch array is expected, but {type(X).__name__} was given. Convert it with "
            "numpy.asarray, or pass the .data of opened structures."
        )
    if isinstance(X, np.ma.MaskedArray):
        raise InputError(
            "A plain array is expected, but a masked one was given. Pass X.filled(0) and "
            "mask=~numpy.ma.getmaskarray(X)."
        )
    if is_dask(X) and any(math.isnan(n) for n in X.shape):
        raise InputError(
            f"An array of known shape is expected, but the dask array has unknown chunk sizes (shape "
            f"{X.shape}), so its samples cannot be counted. Call X.compute_chunk_sizes() first."
        )
    if kind_of(X) not in "biuf":
        raise InputError(
            f"Integer labels or real numbers are expected, but the array has the type {X.dtype}. Convert it "
            "with astype('uint8') for labels or astype('float32') for a field."
        )
    if min(X.shape, default=0) == 0:
        raise InputError(
            f"Structures are expected, but an empty array of shape {tuple(X.shape)} was given. Check the "
            "path or the selection it comes from."
        )


def form_of(X: Any, phases: int | str, state_axis: int | None) -> Form:
    """How an array that a user gave holds structures; the largest label is looked up where phases are "auto".

    Raises
    ------
    InputError
        As in `check_array`, or if shape, type, phases and state axis contradict each other.
    """
    check_array(X)

    def largest() -> int:
        top: Any = as_tensor(X).max() if isinstance(X, Tensor) else X.max()
        return int(top.compute() if is_dask(X) else top)

    integer = kind_of(X) != "f"
    return find_form(X.shape, integer, phases=check_phases(phases), state_axis=state_axis, largest=largest)


def tensor_type(X: Any, form: Form | None = None) -> torch.dtype:
    """Type of the statistics of X: float64 where X is and does not hold labels, else float32."""
    wide = kind_of(X) == "f" and X.dtype.itemsize >= 8
    return torch.float64 if wide and (form is None or form.kind != LABELS) else torch.float32


def map_form(
    X: Any,
    form: Form,
    phases: int | str,
    run: Callable[..., Tensor],
    shape: tuple[int, ...],
    voxels: int,
    weights: Mask = NO_MASK,
    in_place: bool = False,
) -> Any:
    """Run a function over the samples of X in blocks of a fitting size.

    Parameters
    ----------
    X, form, phases
        Structures, how they are held, and the number of phases as the user gave it.
    run : callable
        Takes a block of X and its mask, or None; gives ``(sample, *shape)``.
    shape : tuple of int
        Shape of the result for one sample.
    voxels : int
        Values that the work on one sample takes at a time.
    weights : Mask
        What `read_mask` gave.
    in_place : bool
        As in `BlockFunction`.

    Returns
    -------
    array ``(sample, *shape)``
        Of X's kind.
    """

    def check(blocks: Iterable[Tensor]) -> None:
        if isinstance(phases, str):
            check_state_axis(blocks, form)

    on_device = isinstance(X, Tensor) and X.device.type != "cpu"
    limit = DEVICE_BLOCK_VOXELS if on_device else BLOCK_VOXELS
    dtype = np.dtype(np.float64 if tensor_type(X, form) == torch.float64 else np.float32)
    at_once = not on_device and voxels <= limit
    samples = max(1, limit // voxels)
    function = BlockFunction(run, check, shape, dtype, samples, at_once=at_once, in_place=in_place)
    return map_samples(X, function, weights.values, mask_per_sample=weights.per_sample, state_axis=form.state_axis)


def map_phases(
    X: Any,
    form: Form,
    phases: int | str,
    statistic: Callable[[Tensor, Tensor | None], Tensor],
    shape: tuple[int, ...],
    weights: Mask = NO_MASK,
) -> Any:
    """Run a function of one field over every phase of the samples of X.

    Parameters
    ----------
    X, form, phases, weights
        As in `map_form`.
    statistic : callable
        Takes the field ``(sample, *space)`` of one phase and the mask ``(sample or 1, *space)``, or None; gives
        ``(sample, *shape)``.
    shape : tuple of int
        Shape of what it gives for one sample.

    Returns
    -------
    array ``(sample, *shape, phase)``
        Of X's kind.
    """

    def run(block: Tensor, own: Tensor | None) -> Tensor:
        check_values(block, form)
        mask = own if own is None or weights.per_sample else own.unsqueeze(0)
        # One phase at a time: all of them would take H times the memory.
        results = [statistic(form.fields(block, [state])[:, 0], mask) for state in range(form.phases)]
        return torch.stack(results, dim=-1)

    return map_form(X, form, phases, run, (*shape, form.phases), math.prod(form.space), weights)


def voxel_sizes(voxel_size: float | Sequence[float] | None, space: tuple[int, ...]) -> tuple[float, ...]:
    """Edge of a voxel along each axis; one where none is given.

    Raises
    ------
    InputError
        If it is not one positive length, or one for each axis.
    """
    try:
        return Grid(space, voxel_size=voxel_size).voxel_size or (1.0,) * len(space)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"voxel_size must be one positive length, or one for each of the {len(space)} axes, but {voxel_size!r} was "
            "given."
        ) from error
