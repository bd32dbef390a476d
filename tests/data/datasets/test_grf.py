from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets.grf import GaussianRandomField, gaussian_field
from matvae.errors import InputError


def autocorrelation(labels: np.ndarray) -> np.ndarray:
    """Periodic 2-point statistics of phase 1, ``(sample, *lag)`` with zero lag first."""
    space = tuple(range(1, labels.ndim))
    transform = np.fft.fftn(labels == 1, axes=space)
    return np.fft.ifftn(np.abs(transform) ** 2, axes=space).real / np.prod(labels.shape[1:])


def draw(generator: GaussianRandomField, n: int) -> tuple[np.ndarray, list[dict[str, float]]]:
    samples = [generator.sample(np.random.default_rng([11, index])) for index in range(n)]
    return np.stack([labels for labels, _ in samples]), [properties for _, properties in samples]


def arcsine_law(shape: tuple[int, ...], lengths: tuple[float, ...]) -> np.ndarray:
    """1/4 + arcsin(rho) / 2 pi at every lag (Sheppard 1899), with rho summed over the periodic images."""
    rho = np.ones(())
    for n, length in zip(shape, lengths, strict=True):
        images = [np.exp(-(((np.arange(n) + m * n) / length) ** 2)) for m in range(-4, 5)]
        rho = np.multiply.outer(rho, np.sum(images, axis=0) / np.sum(images, axis=0)[0])
    return 0.25 + np.arcsin(np.clip(rho, -1, 1)) / (2 * np.pi)


@pytest.mark.parametrize(
    ("shape", "lengths", "n"),
    [
        ((512,), (6.0,), 600),
        ((96, 96), (5.0, 5.0), 400),
        ((64, 48), (9.0, 3.0), 400),
        ((32, 24, 28), (5.0, 3.0, 4.0), 150),
    ],
)
def test_statistics_follow_the_arcsine_law_along_every_axis(shape, lengths, n):
    labels, _ = draw(GaussianRandomField(shape, correlation_length=lengths, exact_fractions=False), n)
    # The volume fraction is 1/2 on average. Its fluctuation shifts all lags of a sample equally, and is subtracted.
    volume_fraction = labels.mean(axis=tuple(range(1, labels.ndim)), keepdims=True)
    assert abs(volume_fraction.mean() - 0.5) < 4 * volume_fraction.std() / np.sqrt(n)
    statistics = autocorrelation(labels) - volume_fraction + 0.5
    error = statistics.std(axis=0) / np.sqrt(n)
    deviation = np.abs(statistics.mean(axis=0) - arcsine_law(shape, lengths)) / (error + 1e-12)
    # There are many lags, and neighbouring ones are correlated: most must agree within two standard errors.
    assert deviation.max() < 5
    assert np.mean(deviation < 2) > 0.8


