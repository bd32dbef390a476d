from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.solve import solve
from matvae.reconstruction.start import starting_labels

from ..structures import blobs
from .structures import fractions, target_of

METHODS = ("auto", "retrieval", "swaps")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("phases", [2, 3])
def test_the_error_is_that_of_the_structure_and_below_that_of_the_start(method, phases):
    labels = blobs(3, (16, 16), phases)
    target = target_of(labels, phases)
    start = starting_labels(None, target, 1, 0).long()
    solution, error, n_iter = solve(target, start, method=method, tol=0.0, max_iter=20)
    np.testing.assert_allclose(error, target.errors(indicators(solution, phases)))
    assert (error < target.errors(indicators(start, phases))).all()
    assert np.array_equal(fractions(solution.numpy(), phases), fractions(labels, phases))
    assert (n_iter <= 20).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_start_with_the_statistics_is_returned(method):
    labels = torch.from_numpy(blobs(3, (16, 16))).long()
    solution, error, _ = solve(target_of(labels.numpy()), labels, method=method, tol=1e-4, max_iter=40)
    assert torch.equal(solution, labels)
    assert (error < 1e-5).all()


@pytest.mark.parametrize("method", ["auto", "retrieval"])
def test_the_best_structure_is_returned_rather_than_the_last(method):
    labels = blobs(6, (20, 20))
    target = target_of(labels)
    start = starting_labels(None, target, 1, 3).long()
    errors = [solve(target, start, method=method, tol=0.0, max_iter=n)[1] for n in (40, 80, 160)]
    assert (errors[1] <= errors[0]).all()
    assert (errors[2] <= errors[1]).all()


def test_structures_stop_independently_of_each_other():
    """A structure without error at the start does not iterate, and does not affect the others."""
    labels = blobs(4, (16, 16))
    target = target_of(labels)
    start = starting_labels(None, target, 1, 0).long()
    alone = solve(target.select(torch.tensor([0, 1, 3])), start[[0, 1, 3]], method="auto", tol=1e-3, max_iter=80)
    start[2] = torch.from_numpy(labels[2]).long()
    solution, error, n_iter = solve(target, start, method="auto", tol=1e-3, max_iter=80)
    assert n_iter[2] == 0
    assert error[2] < 1e-5
    assert torch.equal(solution[[0, 1, 3]], alone[0])
    assert torch.equal(n_iter[[0, 1, 3]], alone[2])


def test_swaps_after_retrieval_are_better_than_either():
    labels = blobs(8, (32, 32))
    target = target_of(labels, cutoff=8)
    start = starting_labels(None, target, 1, 0).long()
    error = {m: solve(target, start, method=m, tol=0.0, max_iter=40)[1].mean() for m in METHODS}
    assert error["auto"] < error["retrieval"]
    assert error["auto"] < error["swaps"]
