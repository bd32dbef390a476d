from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import chord_length_distribution, chord_lengths, get_statistic, lineal_path

from ..structures import one_hot
from .samples import SHAPES, labels_of

WITH_ROOM = [space for space in SHAPES if min(space) > 2]


def chords_of(line: np.ndarray, periodic: bool) -> list[int]:
    """List the lengths of the runs of True that have False at both ends."""
    n = len(line)
    if periodic:
        if line.all():
            return []
        line = np.roll(line, -int(np.argmin(line)))
        line = np.append(line, False)
    runs = [(inside, len(list(group))) for inside, group in itertools.groupby(line)]
    whole = runs[:-1] if periodic else runs[1:-1]
    return [length for inside, length in whole if inside and length < n]


def counts_of(structure: np.ndarray, axis: int, periodic: bool) -> np.ndarray:
    """Count the chords of length 0, 1, ..., N along an axis."""
    lines = np.moveaxis(structure, axis, -1).reshape(-1, structure.shape[axis])
    lengths = [length for line in lines for length in chords_of(line, periodic)]
    return np.bincount(np.array(lengths, int), minlength=structure.shape[axis] + 1)


def array_and_options(labels: np.ndarray, form: str) -> tuple[np.ndarray, dict[str, int]]:
    return (labels, {"phases": 3}) if form == "labels" else (one_hot(labels, 3), {"state_axis": -1})


@pytest.mark.parametrize("space", [space for space in SHAPES if min(space) > 1])
@pytest.mark.parametrize("form", ["labels", "states"])
def test_periodic_chords_equal_those_counted_one_by_one(space, form):
    labels = labels_of(space, n=3)
    X, options = array_and_options(labels, form)
    for axis in range(len(space)):
        distribution = chord_length_distribution(X, spatial_dims=len(space), axis=axis, **options)
        for sample, phase in np.ndindex(3, 3):
            counts = counts_of(labels[sample] == phase, axis, True)[1 : space[axis]]
            np.testing.assert_allclose(distribution[sample, :, phase], counts / max(counts.sum(), 1), atol=1e-6)
    combined = chord_length_distribution(X, spatial_dims=len(space), **options)
    assert combined.shape[1] == max(space) - 1
    for sample, phase in np.ndindex(3, 3):
        expected = np.zeros(max(space) - 1)
        for axis, n in enumerate(space):
            expected[: n - 1] += counts_of(labels[sample] == phase, axis, True)[1:n]
        np.testing.assert_allclose(combined[sample, :, phase], expected / max(expected.sum(), 1), atol=1e-6)


@pytest.mark.parametrize("space", [space for space in SHAPES if min(space) > 1])
def test_periodic_distributions_are_second_differences_of_the_lineal_path(space):
    """Torquato & Lu, Physical Review E 47, 2950 (1993)."""
    labels = labels_of(space)
    for axis, n in enumerate(space):
        path = lineal_path(labels, spatial_dims=len(space), axis=axis)
        path = np.concatenate([path, path[:, -1:]], axis=1)
        ends = path[:, :1] - path[:, 1:2]
        expected = np.diff(path, 2, axis=1) / np.where(ends > 0, ends, 1)
        distribution = chord_length_distribution(labels, spatial_dims=len(space), axis=axis)
        assert distribution.shape == (4, n - 1, 3)
        np.testing.assert_allclose(distribution, expected, atol=1e-5)


@pytest.mark.parametrize("space", WITH_ROOM)
@pytest.mark.parametrize("form", ["labels", "states"])
def test_chords_in_windows_are_divided_by_the_number_of_positions_at_which_they_fit(space, form):
    labels = labels_of(space, n=3)
    X, options = array_and_options(labels, form)
    for axis, n in enumerate(space):
        distribution = chord_length_distribution(X, spatial_dims=len(space), axis=axis, periodic=False, **options)
        k = np.arange(1, n - 1)
        for sample, phase in np.ndindex(3, 3):
            inside = np.moveaxis(labels[sample] == phase, axis, -1).reshape(-1, n)
            ends = (inside[:, 1:] != inside[:, :-1]).mean() / 2
            densities = counts_of(labels[sample] == phase, axis, False)[1 : n - 1] / (n - k - 1) / len(inside)
            np.testing.assert_allclose(distribution[sample, :, phase], densities / (ends or 1), atol=1e-6)


