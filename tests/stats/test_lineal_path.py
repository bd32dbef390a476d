from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import lineal_path, lineal_path_lengths, two_point_stats, volume_fractions

from ..structures import one_hot
from .samples import SHAPES, labels_of


def slow_path(inside: np.ndarray, axis: int, periodic: bool, weights: np.ndarray) -> np.ndarray:
    """Compute the lineal path of one structure, segment by segment."""
    n = inside.shape[axis]
    lines = np.moveaxis(inside * weights, axis, -1).reshape(-1, n)
    line_weights = np.moveaxis(weights, axis, -1).reshape(-1, n)
    values = []
    for z in range(n):
        in_phase = total = 0.0
        for line, weight in zip(lines, line_weights, strict=True):
            for start in range(n if periodic else n - z):
                voxels = [(start + k) % n for k in range(z + 1)]
                in_phase += np.prod(line[voxels])
                total += np.prod(weight[voxels])
        values.append(in_phase / total)
    return np.array(values)


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("mask", [None, "shared", "per sample"])
@pytest.mark.parametrize("form", ["labels", "states"])
def test_the_lineal_path_equals_that_of_a_loop_over_segments(space, periodic, mask, form):
    labels = labels_of(space, n=3)
    weights = np.random.default_rng(1).uniform(0.3, 1, labels.shape)
    weights = {None: np.ones_like(weights), "shared": np.broadcast_to(weights[0], labels.shape)}.get(mask, weights)
    mask_argument = None if mask is None else weights[0] if mask == "shared" else weights
    X, options = (labels, {"phases": 3}) if form == "labels" else (one_hot(labels, 3), {"state_axis": -1})
    paths = []
    for axis, n in enumerate(space):
        path = lineal_path(X, spatial_dims=len(space), periodic=periodic, axis=axis, mask=mask_argument, **options)
        assert path.shape == (3, n, 3)
        for sample, phase in np.ndindex(3, 3):
            expected = slow_path(labels[sample] == phase, axis, periodic, weights[sample])
            np.testing.assert_allclose(path[sample, :, phase], expected, atol=1e-6)
        paths.append(path[:, : min(space)])
    averaged = lineal_path(X, spatial_dims=len(space), periodic=periodic, mask=mask_argument, **options)
    np.testing.assert_allclose(averaged, np.mean(paths, axis=0), atol=1e-6)


def test_length_zero_gives_the_volume_fraction_and_length_one_the_statistics_of_neighbours():
    labels = labels_of((8, 7))
    path = lineal_path(labels, axis=1)
    np.testing.assert_allclose(path[:, 0], volume_fractions(labels), atol=1e-6)
    f = two_point_stats(labels, correlations=[(0, 0), (1, 1), (2, 2)], cutoff=(0, 1))
    np.testing.assert_allclose(path[:, 1], f[:, 0, 2], atol=1e-6)


def test_the_lineal_path_of_independent_voxels_is_a_power_of_the_volume_fraction():
    labels = (np.random.default_rng(0).random((8, 128, 128)) < 0.7).astype(np.uint8)
    for periodic in (True, False):
        path = lineal_path(labels, cutoff=8, periodic=periodic).mean(0)
        z = np.arange(9)
        np.testing.assert_allclose(path[:, 1], 0.7 ** (z + 1), atol=0.005)
        np.testing.assert_allclose(path[:, 0], 0.3 ** (z + 1), atol=0.005)


def test_a_checkerboard_has_no_segment_longer_than_a_cell():
    cells = np.kron(np.indices((4, 4)).sum(0) % 2, np.ones((3, 3), int))[None]
    expected = [3 / 6, 2 / 6, 1 / 6, *[0] * 9]
    np.testing.assert_allclose(lineal_path(cells)[0], np.transpose([expected, expected]), atol=1e-7)


