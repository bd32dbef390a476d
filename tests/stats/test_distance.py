from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import relative_error, statistics_distance


@pytest.fixture
def statistics() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.random((4, 5, 6, 2)), rng.random((4, 5, 6, 2))


def test_distances_equal_values_computed_by_hand():
    f = np.array([[[3.0], [0.0]], [[0.0], [0.0]]])
    g = np.array([[[0.0], [4.0]], [[0.0], [0.0]]])
    np.testing.assert_allclose(statistics_distance(f, g), [5.0, 0.0])
    np.testing.assert_allclose(relative_error(f, g), [5 / 3, 0.0])


def test_distances_are_per_sample_over_all_lags_and_correlations(statistics):
    f, g = statistics
    np.testing.assert_allclose(
        statistics_distance(f, g), [np.sqrt(((a - b) ** 2).sum()) for a, b in zip(f, g, strict=True)]
    )


def test_a_distance_is_symmetric_and_a_relative_error_is_not(statistics):
    f, g = statistics
    np.testing.assert_array_equal(statistics_distance(f, g), statistics_distance(g, f))
    assert not np.allclose(relative_error(f, 2 * g), relative_error(2 * g, f))


def test_a_relative_error_does_not_depend_on_the_scale(statistics):
    f, g = statistics
    np.testing.assert_allclose(relative_error(10 * f, 10 * g), relative_error(f, g))
    np.testing.assert_allclose(relative_error(f, np.zeros_like(f)), 1.0)


def test_numpy_and_torch_agree(statistics):
    f, g = statistics
    for function in (statistics_distance, relative_error):
        result = function(torch.from_numpy(f), torch.from_numpy(g))
        assert isinstance(result, torch.Tensor)
        np.testing.assert_allclose(result.numpy(), function(f, g))


def test_a_single_sample_is_compared_with_every_other(statistics):
    f, _ = statistics
    mean = f.mean(0, keepdims=True)
    np.testing.assert_allclose(statistics_distance(f, mean), statistics_distance(f, np.broadcast_to(mean, f.shape)))


def test_the_gradient_equals_finite_differences_and_is_zero_where_both_agree(statistics):
    f, g = (torch.from_numpy(x[:, :2, :2]).requires_grad_() for x in statistics)
    assert torch.autograd.gradcheck(statistics_distance, (f, g))
    assert torch.autograd.gradcheck(relative_error, (f, g))
    same = f.detach().clone().requires_grad_()
    relative_error(f.detach(), same).sum().backward()
    assert same.grad is not None
    assert torch.equal(same.grad, torch.zeros_like(same))


@pytest.mark.parametrize("shape", [(4, 5, 6, 1), (4, 5, 5, 2), (3, 5, 6, 2), (4, 5, 6), (4,)])
def test_different_shapes_are_refused(statistics, shape):
    for function in (statistics_distance, relative_error):
        with pytest.raises(
            InputError, match=r"of the same shape are expected.*\(4, 5, 6, 2\).*Compute both with the same"
        ):
            function(statistics[0], np.zeros(shape))


@pytest.mark.parametrize("as_array", [np.asarray, torch.from_numpy])
def test_the_error_relative_to_statistics_of_zero_is_one(as_array):
    zeros, nonzero = np.zeros((2, 3, 3, 1)), np.zeros((2, 3, 3, 1))
    nonzero[0, 1, 1] = 1e-4
    errors = relative_error(as_array(zeros), as_array(nonzero))
    np.testing.assert_allclose(errors, [1.0, 0.0], rtol=1e-6)