def test_cutting_by_rank_removes_only_the_fluctuation_of_the_volume_fraction():
    shape, lengths, n = (96, 96), (4.0, 4.0), 300
    labels, _ = draw(GaussianRandomField(shape, correlation_length=4.0), n)
    assert (labels.sum(axis=(1, 2)) == 96 * 96 // 2).all()
    statistics = autocorrelation(labels)
    law = arcsine_law(shape, lengths)
    error = statistics.std(axis=0) / np.sqrt(n)
    # The mean over lags is the squared volume fraction, which fluctuates with this variance if the level is fixed.
    variance = (law - 0.25).mean()
    assert statistics.mean() == pytest.approx(0.25)
    assert (np.abs(statistics.mean(axis=0) - law) < 5 * error + 2 * variance).all()
    assert statistics[:, 0, 0] == pytest.approx(0.5)


def test_field_has_unit_variance_and_is_periodic():
    noise = np.random.default_rng(0).standard_normal((400, 24, 32))
    fields = np.stack([gaussian_field(sample, (4.0, 6.0)) for sample in noise])
    assert fields.std() == pytest.approx(1, abs=0.02)
    across_boundary = (fields[:, :, 0] * fields[:, :, -1]).mean()
    assert across_boundary == pytest.approx(np.exp(-((1 / 6) ** 2)), abs=0.03)


def test_filter_equals_a_convolution_in_real_space():
    """The filter is a convolution of the noise with the square root of the covariance."""
    noise = np.random.default_rng(1).standard_normal(15)
    spectrum = np.fft.fft(sum(np.exp(-(((np.arange(15) + 15 * m) / 3.0) ** 2)) for m in range(-6, 7)))
    root = np.fft.ifft(np.sqrt(np.maximum(spectrum.real, 0) / spectrum.real.mean())).real
    slow = [sum(root[(i - j) % 15] * noise[j] for j in range(15)) for i in range(15)]
    np.testing.assert_allclose(gaussian_field(noise, (3.0,)), slow, atol=1e-6)


def test_several_phases_have_exact_volume_fractions_and_are_ordered_by_the_field():
    generator = GaussianRandomField((20, 30), volume_fractions=(0.2, 0.5, 0.3))
    labels, properties = draw(generator, 20)
    assert generator.grid.phases == 3
    for image, values in zip(labels, properties, strict=True):
        assert np.bincount(image.ravel()).tolist() == [120, 300, 180]
        assert values["volume_fraction_1"] == pytest.approx(0.5)
        assert values["volume_fraction_2"] == pytest.approx(0.3)
    # A smooth field passes through the intermediate phase, so that phases 0 and 2 are hardly ever adjacent.
    steps = np.abs(np.diff(labels.astype(int), axis=2))
    assert (steps == 2).sum() < 0.1 * (steps == 1).sum()


def test_parameters_are_drawn_from_ranges_and_recorded_for_every_sample():
    generator = GaussianRandomField(
        (40, 40),
        volume_fractions=(0.2, 0.5, 0.3),
        volume_fraction_range=(0.1, 0.6),
        correlation_length_range=(2.0, 8.0),
        isotropic=False,
    )
    labels, properties = draw(generator, 200)
    fractions = np.array([values["volume_fraction_1"] for values in properties])
    np.testing.assert_allclose((labels == 1).mean(axis=(1, 2)), fractions, atol=1e-3)
    np.testing.assert_allclose((labels == 2).mean(axis=(1, 2)), (1 - fractions) * 0.6, atol=1e-3)
    assert 0.1 <= fractions.min() < 0.15
    assert 0.55 < fractions.max() <= 0.6
    along_x, along_y = (np.array([v[f"correlation_length_{axis}"] for v in properties]) for axis in "xy")
    assert 2 <= min(along_x.min(), along_y.min()) < 2.5
    assert abs(np.corrcoef(along_x, along_y)[0, 1]) < 0.3
    # The longer the correlation length along x, the fewer the phase changes along x.
    changes = (np.diff(labels, axis=2) != 0).mean(axis=(1, 2))
    assert np.corrcoef(along_x, changes)[0, 1] < -0.6


def test_isotropic_range_gives_one_length_for_all_axes():
    _, properties = draw(GaussianRandomField((16, 16, 16), correlation_length_range=(2.0, 8.0)), 10)
    assert all(v["correlation_length_x"] == v["correlation_length_z"] for v in properties)
    assert len({v["correlation_length_x"] for v in properties}) == 10


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"volume_fractions": (0.5, 0.6)}, "sum to 1"),
        ({"volume_fractions": (1.0,)}, "each of at least two phases"),
        ({"correlation_length": 40.0}, "at most half the length of its axis"),
        ({"correlation_length": (3.0, 3.0, 3.0)}, "one for each of the axes y, x"),
        ({"correlation_length": -1}, "one positive number"),
        ({"correlation_length_range": (2.0, 99.0)}, "low <= high <= 32"),
        ({"volume_fraction_range": (0.5, 1.0)}, "must end below 1"),
        ({"volume_fraction_range": (0.6, 0.4)}, "pair \\(low, high\\)"),
        ({"isotropic": "yes"}, "True or False"),
    ],
)
def test_invalid_parameters_are_refused_at_once(parameters, message):
    with pytest.raises(InputError, match=message):
        GaussianRandomField((64, 64), **parameters)
