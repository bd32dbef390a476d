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
    places = np.indices((n,) * len(shift)) - (n - 1) / 2
    return (sum((x - s) ** 2 for x, s in zip(places, shift, strict=True)) <= radius**2).astype(np.uint8)[None]


def flat(n: int, normal: tuple[float, ...]) -> np.ndarray:
    """A window with one flat interface through its middle."""
    places = np.indices((n,) * len(normal)) - n / 2 + 0.5
    return (np.tensordot(normal, places, 1) < 0.25).astype(np.uint8)[None]


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("size", [1.0, 0.25])
def test_it_is_the_slope_of_the_statistics_at_zero_lag(space, size):
    """Debye, Anderson & Brumberger, Journal of Applied Physics 28, 679 (1957), averaged over the axes."""
    labels = labels_of(space)
    f = two_point_stats(labels, correlations=[(0, 0), (1, 1), (2, 2)], cutoff=1)
    middle = (slice(None), *[1] * len(space))
    slopes = []
    for axis in range(1, len(space) + 1):
        slopes.append((f[middle] - f[(*middle[:axis], 2, *middle[axis + 1 :])]) / size)
    expected = ISOTROPIC[len(space)] * np.mean(slopes, axis=0)
    np.testing.assert_allclose(surface_area(labels, voxel_size=size), expected, rtol=1e-5)


@pytest.mark.parametrize("space", WITH_NEIGHBOURS)
@pytest.mark.parametrize("periodic", [True, False])
def test_faces_are_counted_one_by_one(space, periodic):
    labels = labels_of(space, n=2)
    sizes = [0.5, 2.0, 1.5][: len(space)]
    found = surface_area(labels, periodic=periodic, isotropic=False, voxel_size=sizes)
    for sample, phase in np.ndindex(2, 3):
        inside = labels[sample] == phase
        area = 0.0
        for axis, size in enumerate(sizes):
            faces = pairs = 0
            for place in itertools.product(*(range(n) for n in space)):
                there = list(place)
                there[axis] += 1
                if periodic or there[axis] < space[axis]:
                    there[axis] %= space[axis]
                    pairs += 1
                    faces += inside[place] != inside[tuple(there)]
            area += faces / pairs / size
        assert found[sample, phase] == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize(
    ("ndim", "radius", "tolerance"), [(2, 5, 0.09), (2, 10, 0.05), (2, 60, 0.01), (3, 5, 0.05), (3, 25, 0.005)]
)
def test_a_disc_and_a_sphere_are_measured_the_better_the_larger_they_are(ndim, radius, tolerance):
    rng = np.random.default_rng(0)
    n = 2 * radius + 4
    errors = []
    for _ in range(3 if radius == 25 else 20):
        size = radius + rng.uniform(-0.5, 0.5)
        X = ball(n, size, rng.uniform(-0.5, 0.5, ndim))
        true = {2: 2 * math.pi * size / n**2, 3: 4 * math.pi * size**2 / n**3}[ndim]
        found = surface_area(X)[0]
        np.testing.assert_allclose(found, true, rtol=tolerance)
        errors.append(found[1] / true - 1)
        # The staircase of the voxels is longer by a factor of 4/pi, or 3/2.
        staircase = {2: 4 / math.pi, 3: 1.5}[ndim] * found
        np.testing.assert_allclose(surface_area(X, isotropic=False)[0], staircase, rtol=1e-5)
    assert abs(np.mean(errors)) < tolerance / 4


@pytest.mark.parametrize("layers", [1, 3])
def test_a_laminate_is_exact_by_faces_and_too_small_by_a_known_factor_otherwise(layers):
    for ndim, factor in ((1, 1.0), (2, math.pi / 4), (3, 2 / 3)):
        line = np.tile(np.repeat([1, 0], [2, 4]), layers)
        labels = np.broadcast_to(line, (1, *[5] * (ndim - 1), 6 * layers))
        true = 2 / 6
        np.testing.assert_allclose(surface_area(labels, isotropic=False), true, rtol=1e-6)
        np.testing.assert_allclose(surface_area(labels), factor * true, rtol=1e-6)


@pytest.mark.parametrize("normal", [(1, 0), (2, 1), (1, 1), (1, 0, 0), (1, 1, 0), (2, 1, 1), (1, 1, 1)])
def test_the_bias_of_a_flat_interface_is_as_documented(normal):
    n = 48
    unit = np.array(normal) / np.linalg.norm(normal)
    factor = {2: math.pi / 4, 3: 2 / 3}[len(unit)] * np.abs(unit).sum()
    # Only the middle of the window, where the whole interface crosses from side to side along the first axis.
    labels = flat(n, tuple(normal))[:, :, *[slice(n // 3, -n // 3)] * (len(unit) - 1)]
    true = 1 / (n * abs(unit[0]))
    assert surface_area(labels, periodic=False)[0, 1] == pytest.approx(factor * true, rel=0.06)
    assert 0.66 < factor < 1.16


def test_all_phases_of_a_two_phase_structure_share_their_surface_and_units_scale_it():
    labels = labels_of((8, 7), phases=2)
    found = surface_area(labels)
    np.testing.assert_allclose(found[:, 0], found[:, 1], rtol=1e-6)
    np.testing.assert_allclose(surface_area(labels, voxel_size=0.5), 2 * found, rtol=1e-6)
    np.testing.assert_array_equal(surface_area(np.zeros((2, 5, 5), np.uint8)), 0)


@pytest.mark.parametrize("per_sample", [True, False])
def test_pairs_with_a_voxel_that_is_masked_out_do_not_count(per_sample):
    labels = np.array([[0, 1, 1, 0, 1, 0]])
    mask = np.array([1, 1, 1, 1, 0, 1])
    found = surface_area(labels, periodic=False, mask=mask[None] if per_sample else mask)
    np.testing.assert_allclose(found, 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(surface_area(labels, mask=np.ones(6)), surface_area(labels), rtol=1e-6)
    with pytest.raises(InputError, match="leaves none along axis 0"):
        surface_area(labels, periodic=False, mask=np.array([1, 0, 1, 0, 1, 0]))


@pytest.mark.parametrize("periodic", [True, False])
def test_the_gradient_is_right(periodic):
    X = torch.rand(2, 4, 3, 2, dtype=torch.float64, generator=torch.manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: surface_area(x, state_axis=-1, periodic=periodic, voxel_size=0.5), (X,))


def test_states_are_labels_and_windows_need_neighbours():
    labels = labels_of((6, 5))
    np.testing.assert_allclose(surface_area(one_hot(labels, 3), state_axis=-1), surface_area(labels), rtol=1e-6)
    with pytest.raises(InputError, match="Remove the axis of a single voxel"):
        surface_area(labels_of((6, 1)), periodic=False)
    with pytest.raises(InputError, match="voxel_size must be one positive length"):
        surface_area(labels, voxel_size=-1)