def test_windows_at_all_positions_give_the_distribution_of_the_periodic_structure():
    """Counting the pieces cut by the edges would bias the distribution towards short chords instead."""
    ring = (np.random.default_rng(0).random(60) < 0.7).astype(np.uint8)
    rows = np.stack([np.roll(ring, -start)[:12] for start in range(60)])
    distribution = chord_length_distribution(rows[None], axis=1, periodic=False)
    np.testing.assert_allclose(
        distribution, chord_length_distribution(ring[None], spatial_dims=1, cutoff=10), atol=1e-6
    )
    pieces = [len(list(group)) for row in rows for inside, group in itertools.groupby(row) if inside]
    lengths = np.arange(1, 60)
    assert np.mean(pieces) < 0.85 * lengths @ chord_length_distribution(ring[None], spatial_dims=1)[0, :, 1]


def test_independent_voxels_have_a_geometric_distribution():
    labels = (np.random.default_rng(0).random((1, 512, 512)) < 0.6).astype(np.uint8)
    k = np.arange(1, 9)
    for periodic in (True, False):
        distribution = chord_length_distribution(labels, periodic=periodic)[0, :8]
        np.testing.assert_allclose(distribution[:, 1], 0.6 ** (k - 1) * 0.4, atol=0.005)
        np.testing.assert_allclose(distribution[:, 0], 0.4 ** (k - 1) * 0.6, atol=0.005)


def test_all_chords_of_a_checkerboard_are_as_long_as_a_cell():
    cells = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((3, 3), int))[None]
    for periodic in (True, False):
        distribution = chord_length_distribution(cells, cutoff=5, periodic=periodic)[0]
        assert distribution[2] == pytest.approx(1, abs=0.2)
        np.testing.assert_array_equal(np.delete(distribution, 2, axis=0), 0)
    assert chord_length_distribution(cells)[0, 2].tolist() == [1, 1]


def test_a_laminate_has_chords_across_its_layers_only():
    layers = np.tile([1, 1, 0, 0, 0, 0], (12, 2))[None]
    assert not chord_length_distribution(layers, axis=0).any()
    for axis in (1, None):
        distribution = chord_length_distribution(layers, axis=axis)[0]
        assert np.flatnonzero(distribution[:, 1]).tolist() == [1]
        assert np.flatnonzero(distribution[:, 0]).tolist() == [3]
        assert distribution.sum(0).tolist() == [1, 1]


def test_a_cutoff_does_not_change_the_values_it_keeps():
    labels = labels_of((8, 7))
    for periodic in (True, False):
        whole = chord_length_distribution(labels, periodic=periodic)
        with pytest.warns(UserWarning, match="longer than the cutoff of 2 voxels"):
            short = chord_length_distribution(labels, periodic=periodic, cutoff=2)
        np.testing.assert_array_equal(short, whole[:, :2])


