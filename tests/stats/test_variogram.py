from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import block_size, surface_area, two_point_stats, variogram
from matvae.stats.surface import ISOTROPIC

from .samples import SHAPES, labels_of

WITH_NEIGHBOURS = [space for space in SHAPES if min(space) > 2]


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_it_counts_voxel_pairs_of_which_one_has_the_phase(space, periodic, masked):
    labels = labels_of(space, n=2)
    rng = np.random.default_rng(0)
    mask = (rng.random(labels.shape) < 0.9) if masked else np.ones(labels.shape, bool)
    values = variogram(labels, spatial_dims=len(space), periodic=periodic, mask=mask.astype(int) if masked else None)
    for sample, phase in np.ndindex(2, 3):
        inside = labels[sample] == phase
        for lag in itertools.product((-1, 0, 1), repeat=len(space)):
            differing = pairs = 0
            for voxel in itertools.product(*(range(n) for n in space)):
                other = tuple(x + r for x, r in zip(voxel, lag, strict=True))
                if periodic:
                    other = tuple(x % n for x, n in zip(other, space, strict=True))
                elif not all(0 <= x < n for x, n in zip(other, space, strict=True)):
                    continue
                if mask[sample][voxel] and mask[sample][other]:
                    pairs += 1
                    differing += inside[voxel] != inside[other]
            place = tuple(1 + r for r in lag)
            assert values[(sample, *place, phase)] == pytest.approx(differing / pairs / 2, abs=1e-6)


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
def test_of_a_periodic_structure_it_is_the_decrease_of_the_autocorrelation(space):
    labels = labels_of(space)
    options = {"spatial_dims": len(space), "cutoff": (1, 1, 2)[: len(space)]}
    f = two_point_stats(labels, correlations=[(0, 0), (1, 1), (2, 2)], **options)
    centre = f[(slice(None), *(slice(c, c + 1) for c in options["cutoff"]))]
    np.testing.assert_allclose(variogram(labels, **options), centre - f, atol=1e-6)


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("periodic", [True, False])
def test_the_specific_surface_is_its_mean_over_the_axes(space, periodic):
    labels = labels_of(space)
    values = variogram(labels, spatial_dims=len(space), periodic=periodic)
    along_axes = [
        values[(slice(None), *(2 if i == axis else 1 for i in range(len(space))))] for axis in range(len(space))
    ]
    expected = ISOTROPIC[len(space)] * np.mean(along_axes, axis=0)
    np.testing.assert_allclose(
        surface_area(labels, spatial_dims=len(space), periodic=periodic), expected, rtol=1e-5, atol=1e-7
    )


def test_a_checkerboard_differs_along_the_axes_and_not_along_the_diagonals():
    board = (np.indices((6, 6)).sum(0) % 2)[None]
    expected = [[0, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0]]
    for periodic in (True, False):
        np.testing.assert_allclose(variogram(board, periodic=periodic)[0, ..., 1], expected)


def test_diagonals_tell_an_inclined_interface_from_a_staircase_of_the_same_surface():
    """Both have as many voxel faces; n is the unit normal, and a pair at lag r crosses a share |r . n| of the area."""
    y, x = np.indices((40, 40))
    inclined = (x + y < 40).astype(int)[None]
    corner = ((x < 20) & (y < 20)).astype(int)[None]
    axes, diagonals = [], []
    for window in (inclined, corner):
        values = variogram(window, periodic=False)[0, ..., 1]
        axes.append(values[1, 2] + values[2, 1])
        diagonals.append(values[2, 2] + values[2, 0])
    assert axes[0] == pytest.approx(2 * axes[1], rel=0.05)
    # |r . n|: 2 and 0 along the diagonals of the inclined interface, 1 and 1 of one along an axis, in units of an axis.
    assert diagonals[0] / axes[0] == pytest.approx(1, rel=0.05)
    assert diagonals[1] / axes[1] == pytest.approx(2, rel=0.05)


def test_its_gradient_matches_finite_differences():
    fields = torch.rand(1, 4, 5, 2, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(4, 5, dtype=torch.float64)
    for options in ({"periodic": True}, {"periodic": False}, {"periodic": False, "mask": mask}, {"mask": mask}):

        def values(x: torch.Tensor, options=options) -> torch.Tensor:
            return variogram(x, state_axis=-1, **options)

        assert torch.autograd.gradcheck(values, fields)
        assert torch.autograd.gradgradcheck(values, fields)


@pytest.mark.parametrize("periodic", [True, False])
def test_small_blocks_take_all_phases_at_once_with_the_same_values_and_gradients(periodic):
    fields = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    mask = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(1))
    factors = torch.rand(2, 3, 3, 3, generator=torch.Generator().manual_seed(2))
    found = []
    for voxels in (1, 1 << 18):
        with block_size(voxels):
            g = variogram(fields, state_axis=1, periodic=periodic, mask=mask)
        found.append((g, *torch.autograd.grad((g * factors).sum(), fields)))
    for separate, together in zip(*found, strict=True):
        torch.testing.assert_close(together, separate, rtol=1e-6, atol=1e-7)


def test_phases_at_the_border_of_a_window_do_not_matter():
    window = np.zeros((1, 8, 8), int)
    window[:, :, 0] = 1
    values = variogram(window, periodic=False)[0, ..., 1]
    assert values[2, 1] == 0  # along the layer
    assert values[1, 2] == pytest.approx(1 / 7 / 2)


@pytest.mark.parametrize("cutoff", [None, 5])
def test_a_cutoff_is_required_and_must_fit(cutoff):
    with pytest.raises(InputError, match="cutoff"):
        variogram(np.zeros((1, 8, 8), int), phases=2, cutoff=cutoff)


def test_a_mask_without_neighbours_is_refused():
    mask = np.zeros((8, 8), int)
    mask[::2, ::2] = 1
    with pytest.raises(InputError, match="none at lag"):
        variogram(np.zeros((1, 8, 8), int), phases=2, mask=mask)
