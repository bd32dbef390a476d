"""A fitted module applied to blocks of samples: encode, decode, statistics, thresholds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..model import StatsVAE, fixed_threshold_labels, volume_fraction_labels
from ..stats.blocks import is_dask

VOLUME_FRACTION = "volume-fraction"
# Samples are taken through the module in blocks of about this many voxels.
BLOCK_VOXELS = 1 << 22


def in_precision(module: StatsVAE, dtype: np.dtype) -> StatsVAE:
    """The module itself, or a copy in double precision for double precision input."""
    return copy.deepcopy(module).double() if dtype == np.float64 else module


def block_size(module: StatsVAE) -> int:
    """Number of samples that go through the module at once."""
    return max(1, min(1024, BLOCK_VOXELS // (math.prod(module.spec.shape) * module.spec.channels)))


def encode(module: StatsVAE, data: Tensor, from_statistics: bool) -> Tensor:
    """Latent means ``(sample, component)`` of structures or statistics."""
    data = data.to(module.field_mean.device)
    if from_statistics:
        return module.encode(data.to(module.field_mean.dtype), None)[0]
    fields = module.fields(data)
    return module.encode(module.statistics(fields) if module.reads_statistics else None, fields)[0]


def decode_labels(module: StatsVAE, z: Tensor, threshold: str | float) -> Tensor:
    """Labels ``(sample, *space)`` of type uint8, or the field, of latents ``(sample, component)``."""
    fractions = module.decode(z.to(module.field_mean))
    if module.spec.phases == 1:
        return fractions[:, 0]
    if threshold == VOLUME_FRACTION:
        return volume_fraction_labels(fractions)
    return fixed_threshold_labels(fractions, float(threshold))


def blockwise(array: np.ndarray, step: int, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`function` of blocks of `step` samples, joined."""
    with torch.inference_mode():
        return np.concatenate([function(block) for block in _steps(array, step)])


def lazily(
    X: Any, function: Callable[[np.ndarray], np.ndarray], out_shape: tuple[int, ...], dtype: np.dtype
) -> Any:
    """Apply a function of blocks of samples to a numpy array now, or to a dask array when it is computed."""
    if not is_dask(X):
        return function(X)
    return X.map_blocks(
        function,
        dtype=dtype,
        chunks=(X.chunks[0], *[(n,) for n in out_shape]),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, 1 + len(out_shape))),
        meta=np.empty((0,) * (1 + len(out_shape)), dtype=dtype),
    )


def _steps(array: np.ndarray, step: int) -> Iterator[np.ndarray]:
    for start in range(0, max(1, len(array)), step):
        yield array[start : start + step]
