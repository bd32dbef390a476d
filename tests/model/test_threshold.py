from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matvae.model import fixed_threshold_labels, straight_shares, volume_fraction_labels


def by_hand(fractions):
    """Label the voxels one by one, in plain Python and double precision."""
    out = []
    for sample in fractions.double().flatten(2).numpy():
        n_phases, n_voxels = sample.shape
        ends = np.append(np.round(np.cumsum(sample.sum(1)))[:-1], n_voxels).astype(int)
        counts = np.diff(ends, prepend=0)
        labels, free = [0] * n_voxels, set(range(n_voxels))
        for phase in range(1, n_phases):
            rest = sample[0] + sample[phase:].sum(0)
            ranked = sorted(free, key=lambda x: (-(sample[phase, x] / max(rest[x], 1e-12)), x))
            for x in ranked[: counts[phase]]:
                labels[x] = phase
                free.discard(x)
        out.append(labels)
    return np.array(out).reshape(len(out), *fractions.shape[2:])


@st.composite
def soft_structures(draw):
    phases = draw(st.integers(2, 5))
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    seed = draw(st.integers(0, 2**31))
    sharpness = draw(st.sampled_from([0.1, 1.0, 5.0, 50.0]))
    raw = torch.randn(2, phases, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (sharpness * raw).softmax(1)


@settings(max_examples=150, deadline=None)
@given(soft_structures())
def test_the_voxel_count_of_every_phase_is_the_sum_of_its_fractions(fractions):
    labels = volume_fraction_labels(fractions)
    assert labels.dtype == torch.uint8
    assert labels.shape == (2, *fractions.shape[2:])
    phases = fractions.shape[1]
    for s in range(2):
        counts = torch.bincount(labels[s].flatten().long(), minlength=phases).double()
        sums = fractions[s].flatten(1).sum(1)
        assert counts.sum() == labels[s].numel()
        # Cumulative counts are the rounded cumulative sums; a single count is within one voxel of its sum.
        torch.testing.assert_close(counts.cumsum(0)[:-1], sums.cumsum(0)[:-1].round(), rtol=0, atol=0)
        assert ((counts - sums).abs() <= 1.0 + 1e-9).all()
        if phases == 2:
            assert abs(counts[1] - sums[1]) <= 0.5 + 1e-9
    np.testing.assert_array_equal(labels.numpy(), by_hand(fractions))


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.integers(0, 2**31))
def test_labels_are_recovered_from_their_indicators(phases, seed):
    labels = torch.randint(phases, (3, 4, 5), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    fractions = torch.stack([labels == h for h in range(phases)], 1).float()
    assert torch.equal(volume_fraction_labels(fractions), labels)
    assert torch.equal(fixed_threshold_labels(fractions, 0.5), labels)


def test_the_earlier_voxel_wins_a_tie():
    fractions = torch.full((1, 2, 6), 0.5)
    assert volume_fraction_labels(fractions).tolist() == [[1, 1, 1, 0, 0, 0]]
    thirds = torch.full((1, 3, 6), 1 / 3)
    assert volume_fraction_labels(thirds).tolist() == [[1, 1, 2, 2, 0, 0]]


def test_rounding_does_not_amplify_a_negligible_share():
    # In float32, one minus the fraction of phase 1 is zero in the first voxel, although a trace of phase 2 is left.
    fractions = torch.tensor([[[1e-8, 1e-8, 0.6, 0.4], [1.0, 1.0, 0.0, 0.0], [1e-7, 1e-7, 0.4, 0.6]]])
    fractions[:, 1, 1] = 0.3
    fractions[:, 0, 1] = 0.7
    assert volume_fraction_labels(fractions)[0, 3] == 2


def test_fractions_that_sum_to_slightly_more_than_one_are_accepted():
    fractions = torch.tensor([[[1.2, 1.2, 1.2], [0.0, 0.0, 0.0]]])
    assert volume_fraction_labels(fractions).tolist() == [[0, 0, 0]]


def test_the_fixed_threshold_follows_equation_3_of_the_paper():
    two = torch.tensor([[[0.96, 0.94, 0.5, 0.0], [0.04, 0.06, 0.5, 1.0]]])
    assert fixed_threshold_labels(two, 0.05).tolist() == [[0, 1, 1, 1]]
    three = torch.tensor([[[0.4, 0.6, 0.1], [0.35, 0.1, 0.2], [0.25, 0.3, 0.7]]])
    labels = fixed_threshold_labels(three, 0.5)
    assert labels.tolist() == [[1, 0, 2]]
    assert labels.dtype == torch.uint8


@pytest.mark.parametrize("value", [0.05, 0.25, 0.5])
def test_a_voxel_at_the_threshold_is_phase_zero(value):
    at = torch.tensor([[[1 - value], [value]]])
    assert fixed_threshold_labels(at, float(at[0, 1, 0])).tolist() == [[0]]


def straight_by_hand(fractions, periodic):
    """Compute the shares voxel by voxel, from the largest mean over the segments centred on each voxel."""
    values = fractions.numpy()
    out = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        if index[1] == 0:
            continue
        means = []
        for axis in range(2, values.ndim):
            n = values.shape[axis]
            reach = n // 16
            around = np.arange(index[axis] - reach, index[axis] + reach + 1)
            around = around % n if periodic else around[(around >= 0) & (around < n)]
            line = values[(*index[:axis], slice(None), *index[axis + 1 :])]
            means.append(line[around].mean())
        out[index] = np.sqrt(values[index]) * max(means)
    out[:, 0] = np.clip(1 - out.sum(1), 0, None)
    return out


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("phases", "shape"), [(2, (33, 18)), (3, (17, 20)), (2, (40,)), (2, (16, 17, 3))])
def test_straight_shares_equal_those_of_a_loop(phases, shape, periodic):
    raw = torch.randn(2, phases, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fractions = raw.softmax(1)
    shares = straight_shares(fractions, periodic=periodic)
    np.testing.assert_allclose(shares.numpy(), straight_by_hand(fractions, periodic), atol=1e-12)


def test_a_faint_line_with_gaps_is_preferred_to_stronger_spots_at_the_same_volume_fraction():
    solid = torch.zeros(1, 64, 64)
    solid[0, 20, 10:50] = 0.6
    solid[0, 20, 14:50:6] = 0.2
    spots = [(5, 8), (12, 55), (40, 30), (50, 9), (58, 44), (33, 60), (45, 50)]
    for y, x in spots:
        solid[0, y, x] = 0.7
    fractions = torch.stack([1 - solid, solid], dim=1)
    plain = volume_fraction_labels(fractions)
    straight = volume_fraction_labels(fractions, straight_shares(fractions, periodic=True))
    assert plain.sum() == straight.sum()
    assert abs(straight.sum() - solid.sum()) <= 0.5
    assert all(plain[0, y, x] == 1 for y, x in spots)
    assert straight[0, 20].sum() == straight.sum()
    assert not any(straight[0, y, x] for y, x in spots)
