"""Run times of 2-point statistics relative to bare transforms and to plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.stats import correlate, two_point_stats

from .ratios import interleaved, report


def bare_transforms(X: torch.Tensor) -> torch.Tensor:
    """Compute the minimum that statistics need: one real transform and its inverse."""
    axes = tuple(range(1, X.ndim))
    return torch.fft.irfftn(torch.fft.rfftn(X, dim=axes), s=X.shape[1:], dim=axes)


def plain_numpy(X: np.ndarray) -> np.ndarray:
    """Apply the convolution theorem in complex numpy, as PyMKS does."""
    axes = tuple(range(1, X.ndim))
    spectrum = np.fft.fftn(X, axes=axes)
    lags = np.fft.ifftn(np.conj(spectrum) * spectrum, axes=axes).real
    return np.fft.fftshift(lags, axes=axes)[..., None] / X[0].size


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(256, 224, 224, generator=torch.manual_seed(0))


def test_images_against_bare_transforms(images):
    labels = (images < 0.3).to(torch.uint8)
    times = interleaved(
        {
            "bare": lambda: bare_transforms(images),
            "field": lambda: two_point_stats(images),
            "labels": lambda: two_point_stats(labels),
            "cutoff": lambda: two_point_stats(labels, cutoff=20),
        }
    )
    report("field 256 x 224^2 / bare rfft2 + irfft2", times["field"] / times["bare"], "<= 1")
    report("labels 256 x 224^2 / bare rfft2 + irfft2", times["labels"] / times["bare"], "<= 1")
    report("labels 256 x 224^2, cutoff 20 / bare rfft2 + irfft2", times["cutoff"] / times["bare"], "<= 1")


def test_images_against_plain_numpy(images):
    X = images.numpy()
    np.testing.assert_allclose(two_point_stats(X[:8]), plain_numpy(X[:8]), atol=1e-5)
    times = interleaved({"numpy": lambda: plain_numpy(X), "ours": lambda: two_point_stats(X)}, rounds=3)
    report("field 256 x 224^2 / plain complex numpy", times["ours"] / times["numpy"], "<= 0.2")


def test_volumes_against_bare_transforms():
    volumes = torch.rand(64, 32, 32, 32, generator=torch.manual_seed(0))
    np.testing.assert_allclose(two_point_stats(volumes[:2]), plain_numpy(volumes[:2].numpy()), atol=1e-5)
    times = interleaved({"bare": lambda: bare_transforms(volumes), "ours": lambda: two_point_stats(volumes)}, rounds=15)
    report("field 64 x 32^3 / bare rfftn + irfftn", times["ours"] / times["bare"], "<= 1.5")


def test_the_complementary_phase_against_its_transform():
    labels = (torch.rand(128, 224, 224, generator=torch.manual_seed(0)) < 0.3).to(torch.uint8)
    pairs = ((0, 0), (0, 1))

    def every_transform() -> torch.Tensor:
        parts = labels.split(2)
        fields = (torch.stack([part == 0, part == 1], dim=1) for part in parts)
        return torch.cat([correlate(field, pairs, indicator=True) for field in fields])

    assert torch.equal(two_point_stats(labels, correlations=pairs), every_transform())
    times = interleaved({"slow": every_transform, "ours": lambda: two_point_stats(labels, correlations=pairs)})
    report("labels 128 x 224^2, both phases / one transform per phase", times["ours"] / times["slow"], "<= 1")


def test_backward_against_forward():
    target = two_point_stats(torch.rand(128, 64, 64, generator=torch.manual_seed(0)))
    X = torch.rand(128, 64, 64, generator=torch.manual_seed(1)).requires_grad_()

    def loss(x: torch.Tensor) -> torch.Tensor:
        return (two_point_stats(x) - target).square().sum()

    (gradient,) = torch.autograd.grad(loss(X), X)
    step = 1e-3 * gradient / gradient.norm()
    assert loss((X - step).detach()) < loss(X.detach())
    times = interleaved({"forward": lambda: loss(X), "both": lambda: torch.autograd.grad(loss(X), X)}, rounds=25)
    report("loss 128 x 64^2, forward + backward / forward", times["both"] / times["forward"], "<= 3")
