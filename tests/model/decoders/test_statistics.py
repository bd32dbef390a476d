"""Statistics decoder: principal components, polynomials and descriptors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.model import ModelSpec, StatsVAE
from matvae.model.manifold import terms


def make(order: int = 2, rank: int = 4, **values) -> StatsVAE:
    options = {
        "rank": rank,
        "order": order,
        "descriptors": {"volume_fraction": [2], "lineal_path": [5, 2]},
        "examples": 3,
    }
    spec = ModelSpec(
        shape=(8, 8),
        phases=2,
        pairs=((1, 1),),
        periodic=False,
        cutoff=(2, 2),
        n_components=2,
        encoder="projection",
        decoder="statistics",
        width=1,
        metric="lags",
        decoder_options=options,
        **values,
    )
    return StatsVAE(spec).eval()


@pytest.fixture
def module() -> StatsVAE:
    """Return a model with random orthonormal components, weights and coefficients."""
    module, rng = make(), np.random.default_rng(0)
    decoder = module.statistics_decoder
    components = np.linalg.qr(rng.standard_normal((25, 4)))[0].T
    decoder.learn_components(
        torch.from_numpy(rng.random(25)),
        torch.from_numpy(components),
        torch.from_numpy(rng.uniform(0.5, 2, 25)),
        unit=0.3,
    )
    decoder.coefficients.copy_(torch.from_numpy(rng.standard_normal((6, 4))))
    return module


def test_decoded_statistics_have_the_scores_of_the_polynomial(module) -> None:
    z = torch.tensor([[0.5, -1.0], [2.0, 0.1]])
    statistics = module.decoded_statistics(z)
    assert statistics.shape == (2, 5, 5, 1)
    decoder = module.statistics_decoder
    expected = terms(z.double(), 2) @ decoder.coefficients
    torch.testing.assert_close(decoder.scores(statistics), expected, rtol=1e-4, atol=1e-5)


def test_distances_in_the_metric_are_those_of_the_scores(module) -> None:
    decoder = module.statistics_decoder
    z = torch.randn(10, 2, generator=torch.Generator().manual_seed(1))
    f = decoder(z).flatten(1)
    weighted = ((f[0] - f) * decoder.weights.sqrt()).norm(dim=1)
    scores = decoder.scores(decoder(z))
    torch.testing.assert_close(0.3 * (scores[0] - scores).norm(dim=1), weighted.double(), rtol=1e-4, atol=1e-5)


def test_statistics_have_a_gradient_that_matches_finite_differences(module) -> None:
    module = module.double()
    z = torch.tensor([[0.3, -0.4]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module.decoded_statistics, (z,))


def test_descriptors_are_recovered_where_they_are_polynomials(module) -> None:
    z = torch.randn(500, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    fraction = torch.stack([0.6 - 0.1 * z[:, 0], 0.4 + 0.1 * z[:, 0]], dim=1)
    path = (z[:, 0] * z[:, 1]).reshape(-1, 1, 1) * torch.arange(10.0).reshape(5, 2)
    decoder = module.statistics_decoder
    decoder.learn_descriptors(z, {"volume_fraction": fraction, "lineal_path": path})
    decoded = decoder.descriptors(z[:20].float())
    torch.testing.assert_close(decoded["volume_fraction"], fraction[:20].float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(decoded["lineal_path"], path[:20].float(), atol=0.3, rtol=0)


def test_each_descriptor_is_fitted_where_it_is_known(module) -> None:
    z = torch.randn(500, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    fraction = torch.stack([0.6 - 0.1 * z[:, 0], 0.4 + 0.1 * z[:, 0]], dim=1)
    path = z[:, 1].reshape(-1, 1, 1) * torch.arange(10.0).reshape(5, 2)
    path[::2] = torch.nan
    decoder = module.statistics_decoder
    decoder.learn_descriptors(z, {"volume_fraction": fraction, "lineal_path": path})
    decoded = decoder.descriptors(z[:21].float())
    torch.testing.assert_close(decoded["volume_fraction"], fraction[:21].float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(decoded["lineal_path"][1::2], path[1:21:2].float(), atol=0.1, rtol=0)
    assert bool(decoded["lineal_path"].isfinite().all())


def test_weights_are_not_trained(module) -> None:
    assert not any(weight.requires_grad for weight in module.parameters())
    assert module.level_set is None
