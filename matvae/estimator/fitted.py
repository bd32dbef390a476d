"""A fitted module applied to blocks of samples: latents, structures, statistics and errors."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..model import StatsVAE, fixed_threshold_labels, search_latents, straight_shares, volume_fraction_labels
from ..stats import relative_error
from ..stats.map_samples import is_dask
from .sample_layout import Input

VOLUME_FRACTION, STRAIGHT = "volume-fraction", "straight"
# Samples are taken through the module in blocks of about this many voxels.
BLOCK_VOXELS = 1 << 22


@dataclass(frozen=True)
class Inference:
    """What a fit has learned, applied to numpy blocks.

    Parameters
    ----------
    module : StatsVAE
    understood : Input
        How samples are held.
    grid : Grid
        What one structure is.
    threshold : ``"volume-fraction"``, ``"straight"`` or float
        How fractions become phases.
    latent_steps : int
        Steps of the search that improves on the encoder.
    """

    module: StatsVAE
    understood: Input
    grid: Grid
    threshold: str | float
    latent_steps: int = 0

    def latents(self, block: np.ndarray) -> np.ndarray:
        """Latent means ``(sample, component)`` of samples."""
        model = self._in_precision_of(block)
        return model._blockwise(lambda part: model._encode(model._data(part)), block)

    def statistics(self, block: np.ndarray) -> np.ndarray:
        """2-point statistics ``(sample, *lag, correlation)`` of samples."""
        model = self._in_precision_of(block)
        return model._blockwise(lambda part: model._statistics_of(model._data(part)), block)

    def decoded_statistics(self, latents: np.ndarray) -> np.ndarray:
        """2-point statistics ``(sample, *lag, correlation)`` of the soft structures of latents."""
        model = self._in_precision_of(latents)
        return model._blockwise(lambda z: model.module.statistics(model._decode(z)), latents)

    def fractions(self, latents: np.ndarray) -> np.ndarray:
        """Soft phase fractions ``(sample, phase, *space)`` of latents."""
        return self._blockwise(self._decode, latents)

    def labels(self, latents: np.ndarray) -> np.ndarray:
        """Labels, or the field, ``(sample, *space)`` of latents."""
        return self._blockwise(lambda z: self._sharpen(self._decode(z)), latents)

    def structures(self, latents: np.ndarray) -> np.ndarray:
        """Structures of latents in the shape, form and type of the samples."""
        return self.understood.array(self.labels(latents), self.grid.phases)

    def errors(self, block: np.ndarray) -> np.ndarray:
        """Relative error ``(sample,)`` of the statistics of thresholded reconstructions."""

        def errors_of(part: np.ndarray) -> Tensor:
            data = self._data(part)
            truth = self._statistics_of(data)
            made = self._sharpen(self.module.decode(self._encode(data)))
            return relative_error(truth, self.module.statistics(self.module.fields(made)))

        return self._blockwise(errors_of, block)

    def _in_precision_of(self, block: np.ndarray) -> Inference:
        """Itself, or with a copy of the module in double precision for double precision input."""
        if block.dtype != np.float64:
            return self
        return replace(self, module=copy.deepcopy(self.module).double())

    def _data(self, part: np.ndarray) -> Tensor:
        return self.understood.tensor(part).to(self.module.field_mean.device)

    def _statistics_of(self, data: Tensor) -> Tensor:
        if self.understood.form is None:
            return data.to(self.module.field_mean.dtype)
        return self.module.statistics(self.module.fields(data))

    def _encode(self, data: Tensor) -> Tensor:
        read = self.module.reads_statistics
        statistics = self._statistics_of(data) if read or self.latent_steps else None
        z = self.module.encode(statistics, None if read else self.module.fields(data))[0]
        if statistics is None or not self.latent_steps:
            return z
        return search_latents(self.module, z, statistics, self.latent_steps)

    def _decode(self, latents: np.ndarray) -> Tensor:
        if not np.isfinite(latents).all():
            raise InputError("Latents contain NaN or infinity; every component needs a finite value.")
        return self.module.decode(torch.tensor(latents).to(self.module.field_mean))

    def _sharpen(self, fractions: Tensor) -> Tensor:
        if self.grid.phases == 1:
            return fractions[:, 0]
        if self.threshold == VOLUME_FRACTION:
            return volume_fraction_labels(fractions)
        if self.threshold == STRAIGHT:
            return volume_fraction_labels(fractions, straight_shares(fractions, periodic=self.module.spec.periodic))
        return fixed_threshold_labels(fractions, float(self.threshold))

    def _blockwise(self, function: Callable[[np.ndarray], Tensor], array: np.ndarray) -> np.ndarray:
        spec = self.module.spec
        step = max(1, min(1024, BLOCK_VOXELS // (math.prod(spec.shape) * spec.channels)))
        # Not inference_mode: the search for latents needs gradients inside.
        with torch.no_grad():
            parts = [function(array[i : i + step]).cpu().numpy() for i in range(0, len(array), step)]
        return np.concatenate(parts)


def lazily(X: Any, function: Callable[..., np.ndarray], out_shape: tuple[int, ...], dtype: np.dtype, *more: Any) -> Any:
    """Apply a function of blocks of samples to a numpy array now, or to a dask array when it is computed.

    Parameters
    ----------
    X : numpy.ndarray or dask.array.Array ``(sample, ...)``
    function : callable
        Takes a block of X, and of `more`, to ``(sample, *out_shape)``.
    out_shape, dtype
        Of the result for one sample.
    *more : arrays of X's kind, chunks and number of axes
        Further arguments of the function.
    """
    if not is_dask(X):
        return function(X, *more)

    def block(part: np.ndarray, *others: np.ndarray) -> np.ndarray:
        # A selection of a dask array can leave chunks without samples.
        return function(part, *others) if len(part) else np.empty((0, *out_shape), dtype)

    return X.map_blocks(
        block,
        *more,
        dtype=dtype,
        chunks=(X.chunks[0], *[(n,) for n in out_shape]),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, 1 + len(out_shape))),
        meta=np.empty((0,) * (1 + len(out_shape)), dtype=dtype),
    )
