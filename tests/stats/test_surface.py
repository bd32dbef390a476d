from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import surface_area, two_point_stats
from matvae.stats.surface import ISOTROPIC

from ..structures import one_hot
from .samples import SHAPES, labels_of

WITH_NEIGHBOURS = [space for space in SHAPES if min(space) > 2]


def ball(n: int, radius: float, shift: np.ndarray) -> np.ndarray:
    positions = np.indices((n,) * len(shift)) - (n - 1) / 2
    return (sum((x - s) ** 2 for x, s in zip(positions, shift, strict=True)) <= radius**2).astype(np.uint8)[None]


def flat(n: int, normal: tuple[float, ...]) -> np.ndarray:
    """Return a window with one flat interface through its centre."""
    positions = np.indices((n,) * len(normal)) - n / 2 + 0.5
    return (np.tensordot(normal, positions, 1) < 0.25).astype(np.uint8)[None]


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("size", [1.0, 0.25])
def test_the_surface_follows_from_the_slope_of_the_statistics_at_zero_lag(space, size):
    """Debye, Anderson & Brumberger, Journal of Applied Physics 28, 679 (1957), averaged over the axes."""
    labels = labels_of(space)
    f = two_point_stats(labels, spatial_dims=len(space), correlations=[(0, 0), (1, 1), (2, 2)], cutoff=1)
    centre = (slice(None), *[1] * len(space))
    slopes = []
    for axis in range(1, len(space) + 1):
        slopes.append((f[centre] - f[(*centre[:axis], 2, *centre[axis + 1 :])]) / size)
    expected = ISOTROPIC[len(space)] * np.mean(slopes, axis=0)
    np.testing.assert_allclose(surface_area(labels, spatial_dims=len(space), voxel_size=size), expected, rtol=1e-5)


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("periodic", [True, False])
def test_voxel_faces_equal_those_counted_one_by_one(space, periodic):
    labels = labels_of(space, n=2)
    sizes = [0.5, 2.0, 1.5][: len(space)]
    surface = surface_area(labels, spatial_dims=len(space), periodic=periodic, isotropic=False, voxel_size=sizes)
    for sample, phase in np.ndindex(2, 3):
        inside = labels[sample] == phase
        area = 0.0
        for axis, size in enumerate(sizes):
            faces = pairs = 0
            for voxel in itertools.product(*(range(n) for n in space)):
                neighbour = list(voxel)
                neighbour[axis] += 1
                if periodic or neighbour[axis] < space[axis]:
                    neighbour[axis] %= space[axis]
                    pairs += 1
                    faces += inside[voxel] != inside[tuple(neighbour)]
            area += faces / pairs / size
        assert surface[sample, phase] == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize(
    ("ndim", "radius", "tolerance"), [(2, 5, 0.09), (2, 10, 0.05), (2, 60, 0.01), (3, 5, 0.05), (3, 25, 0.005)]
)
def test_the_error_for_discs_and_spheres_decreases_with_their_size(ndim, radius, tolerance):
    rng = np.random.default_rng(0)
    n = 2 * radius + 4
    errors = []
    for _ in range(3 if radius == 25 else 20):
        size = radius + rng.uniform(-0.5, 0.5)
        X = ball(n, size, rng.uniform(-0.5, 0.5, ndim))
        true = {2: 2 * math.pi * size / n**2, 3: 4 * math.pi * size**2 / n**3}[ndim]
        surface = surface_area(X)[0]
        np.testing.assert_allclose(surface, true, rtol=tolerance)
        errors.append(surface[1] / true - 1)
        # The staircase of the voxels is longer by a factor of 4/pi, or 3/2.
        staircase = {2: 4 / math.pi, 3: 1.5}[ndim] * surface
        np.testing.assert_allclose(surface_area(X, isotropic=False)[0], staircase, rtol=1e-5)
    assert abs(np.mean(errors)) < tolerance / 4


@pytest.mark.parametrize("layers", [1, 3])
def test_faces_of_a_laminate_are_exact_and_the_isotropic_surface_is_low_by_a_known_factor(layers):
    for ndim, factor in ((1, 1.0), (2, math.pi / 4), (3, 2 / 3)):
        line = np.tile(np.repeat([1, 0], [2, 4]), layers)
        labels = np.broadcast_to(line, (1, *[5] * (ndim - 1), 6 * layers))
        true = 2 / 6
        np.testing.assert_allclose(surface_area(labels, spatial_dims=ndim, isotropic=False), true, rtol=1e-6)
        np.testing.assert_allclose(surface_area(labels, spatial_dims=ndim), factor * true, rtol=1e-6)


