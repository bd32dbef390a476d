"""Run a function of tensors over the samples of a numpy, dask or torch array, block by block."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .threads import for_each, one_torch_thread

# torch has only a part of its operations for these types.
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
    """A function of blocks of samples, and what must be known before it runs.

    Parameters
    ----------
    run : callable
        Takes a block ``(sample, ...)`` and its mask, or None; gives ``(sample, *shape)``.
    check : callable
        Takes the blocks one after another, before any of them runs, and raises what is wrong with them.
    shape : tuple of int
        Shape of the result for one sample.
    dtype : numpy.dtype
        Type of the result.
    samples : int
        Number of samples in a block.
    at_once : bool
        Whether blocks are so small that each torch thread may work on one of its own, on the CPU.
    in_place : bool
        Whether `run` takes as a third argument memory ``(sample, *shape)`` that it may write its result to. Memory
        then holds all of a sample for one place of the last axis after another, so that nothing is interleaved.
    """

    run: Callable[..., Tensor]
    check: Callable[[Iterable[Tensor]], None]
    shape: tuple[int, ...]
    dtype: np.dtype
    samples: int
    at_once: bool = True
    in_place: bool = False

    def empty(self, n_samples: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Memory for a result ``(sample, *shape)``."""
        if not self.in_place:
            return torch.empty((n_samples, *self.shape), dtype=dtype, device=device)
        swapped = torch.empty((n_samples, self.shape[-1], *self.shape[:-1]), dtype=dtype, device=device)
        return swapped.movedim(1, -1)


def is_dask(X: Any) -> bool:
    """Whether X is a dask array, told without importing dask."""
    return type(X).__module__.partition(".")[0] == "dask" and hasattr(X, "map_blocks")


def kind_of(X: Any) -> str:
    """Kind of the type of an array, as numpy names it: "b", "i" or "u", "f", "c" or another."""
    if not isinstance(X, Tensor):
        return X.dtype.kind
    return "c" if X.is_complex() else "f" if X.is_floating_point() else "i"


def as_tensor(array: np.ndarray | Tensor) -> Tensor:
    """A tensor of a type that torch fully supports; a numpy array is copied where memory cannot be shared."""
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
        What to apply.
    mask : Tensor, or a dask array beside a dask X, optional
        Handed to the function; cut into blocks with the samples if `mask_per_sample`.
    mask_per_sample : bool
        Whether the first axis of the mask is the sample axis.
    state_axis : int, optional
        Axis of X that such a mask does not have.

    Returns
    -------
    array ``(sample, *function.shape)``
        Of X's kind.
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
    # Gradients keep every spectrum anyway, so blocks would only lengthen the graph.
    step = len(X) if differentiated and torch.is_grad_enabled() else function.samples
    function.check(as_tensor(X[part]) for part in _parts(len(X), step))

    def result(part: slice, *out: Tensor) -> Tensor:
        own = mask[part] if mask is not None and mask_per_sample else mask
        return function.run(as_tensor(X[part]), own, *out)

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

    for_each(_parts(len(X), step), fill, workers=torch.get_num_threads() if function.at_once else 1)
    return out


def _parts(n_samples: int, step: int) -> Iterator[slice]:
    return (slice(start, start + step) for start in range(0, n_samples, step))


def _map_dask(X: Any, function: BlockFunction, mask: Any, mask_per_sample: bool, state_axis: int | None) -> Any:
    whole = whole_samples(X)
    masks: tuple[Any, ...] = ()
    if mask_per_sample:
        rows = mask.rechunk((whole.chunks[0], *[-1] * (mask.ndim - 1)))
        # dask pairs the blocks of arrays whose axes are the same ones, so the mask gets the axis it lacks.
        masks = (rows if state_axis is None else rows[(slice(None),) * state_axis + (None,)],)

    def block(x: np.ndarray, *own: np.ndarray) -> np.ndarray:
        # dask works on as many chunks at once as there are cores.
        with one_torch_thread():
            if not own:
                return map_samples(x, function, mask)
            weights = own[0] if state_axis is None else own[0].squeeze(state_axis)
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
    """Merge the chunks of a dask array into whole samples, so few that chunks do not grow if possible.

    Warns
    -----
    UserWarning
        If chunks had to be merged, since that moves data and may need more memory than the user planned for.
    """
    if all(n == 1 for n in X.numblocks[1:]):
        return X
    sample = math.prod(X.shape[1:])
    samples = max(1, math.prod(X.chunksize) // sample)
    size = samples * sample * X.dtype.itemsize / 2**20
    warnings.warn(
        f"Chunks of {X.chunksize} split the samples, which are needed whole: they are merged into "
        f"chunks of {(samples, *X.shape[1:])}, {size:.3g} MiB each. Rechunk along the samples only to choose the size.",
        stacklevel=2,
    )
    return X.rechunk({0: samples, **dict.fromkeys(range(1, X.ndim), -1)})
