"""FittedModel: a fitted module applied to blocks of samples and latents; `lazily` runs it on numpy and dask arrays."""

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
from ..model import VOXELS, StatsVAE, fixed_threshold_labels, search_latents, straight_shares, volume_fraction_labels
from ..stats import relative_error
from ..stats.map_samples import is_dask
from .masked_windows import LEAST_SHARE, rows_with_masks
from .sample_layout import SampleLayout
from .samples import check_fitted, sample_numbers
from .textures import AUTO, TextureRealizer, choose_method

VOLUME_FRACTION, STRAIGHT = "volume-fraction", "straight"
# Samples pass through the module in blocks of about this many voxels. On a CPU, intermediate results of larger blocks
# do not stay in the cache, and take up to 1.5 times as long; a GPU needs larger ones to be busy.
BLOCK_VOXELS, DEVICE_BLOCK_VOXELS = 1 << 20, 1 << 22


@dataclass(frozen=True)
class FittedModel:
    """Everything a fit has learned that takes samples to latents and back, applied to numpy blocks.

    Parameters
    ----------
    module : StatsVAE
    layout : SampleLayout
        How samples are held.
    grid : Grid
        Grid of one structure.
    threshold : ``"volume-fraction"``, ``"straight"`` or float
        How fractions become phases.
    latent_steps : int
        Steps of the search that improves the encoder's latent.
    short_range : float
        Weight of short lags in the distance that this search minimises, as in training.
    """

    module: StatsVAE
    layout: SampleLayout
    grid: Grid
    threshold: str | float
    latent_steps: int = 0
    short_range: float = 0.0

    @classmethod
    def of(cls, estimator: Any) -> FittedModel:
        """Take over what a `StatsVAETransformer` has learned so far; a later fit does not change it.

        Raises
        ------
        NotFittedError
            If the estimator has not been fitted.
        """
        check_fitted(estimator)
        # An autoencoder of voxels is not trained on statistics: its search compares them at all lags alike.
        short_range = 0.0 if estimator.loss == VOXELS else float(estimator.short_range)
        return cls(
            estimator.module_,
            estimator._layout,
            estimator.grid_,
            estimator.threshold,
            int(estimator.latent_steps),
            short_range,
        )

    @property
    def decodes_structures(self) -> bool:
        """True if the decoder gives structures; False if it gives statistics, from which structures are realised."""
        return self.module.decodes_structures

    @property
    def statistics_shape(self) -> tuple[int, ...]:
        """Shape ``(*lag, correlation)`` of the statistics of one sample."""
        return (*self.module.spec.lag_shape, len(self.module.spec.pairs))

    def latents(self, samples: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Latent means ``(sample, component)`` of samples; NaN where their mask leaves too little to encode.

        Raises
        ------
        InputError
            If others are not finite, since values of the samples are far beyond those of the training set.
        """
        model = self._in_precision_of(samples)
        least_share = LEAST_SHARE if self.module.reads_statistics else 1.0
        return model._rows(model._encode, samples, mask, "latents", (self.module.spec.n_components,), least_share)

    def statistics(self, samples: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """2-point statistics ``(sample, *lag, correlation)`` of samples; NaN where their mask leaves too few pairs.

        Raises
        ------
        InputError
            If others are not finite, since values of the samples are far beyond those of the training set.
        """
        model = self._in_precision_of(samples)
        return model._rows(model._statistics_of, samples, mask, "statistics", self.statistics_shape)

    def decoded_statistics(self, latents: np.ndarray) -> np.ndarray:
        """2-point statistics ``(sample, *lag, correlation)`` of the soft structures of latents."""
        model = self._in_precision_of(latents)
        return model._blockwise(lambda z: model.module.decoded_statistics(model._latents(z)), latents)

    def descriptors(self, latents: np.ndarray) -> dict[str, np.ndarray]:
        """Descriptors ``(sample, *shape)`` of latents, by name; none for a decoder of structures."""
        if self.decodes_structures:
            return {}
        decoded = self._in_precision_of(latents).module.statistics_decoder.descriptors(self._latents(latents))
        return {name: values.detach().cpu().numpy() for name, values in decoded.items()}

    def fractions(self, latents: np.ndarray) -> np.ndarray:
        """Soft phase fractions, or fields, ``(sample, phase, *space)`` of latents.

        Raises
        ------
        InputError
            If the decoder gives statistics.
        """
        if not self.decodes_structures:
            raise InputError(
                f"The decoder {self.module.spec.decoder!r} gives statistics, and structures are realised from them as "
                "labels: there are no soft fractions. Ask for structures, or fit with another decoder."
            )
        return self._blockwise(self._decode, latents)

    def labels(self, latents: np.ndarray) -> np.ndarray:
        """Labels, or fields, ``(sample, *space)`` of latents; those of a decoder of statistics are realized."""
        if not self.decodes_structures:
            realizer = TextureRealizer(self.module, self.grid, self.grid.shape, choose_method(self.module, AUTO))
            return realizer.of(latents, sample_numbers(latents))
        return self._blockwise(lambda z: self.sharpen(self._decode(z)), latents)

    def structures(self, latents: np.ndarray) -> np.ndarray:
        """Structures of latents in the shape, form and type of the samples."""
        return self.restore(self.labels(latents))

    def restore(self, labels: np.ndarray) -> np.ndarray:
        """Labels, or fields, ``(sample, *space)`` in the shape, form and type of the samples."""
        return self.layout.restore(labels, self.grid.phases)

    def errors(self, samples: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Relative error ``(sample,)`` of the statistics of thresholded reconstructions.

        For a decoder of statistics, of the decoded statistics. NaN where `latents` are.
        """

        def errors_of(data: Tensor, inside: Tensor | None) -> Tensor:
            z, statistics = self._encode(data, inside), self._statistics_of(data, inside)
            if not self.decodes_structures:
                return relative_error(statistics, self.module.decoded_statistics(z))
            labels = self.sharpen(self.module.decode(z))
            return relative_error(statistics, self.module.statistics(self.module.fields(labels)))

        least_share = LEAST_SHARE if self.module.reads_statistics else 1.0
        return self._rows(errors_of, samples, mask, "errors", (), least_share)

    def sharpen(self, fractions: Tensor) -> Tensor:
        """Labels ``(sample, *space)`` of phase fractions ``(sample, phase, *space)``; fields stay as they are."""
        if self.grid.phases == 1:
            return fractions[:, 0]
        if self.threshold == VOLUME_FRACTION:
            return volume_fraction_labels(fractions)
        if self.threshold == STRAIGHT:
            return volume_fraction_labels(fractions, straight_shares(fractions, periodic=self.module.spec.periodic))
        return fixed_threshold_labels(fractions, float(self.threshold))

    def _in_precision_of(self, block: np.ndarray) -> FittedModel:
        """This model, or one in double precision for input in double precision."""
        if block.dtype != np.float64:
            return self
        return replace(self, module=copy.deepcopy(self.module).double())

    def _rows(
        self,
        function: Callable[[Tensor, Tensor | None], Tensor],
        samples: np.ndarray,
        mask: np.ndarray | None,
        what: str,
        shape: tuple[int, ...],
        least_share: float = LEAST_SHARE,
    ) -> np.ndarray:
        """Rows ``(sample, *shape)`` of a function of samples and of their mask, or None for whole ones."""
        device, spec = self.module.field_mean.device, self.module.spec

        def of_part(part: np.ndarray, inside: np.ndarray | None = None) -> Tensor:
            data = self.layout.tensor(part).to(device)
            return function(data, None if inside is None else torch.from_numpy(inside).to(device))

        def compute(*blocks: np.ndarray) -> np.ndarray:
            return _finite(self._blockwise(of_part, *blocks), what)

        return rows_with_masks(
            compute, samples, mask, shape, periodic=spec.periodic, cutoff=spec.cutoff, least_share=least_share
        )

    def _statistics_of(self, data: Tensor, inside: Tensor | None = None) -> Tensor:
        if self.layout.form is None:
            return data.to(self.module.field_mean.dtype)
        return self.module.statistics(self.module.fields(data), inside)

    def _encode(self, data: Tensor, inside: Tensor | None = None) -> Tensor:
        reads_statistics = self.module.reads_statistics
        statistics = self._statistics_of(data, inside) if reads_statistics or self.latent_steps else None
        z = self.module.encode(statistics, None if reads_statistics else self.module.fields(data))[0]
        # A decoder of statistics has an encoder that searches already.
        if statistics is None or not self.latent_steps or not self.decodes_structures:
            return z
        return search_latents(self.module, z, statistics, self.latent_steps, short_range=self.short_range)

    def _decode(self, latents: np.ndarray) -> Tensor:
        return self.module.decode(self._latents(latents))

    def _latents(self, latents: np.ndarray) -> Tensor:
        if not np.isfinite(latents).all():
            raise InputError("Latents contain NaN or infinity; every component needs a finite value.")
        return torch.tensor(latents).to(self.module.field_mean)

    def _blockwise(self, function: Callable[..., Tensor], *arrays: np.ndarray) -> np.ndarray:
        spec = self.module.spec
        most = BLOCK_VOXELS if self.module.field_mean.device.type == "cpu" else DEVICE_BLOCK_VOXELS
        step = max(1, min(1024, most // (math.prod(spec.shape) * spec.channels)))
        # Not inference_mode: the search for latents needs gradients inside.
        with torch.no_grad():
            starts = range(0, len(arrays[0]), step)
            parts = [function(*(array[i : i + step] for array in arrays)).cpu().numpy() for i in starts]
        return np.concatenate(parts)


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    if not np.isfinite(values).all():
        bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
        raise InputError(
            f"The {what} of {len(bad)} of {len(values)} samples are not finite, first of sample {bad[0]}. Values are "
            "far beyond those that the model was fitted on. Express them in the unit of the training set."
        )
    return values


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