def test_segments_along_the_layers_of_a_laminate_may_have_any_length():
    layers = np.tile([1, 1, 0, 0, 0, 0], (12, 2))[None]
    np.testing.assert_allclose(lineal_path(layers, axis=0)[0, :, 1], 1 / 3, atol=1e-7)
    np.testing.assert_allclose(lineal_path(layers, axis=1)[0, :4, 1], [2 / 6, 1 / 6, 0, 0], atol=1e-7)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_the_gradient_equals_finite_differences(periodic, masked):
    generator = torch.manual_seed(0)
    X = torch.rand(2, 3, 4, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    mask = torch.rand(3, 4, dtype=torch.float64, generator=generator).add(0.1).clamp_max(1) if masked else None
    assert torch.autograd.gradcheck(lambda x: lineal_path(x, state_axis=-1, periodic=periodic, mask=mask), (X,))


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("form", ["labels", "states", "masked"])
def test_voxels_that_are_not_cubes_are_those_of_a_finer_grid_of_cubes(periodic, axis, form):
    """A voxel of 1 x 0.5 is two cubes of 0.5: L is the same at all lengths, interpolated or not."""
    labels = labels_of((7, 12), n=3)
    cubes = np.repeat(labels, 2, axis=1)
    options = {"phases": 3, "periodic": periodic, "axis": axis}
    if form == "states":
        labels, options = one_hot(labels, 3), {"state_axis": -1, "periodic": periodic, "axis": axis}
    masks = {"mask": np.ones((7, 12))} if form == "masked" else {}
    path = lineal_path(labels, voxel_size=(1.0, 0.5), **masks, **options)
    fine = lineal_path(cubes, voxel_size=0.5, phases=3, periodic=periodic, axis=axis)
    lengths = lineal_path_lengths((7, 12), axis=axis, voxel_size=(1.0, 0.5))
    assert lengths.tolist() == pytest.approx(
        {None: np.arange(0, 5.6, 0.5), 0: np.arange(7.0), 1: np.arange(0, 5.6, 0.5)}[axis].tolist()
    )
    assert path.shape == (3, len(lengths), 3)
    indices = (2 * lengths).round().astype(int)
    np.testing.assert_allclose(path, fine[:, indices], atol=1e-6)


def test_layers_are_as_thick_whatever_the_edges_of_a_voxel():
    """Layers of 6 um in a period of 18 um, normal to y with voxels of 3 um and to x with voxels of 1 um."""
    across_y = np.tile(np.repeat([1, 0, 0], 2)[:, None], (2, 36))[None]
    across_x = np.tile(np.repeat([1, 0, 0], 6), (12, 2))[None]
    lengths = lineal_path_lengths((12, 36), voxel_size=(3.0, 1.0))
    assert lengths.tolist() == list(range(34))
    paths = [lineal_path(X, voxel_size=(3.0, 1.0))[0, :, 1] for X in (across_y, across_x)]
    expected = (1 / 3 + np.maximum(6 - lengths, 0) / 18) / 2
    for path in paths:
        np.testing.assert_allclose(path, expected, atol=1e-6)


def test_lengths_along_axes_of_different_voxels_are_merged_up_to_a_cutoff():
    lengths = partial(lineal_path_lengths, (4, 9), voxel_size=(0.3, 0.2))
    assert lengths().tolist() == pytest.approx([0, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9])
    assert lengths(cutoff=2).tolist() == pytest.approx([0, 0.2, 0.3, 0.4])
    assert lengths(cutoff=2, axis=0).tolist() == pytest.approx([0, 0.3, 0.6])
    assert lineal_path(labels_of((4, 9), n=2), cutoff=2, voxel_size=(0.3, 0.2)).shape == (2, 4, 3)
    with pytest.raises(InputError, match="room for 0 to 4 voxels"):
        lengths(cutoff=5)
    with pytest.raises(InputError, match="voxel_size must be one positive length"):
        lineal_path(labels_of((4, 9)), voxel_size=(1, 2, 3))


def test_invalid_lengths_and_axes_are_refused():
    labels = labels_of((6, 4))
    assert lineal_path_lengths((6, 4)).tolist() == [0, 1, 2, 3]
    assert lineal_path_lengths((6, 4), axis=0).tolist() == [0, 1, 2, 3, 4, 5]
    assert lineal_path(labels, cutoff=2).shape == (4, 3, 3)
    with pytest.raises(InputError, match="Segments along the chosen axes have room for 0 to 3 voxels"):
        lineal_path(labels, cutoff=4)
    with pytest.raises(InputError, match="axis must be a spatial axis"):
        lineal_path(labels, axis=2)
    with pytest.raises(InputError, match="periodic must be True or False"):
        lineal_path(labels, periodic="yes")
    with pytest.raises(InputError, match="none for a run of 3 voxels"):
        lineal_path(labels, axis=1, mask=np.array([1, 1, 0, 1] * 6).reshape(6, 4), periodic=False)
