"""Correlations with the complementary phase by subtraction, compared with those from its Fourier transform."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from matvae.stats import correlate, two_point_stats
from matvae.stats.complement import complement_follows

ALL_OF_THREE = tuple((i, j) for i in range(3) for j in range(i, 3))


def by_transform(fields: torch.Tensor, pairs, **options) -> torch.Tensor:
    complement = 1 - fields.sum(1, keepdim=True)
    return correlate(torch.cat([fields, complement], dim=1), pairs, **options)


def random_fractions(shape: tuple[int, ...], n_states: int) -> torch.Tensor:
    """Return random fractions of all states except the last, in double precision."""
    raw = torch.rand(2, n_states, *shape, dtype=torch.float64, generator=torch.manual_seed(0))
    return (raw / raw.sum(1, keepdim=True))[:, :-1]


@pytest.mark.parametrize("shape", [(6,), (7,), (6, 6), (5, 8), (4, 5, 6)])
@pytest.mark.parametrize(
    "pairs",
    [
        ALL_OF_THREE,
        tuple(product(range(3), range(3))),
        ((0, 0), (1, 0), (1, 1), (2, 0), (2, 2)),
        ((0, 0), (0, 1), (1, 2), (1, 1), (2, 1), (1, 2)),
        ((0, 0), (1, 1), (0, 2)),
        ((2, 2),),
        ((0, 1), (0, 2)),
    ],
)
def test_subtraction_equals_the_transform_of_the_complement(shape: tuple[int, ...], pairs) -> None:
    fields = random_fractions(shape, 3)
    expected = by_transform(fields, pairs)
    torch.testing.assert_close(correlate(fields, pairs), expected, atol=1e-14, rtol=0)


@pytest.mark.parametrize("cutoff", [0, 1, (2, 1)])
def test_subtraction_equals_the_transform_of_the_complement_within_a_cutoff(cutoff) -> None:
    fields = random_fractions((6, 5), 3)
    expected = by_transform(fields, ALL_OF_THREE, cutoff=cutoff)
    torch.testing.assert_close(correlate(fields, ALL_OF_THREE, cutoff=cutoff), expected, atol=1e-14, rtol=0)


def test_statistics_of_labels_of_four_phases_are_exact() -> None:
    labels = torch.randint(4, (3, 16, 10), generator=torch.manual_seed(0))
    pairs = tuple((i, j) for i in range(4) for j in range(i, 4))
    fields = torch.stack([labels == phase for phase in range(4)], dim=1)
    f = correlate(fields[:, :-1], pairs, indicator=True)
    pairs_of_voxels = f.double() * 160
    torch.testing.assert_close(pairs_of_voxels, pairs_of_voxels.round(), atol=2e-5, rtol=0)
    torch.testing.assert_close(f, correlate(fields, pairs, indicator=True), atol=1e-7, rtol=0)
    # At zero lag both voxels are in the same phase, and the phases add up to one.
    torch.testing.assert_close(f[:, 8, 5].sum(-1), torch.ones(3))


def test_the_complement_follows_from_all_pairs_of_the_other_states() -> None:
    assert complement_follows(ALL_OF_THREE, 2)
    assert complement_follows(((0, 0), (0, 1)), 1)
    assert complement_follows(((0, 0), (1, 0), (2, 0)), 2)
    assert not complement_follows(((0, 0), (0, 2)), 2)
    assert not complement_follows(((0, 0), (0, 1), (2, 2)), 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_discretised_states_that_sum_to_one_equal_their_transforms(dtype: torch.dtype) -> None:
    raw = torch.rand(3, 8, 6, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    states = (raw / raw.sum(-1, keepdim=True)).to(dtype)
    f = two_point_stats(states, state_axis=-1, correlations=ALL_OF_THREE)
    expected = correlate(states.movedim(-1, 1).double(), ALL_OF_THREE)
    tolerance = 1e-14 if dtype == torch.float64 else 1e-6
    torch.testing.assert_close(f.double(), expected, atol=tolerance, rtol=0)
    # States that do not sum to one have no complement.
    half = states / 2
    g = two_point_stats(half, state_axis=-1, correlations=ALL_OF_THREE)
    torch.testing.assert_close(g, f / 4, atol=1e-6 if dtype == torch.float32 else 1e-14, rtol=0)


def test_each_state_has_its_own_gradient() -> None:
    raw = torch.rand(1, 4, 2, dtype=torch.float64, generator=torch.manual_seed(0))
    states = (raw / raw.sum(-1, keepdim=True)).requires_grad_()
    pairs = ((0, 0), (0, 1), (1, 1))
    assert torch.autograd.gradcheck(
        lambda x: two_point_stats(x, spatial_dims=1, state_axis=-1, correlations=pairs), (states,)
    )