@pytest.mark.parametrize("normal", [(1, 0), (2, 1), (1, 1), (1, 0, 0), (1, 1, 0), (2, 1, 1), (1, 1, 1)])
def test_the_bias_of_a_flat_interface_is_as_documented(normal):
    n = 48
    unit = np.array(normal) / np.linalg.norm(normal)
    factor = {2: math.pi / 4, 3: 2 / 3}[len(unit)] * np.abs(unit).sum()
    # Keep the central part along the other axes, where the interface lies inside the window along the first.
    labels = flat(n, tuple(normal))[:, :, *[slice(n // 3, -n // 3)] * (len(unit) - 1)]
    true = 1 / (n * abs(unit[0]))
    assert surface_area(labels, periodic=False)[0, 1] == pytest.approx(factor * true, rel=0.06)
    assert 0.66 < factor < 1.16


def test_two_phases_share_their_surface_which_scales_with_the_voxel_size():
    labels = labels_of((8, 7), phases=2)
    surface = surface_area(labels)
    np.testing.assert_allclose(surface[:, 0], surface[:, 1], rtol=1e-6)
    np.testing.assert_allclose(surface_area(labels, voxel_size=0.5), 2 * surface, rtol=1e-6)
    np.testing.assert_array_equal(surface_area(np.zeros((2, 5, 5), np.uint8)), 0)


@pytest.mark.parametrize("per_sample", [True, False])
def test_pairs_with_a_masked_voxel_do_not_count(per_sample):
    labels = np.array([[0, 1, 1, 0, 1, 0]])
    mask = np.array([1, 1, 1, 1, 0, 1])
    surface = surface_area(labels, spatial_dims=1, periodic=False, mask=mask[None] if per_sample else mask)
    np.testing.assert_allclose(surface, 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(
        surface_area(labels, spatial_dims=1, mask=np.ones(6)), surface_area(labels, spatial_dims=1), rtol=1e-6
    )
    with pytest.raises(InputError, match="leaves none along axis 0"):
        surface_area(labels, spatial_dims=1, periodic=False, mask=np.array([1, 0, 1, 0, 1, 0]))


@pytest.mark.parametrize("periodic", [True, False])
def test_the_gradient_equals_finite_differences(periodic):
    X = torch.rand(2, 4, 3, 2, dtype=torch.float64, generator=torch.manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: surface_area(x, state_axis=-1, periodic=periodic, voxel_size=0.5), (X,))


def test_states_equal_labels_and_axes_of_a_single_voxel_are_refused():
    labels = labels_of((6, 5))
    np.testing.assert_allclose(surface_area(one_hot(labels, 3), state_axis=-1), surface_area(labels), rtol=1e-6)
    with pytest.raises(InputError, match="Remove the axis of a single voxel"):
        surface_area(labels_of((6, 1)), periodic=False)
    with pytest.raises(InputError, match="voxel_size must be one positive length"):
        surface_area(labels, voxel_size=-1)


def test_test_lines_along_each_axis_reveal_anisotropy():
    """Plates normal to the first axis: lines along it meet all interfaces, lines along the others none."""
    plates = np.tile(np.repeat([0, 1], 4)[:, None, None], (3, 8, 8))[None]
    voxel_size = (0.5, 1.0, 2.0)
    faces = [surface_area(plates, isotropic=False, axis=axis, voxel_size=voxel_size)[0, 1] for axis in range(3)]
    # One interface per four layers of 0.5.
    assert faces == pytest.approx([0.5, 0, 0])
    total = surface_area(plates, isotropic=False, voxel_size=voxel_size)[0, 1]
    assert sum(faces) == pytest.approx(total)
    lines = [surface_area(plates, axis=axis, voxel_size=voxel_size)[0, 1] for axis in range(3)]
    assert lines == pytest.approx([2 * 0.5, 0, 0])
    assert np.mean(lines) == pytest.approx(surface_area(plates, voxel_size=voxel_size)[0, 1])
    with pytest.raises(InputError, match="axis must be a spatial axis"):
        surface_area(plates, axis=3)
