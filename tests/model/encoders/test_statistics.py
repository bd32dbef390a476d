from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from matvae.model.encoders import statistics as encoder_module
from matvae.model.encoders.statistics import StatisticsEncoder


@pytest.fixture
def perturbed(make_module):
    """Return a function that builds a model whose correction is not zero, as after training."""

    def make(*args, **values):
        module = make_module(*args, **values)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in module.encoder.parameters():
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        return module

    return make


def encoded(module, structures):
    fields = module.fields(structures)
    return torch.cat(module.encode(module.statistics(fields), fields), dim=1)


@pytest.mark.parametrize(
    ("shape", "phases"), [((11,), 2), ((8, 8), 2), ((7, 6), 2), ((4, 5, 6), 2), ((6, 6), 3), ((5, 5), 4)]
)
def test_a_shift_does_not_change_the_latent(perturbed, labels, shape, phases):
    module = perturbed(shape, phases=phases).double()
    structures = labels(5, shape, phases)
    for steps in ([1] * len(shape), [n // 2 for n in shape], [n - 1 for n in shape]):
        moved = structures.roll(steps, tuple(range(1, structures.ndim)))
        torch.testing.assert_close(encoded(module, moved), encoded(module, structures), rtol=0, atol=1e-10)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(11,), (8, 6), (4, 5, 6)])
def test_point_inversion_does_not_change_the_latent_of_autocorrelations(perturbed, labels, shape, periodic):
    module = perturbed(shape, phases=3, pairs=((1, 1), (2, 2)), periodic=periodic).double()
    structures = labels(5, shape, 3)
    turned = structures.flip(tuple(range(1, structures.ndim)))
    torch.testing.assert_close(encoded(module, turned), encoded(module, structures), rtol=0, atol=1e-10)


def test_cross_correlations_distinguish_a_structure_from_its_inversion(perturbed, labels):
    module = perturbed((9,), phases=3).double()
    structures = labels(5, (9,), 3)
    assert (encoded(module, structures.flip(1)) - encoded(module, structures)).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("shape", "periodic", "cutoff"), [((8, 7), True, None), ((5, 4), False, None), ((9, 9), True, (2, 3))]
)
def test_half_of_the_lags_determine_an_autocorrelation(make_spec, labels, make_module, shape, periodic, cutoff):
    spec = make_spec(shape, periodic=periodic, cutoff=cutoff)
    module = make_module(shape, periodic=periodic, cutoff=cutoff).double()
    f = module.statistics(module.fields(labels(4, shape)))[..., 0]
    (start, stop), *_ = StatisticsEncoder(spec).window
    zero = [n // 2 for n in spec.lag_shape]
    assert (start, stop) == (0, zero[0] + 1)
    # Every lag after the centre has an opposite lag with the same value before the centre.
    half = f[:, start:stop]
    if periodic and cutoff is None:
        index = [(torch.arange(n) - z) % n for n, z in zip(spec.lag_shape, zero, strict=True)]
        places = [torch.nonzero(i == (-(torch.arange(n) - z)) % n) for i, n, z in zip(index, shape, zero, strict=True)]
        assert places
    opposite = f.flip(1, 2) if not periodic or cutoff else f.flip(1, 2).roll([1 - n % 2 for n in shape], (1, 2))
    torch.testing.assert_close(f, opposite)
    torch.testing.assert_close(half, opposite[:, start:stop])


@pytest.mark.parametrize("pairs", [((1, 1),), ((1, 1), (1, 2))])
@pytest.mark.parametrize("shape", [(300, 300), (64, 64, 64), (70000,), (2, 40000)])
def test_the_window_of_large_structures_is_bounded_and_contains_the_short_lags(make_spec, monkeypatch, shape, pairs):
    monkeypatch.setattr(encoder_module, "MAX_FEATURES", 4096)
    spec = make_spec(shape, phases=3, pairs=pairs)
    window = encoder_module._window(spec, spec.lag_shape)
    assert np.prod([stop - start for start, stop in window]) * len(pairs) <= 4096
    for (start, stop), n in zip(window, spec.lag_shape, strict=True):
        assert 0 <= start < n // 2 < stop <= n


def calibrated(spec, statistics):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = StatisticsEncoder(spec).double()
    encoder.calibrate(iter(statistics.split(16)))
    return encoder


def smooth_statistics(spec, n=60, seed=0):
    """Return statistics with a few strong and distinct directions, like those of real structures."""
    rng = np.random.default_rng(seed)
    modes = rng.random((4, *spec.lag_shape, len(spec.pairs)))
    weights = rng.random((n, 4)) * [1.0, 0.6, 0.3, 0.2]
    return torch.tensor(np.einsum("nk,k...->n...", weights, modes) + 0.05)


def test_the_linear_path_starts_as_whitened_pca(make_spec):
    spec = make_spec((6, 7))
    statistics = smooth_statistics(spec)
    encoder = calibrated(spec, statistics)
    mean, log_variance = encoder(statistics)
    scores = mean.detach().numpy()
    np.testing.assert_allclose(np.cov(scores.T, bias=True), np.eye(3), atol=1e-8)
    np.testing.assert_allclose(scores.mean(0), 0, atol=1e-8)
    assert (log_variance == encoder_module.START_LOG_VARIANCE).all()

    features = (encoder.features(statistics) + encoder.centre).numpy()
    pca = PCA(3, svd_solver="full").fit(features)
    basis = np.linalg.qr(encoder.linear.weight.detach().numpy().T)[0]
    np.testing.assert_allclose(basis @ basis.T, pca.components_.T @ pca.components_, atol=1e-8)
    expected = pca.transform(features) / np.sqrt(pca.explained_variance_ * (len(features) - 1) / len(features))
    np.testing.assert_allclose(np.abs(scores), np.abs(expected), atol=1e-7)


def test_the_sign_of_a_component_does_not_depend_on_the_order_of_samples(make_spec):
    spec = make_spec((6, 7))
    statistics = smooth_statistics(spec)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(3))
    weight = calibrated(spec, statistics).linear.weight
    torch.testing.assert_close(calibrated(spec, statistics[order]).linear.weight, weight)
    strongest = weight.gather(1, weight.abs().argmax(1, keepdim=True))
    assert (strongest > 0).all()


