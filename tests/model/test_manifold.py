"""Polynomial manifolds: derivatives, regression, and the search for latents of points on known surfaces."""

from __future__ import annotations

import pytest
import torch

from matvae.model.manifold import jacobian, n_terms, regression, search, start_latents, terms, whitened


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("order", [1, 2])
def test_terms_are_those_of_the_polynomial(order: int) -> None:
    z = torch.tensor([[2.0, 3.0]])
    expected = [1, 2, 3] if order == 1 else [1, 2, 3, 4, 6, 9]
    assert terms(z, order).tolist() == [expected]
    assert n_terms(2, order) == len(expected)


@pytest.mark.parametrize("order", [1, 2])
def test_jacobian_matches_automatic_differentiation(order: int) -> None:
    z, coefficients = normal(4, 3), normal(n_terms(3, order), 5, seed=1)
    reference = torch.autograd.functional.jacobian(lambda x: terms(x, order) @ coefficients, z)
    by_sample = torch.stack([reference[k, :, k] for k in range(4)]).mT
    torch.testing.assert_close(jacobian(z, coefficients, order), by_sample)


def test_search_finds_the_latents_of_points_on_a_curved_surface() -> None:
    z = 0.5 * normal(50, 2)
    coefficients = torch.cat([normal(1, 6), 2 * normal(2, 6, seed=1), 0.3 * normal(3, 6, seed=2)])
    scores = terms(z, 2) @ coefficients
    torch.testing.assert_close(search(scores, z + 0.2, coefficients, 2), z, atol=1e-6, rtol=0)


def test_search_at_first_order_is_the_projection() -> None:
    scores, coefficients = normal(20, 6), normal(3, 6, seed=1)
    solution = torch.linalg.lstsq(coefficients[1:].T, (scores - coefficients[0]).T).solution.T
    latents = search(scores, torch.zeros(20, 2, dtype=torch.float64), coefficients, 1, steps=40)
    torch.testing.assert_close(latents, solution, atol=1e-6, rtol=1e-6)


def test_search_never_increases_the_distance_and_samples_are_independent() -> None:
    scores, z, coefficients = normal(30, 8), normal(30, 3, seed=1), normal(n_terms(3, 2), 8, seed=2)

    def distance(latents: torch.Tensor) -> torch.Tensor:
        return (scores - terms(latents, 2) @ coefficients).norm(dim=1)

    together = search(scores, z, coefficients, 2)
    assert (distance(together) <= distance(z)).all()
    alone = torch.cat([search(scores[k : k + 1], z[k : k + 1], coefficients, 2) for k in range(30)])
    torch.testing.assert_close(together, alone)


def test_regression_of_a_quadratic_function_is_nearly_exact() -> None:
    z, coefficients = normal(2000, 3), normal(n_terms(3, 2), 4, seed=1)
    values = terms(z, 2) @ coefficients
    residual = values - terms(z, 2) @ regression(z, values, 2)
    assert residual.norm() < 0.02 * values.norm()


def test_whitened_latents_are_uncorrelated_and_keep_their_axes() -> None:
    z = normal(500, 3) @ torch.diag(torch.tensor([1.0, 3.0, 0.5], dtype=torch.float64)) + 2
    white = whitened(z)
    torch.testing.assert_close(white.T @ white / 500, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(whitened(white), white)
    correlation = torch.corrcoef(torch.cat([z, white], dim=1).T)[:3, 3:].diagonal()
    assert (correlation > 0.95).all()


def test_start_latents_are_standardised_scores() -> None:
    scores = normal(100, 5) * torch.tensor([5.0, 2.0, 1.0, 0.1, 0.1])
    scores = scores - scores.mean(0)
    torch.testing.assert_close(start_latents(scores, 2).std(0, correction=0), torch.ones(2, dtype=torch.float64))