def test_a_full_mask_changes_nothing_and_a_hole_hides_chords():
    labels = np.array([[0, 1, 0, 0, 1, 1, 0, 0]])
    whole = chord_length_distribution(labels, spatial_dims=1, periodic=False, cutoff=2)
    full = chord_length_distribution(labels, spatial_dims=1, periodic=False, cutoff=2, mask=np.ones(8))
    np.testing.assert_allclose(full, whole, atol=1e-6)
    mask = np.array([1, 1, 0, 1, 1, 1, 1, 1])
    # Of five pairs of neighbours, two are the ends of the long chord and one is the visible end of the hidden one.
    distribution = chord_length_distribution(labels, spatial_dims=1, periodic=False, cutoff=2, mask=mask)[0, :, 1]
    np.testing.assert_allclose(distribution, [0, (1 / 2) / (3 / 2 / 5)], atol=1e-6)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_the_gradient_equals_finite_differences(periodic, masked):
    generator = torch.manual_seed(0)
    X = torch.rand(2, 4, 4, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    mask = torch.rand(4, 4, dtype=torch.float64, generator=generator).add(0.1).clamp_max(1) if masked else None
    assert torch.autograd.gradcheck(
        lambda x: chord_length_distribution(x, state_axis=-1, periodic=periodic, mask=mask), (X,)
    )


def test_a_phase_without_chords_has_a_finite_gradient():
    X = torch.zeros(1, 5, 5, requires_grad=True)
    distribution = chord_length_distribution(X)
    assert not distribution.any()
    distribution.sum().backward()
    assert X.grad is not None
    assert bool(torch.isfinite(X.grad).all())


def test_windows_too_small_for_a_chord_are_refused():
    assert chord_lengths((6, 4)).tolist() == [1, 2, 3, 4, 5]
    assert chord_lengths((6, 4), periodic=False).tolist() == [1, 2, 3, 4]
    assert chord_lengths((6, 4), periodic=False, axis=1).tolist() == [1, 2]
    with pytest.raises(InputError, match="no length at all"):
        chord_length_distribution(labels_of((6, 2)), periodic=False)
    with pytest.raises(InputError, match="1 to 5 voxels"):
        chord_length_distribution(labels_of((6, 4)), cutoff=6)


def test_no_chord_of_an_oblong_structure_is_lost():
    """Stripes of 40 voxels in 20 x 320 voxels are longer than the shortest side."""
    stripes = np.tile(np.repeat([0, 1], 40), (20, 4))[None]
    for axis in (1, None):
        p = chord_length_distribution(stripes, axis=axis)[0]
        assert p.shape == (319, 2)
        assert p[39].tolist() == [1, 1]
        assert p.sum(0).tolist() == [1, 1]


def test_mean_chords_of_a_random_structure_are_four_times_the_volume_per_surface():
    """Along an axis, the mean chord is the volume fraction over the number of chords per length of line."""
    labels = (np.random.default_rng(0).random((1, 12, 200)) < 0.5).astype(np.uint8)
    labels[0, :, 50:110] = 1
    for axis, n in ((0, 12), (1, 200)):
        p = chord_length_distribution(labels, axis=axis)[0, :, 1]
        assert p.sum() == pytest.approx(1, abs=1e-5)
        inside = np.moveaxis(labels[0], axis, -1) == 1
        lines = inside[~inside.all(axis=1)]
        starts = (lines & ~np.roll(lines, 1, axis=1)).sum()
        assert p @ np.arange(1, n) == pytest.approx(lines.sum() / starts, rel=1e-5)


def test_chords_of_a_ball_have_its_length_whatever_the_voxels():
    """The mean chord of a ball is 4/3 of its radius (Cauchy), here 8 in voxels of 2 x 0.5 x 0.5."""
    voxel_size = (2.0, 0.5, 0.5)
    positions = np.meshgrid(
        *((np.arange(n) - (n - 1) / 2) * size for n, size in zip((16, 64, 64), voxel_size, strict=True)), indexing="ij"
    )
    ball = (sum(x * x for x in positions) < 64).astype(int)[None]
    for axis in (0, 1, None):
        p = chord_length_distribution(ball, axis=axis, voxel_size=voxel_size)[0, :, 1]
        lengths = chord_lengths((16, 64, 64), axis=axis, voxel_size=voxel_size)
        assert p.sum() == pytest.approx(1, abs=1e-5)
        assert p @ lengths == pytest.approx(4 / 3 * 8, rel=0.03)
        assert lengths[p > 0].max() == pytest.approx(16, abs=1)


def test_lengths_along_axes_of_different_voxels_are_merged():
    assert chord_lengths((4, 5), voxel_size=(0.3, 0.1)).tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
    assert chord_lengths((4, 4), voxel_size=0.5).tolist() == [0.5, 1, 1.5]
    # Two chords of one voxel each per line of 8: along y these are twice as long, and half as many per length of line.
    board = np.indices((8, 8)).sum(0)[None] % 2
    p = chord_length_distribution(board, voxel_size=(2.0, 1.0))[0, :, 1]
    lengths = chord_lengths((8, 8), voxel_size=(2.0, 1.0))
    assert p[lengths == 1] == pytest.approx(2 / 3)
    assert p[lengths == 2] == pytest.approx(1 / 3)
    coordinates = get_statistic("chord_length").coordinates((8, 8), ("y", "x"), voxel_size=(2.0, 1.0))
    np.testing.assert_array_equal(coordinates["length"], lengths)


def test_a_cutoff_that_leaves_out_chords_says_so():
    stripes = np.tile(np.repeat([0, 1], 8), (4, 2))[None]
    with pytest.warns(UserWarning, match=r"cutoff of 5 voxels are left out: 100.0 % .* up to 8 voxels"):
        chord_length_distribution(stripes, cutoff=5)
