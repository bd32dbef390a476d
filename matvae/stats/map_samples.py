"""Functions of tensors applied to the samples of a numpy, dask or torch array, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..warn import warn
from .threads import for_each, one_torch_thread

# torch lacks some of its operations for these types.
WIDER_NUMPY = {
    "b1": np.uint8,
    "u2": np.int32,
    "u4": np.int64,
    "u8": np.int64,
    "f2": np.float32,
    "f16": np.float64,
}
WIDER_TORCH = {
    torch.bool: torch.uint8,
    torch.uint16: torch.int32,
    torch.uint32: torch.int64,
    torch.uint64: torch.int64,
}


@dataclass(frozen=True)
class BlockFunction:
    """A function of blocks of samples, and what must be known to run it.

    Parameters
    ----------
    run : callable
        Takes a block ``(sample, ...)`` and its mask, or None; returns ``(sample, *shape)``.
    check : callable
        Takes all blocks, one after another, before `run` is called, and raises an error if they are not valid.
    shape : tuple of int
        Shape of the result of one sample.
    dtype : numpy.dtype
        Type of the result.
    samples : int
        Number of samples in a block.
    parallel : bool
        Whether blocks are small enough for each torch thread to process its own, on the CPU.
    in_place : bool
        Whether `run` takes memory ``(sample, *shape)`` for its result as a third argument. In this memory the last
        axis varies slowest within a sample, so that its entries are not interleaved.
    """

    run: Callable[..., Tensor]
    check: Callable[[Iterable[Tensor]], None]
    shape: tuple[int, ...]
    dtype: np.dtype
    samples: int
    parallel: bool = True
    in_place: bool = False

    def empty(self, n_samples: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Allocate memory for a result ``(sample, *shape)``."""
        if not self.in_place:
            return torch.empty((n_samples, *self.shape), dtype=dtype, device=device)
        swapped = torch.empty((n_samples, self.shape[-1], *self.shape[:-1]), dtype=dtype, device=device)
        return swapped.movedim(1, -1)


def is_dask(X: Any) -> bool:
    """Return whether X is a dask array, without importing dask."""
    return type(X).__module__.partition(".")[0] == "dask" and hasattr(X, "map_blocks")


def kind_of(X: Any) -> str:
    """Return the kind of an array's type as numpy names it: "b", "i" or "u", "f", "c" or another."""
    if not isinstance(X, Tensor):
        return X.dtype.kind
    return "c" if X.is_complex() else "f" if X.is_floating_point() else "i"


def as_tensor(array: np.ndarray | Tensor) -> Tensor:
    """Return a tensor of a type that torch fully supports.

    A numpy array is copied if its memory cannot be shared: torch has no read-only tensors, so it must be writable.
    """
    if isinstance(array, Tensor):
        return array.to(WIDER_TORCH.get(array.dtype, array.dtype))
    kind = f"{array.dtype.kind}{array.dtype.itemsize}"
    native = np.dtype(WIDER_NUMPY.get(kind, array.dtype.newbyteorder("=")))
    return torch.from_numpy(np.require(array, native, ["C_CONTIGUOUS", "ALIGNED", "WRITEABLE"]))


def map_samples(
    X: Any,
    function: BlockFunction,
    mask: Any = None,
    *,
    mask_per_sample: bool = False,
    state_axis: int | None = None,
) -> Any:
    """Apply `function` to all samples of X.

    Parameters
    ----------
    X : array ``(sample, ...)``
        numpy, torch (differentiable), or dask (stays lazy; chunks become whole samples).
    function : BlockFunction
        The function to apply.
    mask : Tensor, or a dask array if X is one, optional
        Passed to the function; divided into blocks like the samples if `mask_per_sample`.
    mask_per_sample : bool
        Whether the first axis of the mask is the sample axis.
    state_axis : int, optional
        Axis of X that a mask per sample lacks.

    Returns
    -------
    array ``(sample, *function.shape)``
        Of the same kind as X.
    """
    if is_dask(X):
        return _map_dask(X, function, mask, mask_per_sample, state_axis)
    if isinstance(X, Tensor):
        return _map_in_memory(X, function, mask, mask_per_sample)
    with torch.no_grad():
        return _map_in_memory(X, function, mask, mask_per_sample).numpy()


def _map_in_memory(
    X: np.ndarray | Tensor, function: BlockFunction, mask: Tensor | None, mask_per_sample: bool
) -> Tensor:
    differentiated = any(isinstance(array, Tensor) and array.requires_grad for array in (X, mask))
    # Autograd keeps every spectrum anyway, so blocks would only lengthen the graph.
    step = len(X) if differentiated and torch.is_grad_enabled() else function.samples
    function.check(as_tensor(X[part]) for part in _parts(len(X), step))

    def result(part: slice, *out: Tensor) -> Tensor:
        block_mask = mask[part] if mask is not None and mask_per_sample else mask
        return function.run(as_tensor(X[part]), block_mask, *out)

    if step >= len(X):
        whole = result(slice(None))
        return whole if function.in_place else whole.contiguous()
    device = X.device if isinstance(X, Tensor) else torch.device("cpu")
    dtype = torch.float64 if function.dtype == np.float64 else torch.float32
    out = function.empty(len(X), dtype, device)

    def fill(part: slice) -> None:
        if function.in_place:
            result(part, out[part])
        else:
            out[part] = result(part)

    for_each(_parts(len(X), step), fill, workers=torch.get_num_threads() if function.parallel else 1)
    return out


def _parts(n_samples: int, step: int) -> Iterator[slice]:
    return (slice(start, start + step) for start in range(0, n_samples, step))


def _map_dask(X: Any, function: BlockFunction, mask: Any, mask_per_sample: bool, state_axis: int | None) -> Any:
    whole = whole_samples(X)
    masks: tuple[Any, ...] = ()
    if mask_per_sample:
        rows = mask.rechunk((whole.chunks[0], *[-1] * (mask.ndim - 1)))
        # dask pairs the blocks of arrays that have the same axes, so the mask is given the axis it lacks.
        masks = (rows if state_axis is None else rows[(slice(None),) * state_axis + (None,)],)

    def block(x: np.ndarray, *block_masks: np.ndarray) -> np.ndarray:
        # dask already computes one chunk per core.
        with one_torch_thread():
            if not block_masks:
                return map_samples(x, function, mask)
            weights = block_masks[0] if state_axis is None else block_masks[0].squeeze(state_axis)
            return map_samples(x, function, as_tensor(weights), mask_per_sample=True)

    return whole.map_blocks(
        block,
        *masks,
        dtype=function.dtype,
        chunks=(whole.chunks[0], *[(n,) for n in function.shape]),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, 1 + len(function.shape))),
        meta=np.empty((0,) * (1 + len(function.shape)), dtype=function.dtype),
    )


def whole_samples(X: Any) -> Any:
    """Merge the chunks of a dask array into whole samples, keeping the size of the chunks where possible.

    Warns
    -----
    UserWarning
        If chunks had to be merged, since this moves data and may need more memory than the user planned for.
    """
    if all(n == 1 for n in X.numblocks[1:]):
        return X
    sample = math.prod(X.shape[1:])
    samples = max(1, math.prod(X.chunksize) // sample)
    size = samples * sample * X.dtype.itemsize / 2**20
    warn(
        f"Chunks of {X.chunksize} split the samples, which are needed whole: they are merged into chunks of "
        f"{(samples, *X.shape[1:])}, {size:.3g} MiB each. To choose the size, rechunk along the sample axis only."
    )
    return X.rechunk({0: samples, **dict.fromkeys(range(1, X.ndim), -1)})