def test_components_beyond_the_number_of_samples_are_zero(make_spec):
    spec = make_spec((6, 7), n_components=5)
    encoder = calibrated(spec, smooth_statistics(spec, n=3))
    mean, _ = encoder(smooth_statistics(spec, n=8, seed=1))
    assert torch.isfinite(mean).all()
    assert (mean[:, 3:] == 0).all()


def test_faint_components_are_not_amplified(make_spec):
    spec = make_spec((6, 7), n_components=5)
    statistics = smooth_statistics(spec)
    scores = calibrated(spec, statistics)(statistics)[0].std(0, correction=0)
    # There are four modes; the fifth direction contains only the curvature of the square root and rounding errors.
    assert (scores[:3] > 0.99).all()
    assert scores[4] < 0.9


@pytest.mark.parametrize("n", [1, 8])
def test_latents_of_constant_statistics_are_finite(make_spec, n):
    spec = make_spec((6, 7))
    for value in (0.0, 1.0):
        statistics = torch.full((n, 6, 7, 1), value, dtype=torch.float64)
        encoder = calibrated(spec, statistics)
        assert torch.isfinite(encoder(statistics)[0]).all()
        assert torch.isfinite(encoder(statistics * 0.5)[0]).all()


def test_latents_of_statistics_at_a_single_lag_are_finite(make_spec):
    spec = make_spec((6, 7), cutoff=(0, 0))
    encoder = calibrated(spec, torch.full((1, 1, 1, 1), 0.3, dtype=torch.float64))
    assert torch.isfinite(encoder.scale)
    assert torch.isfinite(encoder(torch.full((2, 1, 1, 1), 0.2, dtype=torch.float64))[0]).all()


@pytest.mark.parametrize("shape", [(15, 15), (32, 32)])
def test_rounding_errors_in_copies_of_one_structure_are_not_amplified(make_module, labels, shape):
    module = make_module(shape)
    structure = labels(1, shape)
    copies = torch.cat([structure.roll((i, 3 * i), (1, 2)) for i in range(16)])
    module.calibrate([copies])
    mean = encoded(module, copies)[:, :3]
    assert (mean - mean[:1]).abs().max() < 0.05


def test_the_signed_root_is_odd_and_steep_at_zero_but_finite():
    f = torch.tensor([-0.25, -1e-9, 0.0, 1e-9, 0.25], dtype=torch.float64)
    root = encoder_module._signed_root(f)
    torch.testing.assert_close(root, -encoder_module._signed_root(-f))
    assert root[4] == pytest.approx((0.25 + 1e-5) ** 0.5 - 1e-5**0.5)
    assert root[2] == 0
    assert (root.diff() > 0).all()
