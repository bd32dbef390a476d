from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.moduli import Moduli

from ..structures import blobs
from .structures import target_of

EVERY = [(shape, phases) for shape in ((16,), (9, 8), (5, 6, 4)) for phases in (2, 3, 5)]


def embedded(fields: torch.Tensor, moduli: Moduli) -> torch.Tensor:
    """Fields padded with zeros to the grid of the transform."""
    padded = fields.new_zeros(*fields.shape[:2], *moduli.shape)
    padded[(..., *(slice(n) for n in fields.shape[2:]))] = fields
    return padded


def noise_like(labels: np.ndarray, phases: int, moduli: Moduli) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(len(labels), phases, *moduli.shape, generator=generator)


@pytest.mark.parametrize(("shape", "phases"), EVERY)
def test_the_projection_is_idempotent(shape, phases):
    labels = blobs(3, shape, phases)
    moduli = Moduli(target_of(labels, phases))
    once = moduli(noise_like(labels, phases, moduli))
    np.testing.assert_allclose(moduli(once), once, atol=2e-5)


@pytest.mark.parametrize(("shape", "phases"), EVERY)
@pytest.mark.parametrize("periodic", [True, False])
def test_a_structure_with_the_statistics_is_unchanged(shape, phases, periodic):
    labels = blobs(3, shape, phases)
    target = target_of(labels, phases, periodic)
    moduli = Moduli(target)
    fields = embedded(indicators(torch.from_numpy(labels), phases), moduli)[:, 1:]
    np.testing.assert_allclose(
        moduli(embedded(indicators(torch.from_numpy(labels), phases), moduli))[:, 1:], fields, atol=2e-4
    )


@pytest.mark.parametrize(("shape", "phases"), EVERY)
def test_projected_fields_have_the_statistics(shape, phases):
    labels = blobs(3, shape, phases)
    target = target_of(labels, phases)
    moduli = Moduli(target)
    near = moduli(noise_like(labels, phases, moduli))
    np.testing.assert_allclose(target.of(near), target.statistics, atol=2e-5)
    np.testing.assert_allclose(near.sum(1), 1.0, atol=1e-5)


def test_no_field_with_the_statistics_is_nearer():
    """Compare with other fields of the same moduli: projections of random fields, and shifted structures."""
    labels = blobs(1, (12, 12))
    moduli = Moduli(target_of(labels))
    start = noise_like(labels, 2, moduli)
    least = (moduli(start)[:, 1] - start[:, 1]).norm()
    generator = torch.Generator().manual_seed(2)
    for _ in range(50):
        other = moduli(torch.rand(start.shape, generator=generator))
        assert (other[:, 1] - start[:, 1]).norm() >= least
    for shift in range(12):
        assert (torch.from_numpy(labels).roll(shift, 1) - start[:, 1]).norm() >= least


@pytest.mark.parametrize("cutoff", [3, (2, 4)])
def test_lags_beyond_the_cutoff_are_not_constrained(cutoff):
    """A structure with these statistics is a fixed point, and so is a shifted one."""
    labels = blobs(2, (14, 13))
    moduli = Moduli(target_of(labels, cutoff=cutoff))
    fields = indicators(torch.from_numpy(labels), 2)
    np.testing.assert_allclose(moduli(fields), fields, atol=2e-4)
    moved = fields.roll(3, 2)
    np.testing.assert_allclose(moduli(moved), moved, atol=2e-4)


def test_correlations_that_are_not_specified_are_not_constrained():
    labels = blobs(2, (14, 13), 3)
    moduli = Moduli(target_of(labels, 3, correlations=[(1, 1), (2, 2)]))
    fields = indicators(torch.from_numpy(labels), 3)
    np.testing.assert_allclose(moduli(fields), fields, atol=2e-4)


def test_a_pair_may_be_named_in_either_order():
    labels = blobs(2, (9, 8), 3)
    first = Moduli(target_of(labels, 3, correlations=[(1, 1), (1, 2), (2, 2)]))
    second = Moduli(target_of(labels, 3, correlations=[(1, 1), (2, 1), (2, 2)]))
    start = noise_like(labels, 3, first)
    np.testing.assert_allclose(first(start), second(start), atol=1e-5)


def test_selected_samples_are_projected_as_before():
    labels = blobs(4, (9, 8), 3)
    target = target_of(labels, 3)
    moduli = Moduli(target)
    start = noise_like(labels, 3, moduli)
    whole = moduli(start)
    some = torch.tensor([1, 3])
    moduli.keep(some)
    np.testing.assert_allclose(moduli(start[some]), whole[some], atol=1e-6)
