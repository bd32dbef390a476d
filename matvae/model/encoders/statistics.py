"""Encoder that reads 2-point statistics: its latents are invariant to shifts of the structure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import floordiv

import torch
from torch import Tensor, nn

from ..layers import perceptron
from ..spec import ModelSpec
from .base import Encoder

# A window of this many lags holds the information of the statistics; far lags of large volumes are mostly noise.
MAX_FEATURES = 32768
START_LOG_VARIANCE = -6.0
# Relative size below which differences of features are rounding errors of the statistics.
ROUNDING = 1e-5


class StatisticsEncoder(Encoder):
    """Principal components of the statistics, corrected by a perceptron.

    The linear path starts as a whitened PCA of the training statistics, so that it generalises as well as PCA from few
    samples; the perceptron starts at zero and adds what a linear map cannot represent. Both read ``sqrt(f + 1e-5)``, in
    which f(0) does not drown the faint correlations of rare features.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        # The coarsest grid if there are several.
        shape = spec.lag_shape if spec.coarse is None else tuple(map(floordiv, spec.shape, spec.coarse))
        self.window = _window(spec, shape)
        n_features = _size(self.window, spec)
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(()))
        self.linear = nn.Linear(n_features, spec.n_components)
        self.correction = perceptron(n_features, spec.width, 3, 2 * spec.n_components)
        last = self.correction[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def features(self, statistics: Tensor) -> Tensor:
        """Compute centred features ``(sample, feature)``: roots of the statistics at lags that are not redundant."""
        for axis, (start, stop) in enumerate(self.window, start=1):
            statistics = statistics.narrow(axis, start, stop - start)
        return _signed_root(statistics.flatten(1)) - self.centre

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(sample, *lag, correlation)`` to mean and log-variance, each ``(sample, component)``."""
        features = self.features(statistics)
        shift, log_variance = self.correction(features / self.scale).chunk(2, dim=-1)
        return self.linear(features) + shift, START_LOG_VARIANCE + log_variance

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Centre the features on those of the training sample, and start the linear path as their whitened PCA."""
        features = torch.cat([self.features(statistics) for statistics in batches]) + self.centre
        self.centre.copy_(features.mean(0))
        features = features - self.centre
        self.scale.copy_(features.std(correction=0).clamp_min(1e-6))
        # There are far fewer samples than lags, and the smaller Gram matrix has the same components.
        values, vectors = torch.linalg.eigh((features @ features.T).double())
        n_components = min(self.linear.out_features, len(values))
        values, vectors = values.flip(0)[:n_components], vectors.flip(1)[:, :n_components]
        # Faint components are mostly noise, and those of identical structures are rounding errors: neither is amplified
        # to unit variance.
        rounding = ROUNDING**2 * len(features) * self.centre.double().square().sum()
        least = torch.maximum(1e-3 * values[0], rounding).clamp_min(1e-15)
        whitened = (features.T.double() @ vectors) / values.clamp_min(least)
        # The sign of eigenvectors is arbitrary; a positive largest entry makes fits reproducible.
        signs = torch.sign(whitened.gather(0, whitened.abs().argmax(0, keepdim=True)))
        self.linear.weight.zero_()
        self.linear.weight[:n_components] = (signs * whitened * len(features) ** 0.5).T.to(self.linear.weight)
        self.linear.bias.zero_()


def _signed_root(f: Tensor) -> Tensor:
    """``sqrt(f + 1e-5)`` for f >= 0, odd in f: rounding and fields with negative values stay finite."""
    return torch.copysign(torch.sqrt(f.abs() + 1e-5) - 1e-5**0.5, f)


def _window(spec: ModelSpec, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Range of lags read along each axis, centred, within `MAX_FEATURES`; half of them for autocorrelations.

    An autocorrelation is symmetric, f(r) = f(-r): the lags up to the centre of the first axis are sufficient.
    """
    share = 1.0
    while True:
        ranges = []
        for axis, n in enumerate(shape):
            zero, reach = n // 2, max(1, int(share * n / 2))
            stop = zero + 1 if axis == 0 and spec.only_autocorrelations else min(n, zero + reach + 1)
            ranges.append((max(0, zero - reach), stop))
        if _size(ranges, spec) <= MAX_FEATURES or max(stop - start for start, stop in ranges) <= 3:
            return ranges
        share *= 0.95


def _size(window: list[tuple[int, int]], spec: ModelSpec) -> int:
    return len(spec.pairs) * math.prod(stop - start for start, stop in window)
