"""Effective diffusivity and tortuosity: known values, symmetries, reasons and refused input."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.optimize import PROPERTIES
from matvae.optimize.goal import parse_property
from matvae.testing import property_checks
from matvae_taufactor import EffectiveDiffusivity, Tortuosity

DIFFUSIVITY = EffectiveDiffusivity()


def values(structures, property=DIFFUSIVITY, **settings):
    structures = np.asarray(structures)
    grid = Grid(structures.shape[1:], **settings)
    measured = property.measure(structures, grid)
    assert measured.reasons == (None,) * len(structures)
    return measured.values


def blobs(n, *space):
    """Return random structures with 75 % of phase 1, most of which is connected."""
    return (np.random.default_rng(0).random((n, *space)) > 0.25).astype(np.uint8)


# Square and cubic voxels only.
GRIDS = (Grid((12, 11)), Grid((12, 11), periodic=False, voxel_size=0.5), Grid((8, 7, 6)))
CHECKS = [check for kind in (EffectiveDiffusivity, Tortuosity) for check in property_checks(kind(), GRIDS)]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_conforms(check):
    check()


def test_options_are_parsed_from_text():
    property, label = parse_property("effective_diffusivity(phase=0, axis='x')")
    assert property == EffectiveDiffusivity(phase=0, axis="x")
    assert label.startswith("effective_diffusivity")


def test_properties_are_registered():
    assert PROPERTIES.get("effective_diffusivity") is EffectiveDiffusivity
    assert PROPERTIES.get("tortuosity") is Tortuosity
    assert not EffectiveDiffusivity.differentiable
    assert (EffectiveDiffusivity.name, EffectiveDiffusivity.unit) == ("effective_diffusivity", "")
    assert (Tortuosity.name, Tortuosity.unit) == ("tortuosity", "")


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("space", [(8, 10), (6, 5, 4)])
def test_layers_along_the_flow_carry_their_volume_fraction(space, periodic):
    layers = np.zeros((2, *space), np.uint8)
    layers[0, :, 1:3], layers[1, :, :1] = 1, 1
    fractions = layers.reshape(2, -1).mean(1)
    np.testing.assert_allclose(values(layers, periodic=periodic), fractions, rtol=1e-3)
    np.testing.assert_allclose(values(layers, Tortuosity(), periodic=periodic), 1, rtol=1e-3)


def test_single_phase_is_free_space():
    assert values(np.ones((1, 6, 6), int))[0] == pytest.approx(1, rel=1e-3)
    assert values(np.ones((1, 6), int))[0] == pytest.approx(1, rel=1e-3)


def test_tortuosity_of_a_winding_channel_is_its_relative_length_squared():
    """A channel one voxel wide consists of one conductor per voxel in series, from wall to wall."""
    channel = np.zeros((1, 8, 5), np.uint8)
    channel[0, :3, 0] = channel[0, 2, :4] = channel[0, 2:6, 3] = channel[0, 5, :4] = channel[0, 5:, 0] = 1
    length = channel.sum()
    assert values(channel, Tortuosity(tolerance=1e-4), periodic=False)[0] == pytest.approx((length / 8) ** 2, rel=1e-3)


def test_dead_ends_and_closed_pores_affect_the_tortuosity_only():
    channel = np.zeros((2, 8, 8), np.uint8)
    channel[:, :, 1] = 1
    channel[1, 3, 2:5] = channel[1, 5:, 6] = 1
    np.testing.assert_allclose(values(channel), 1 / 8, rtol=1e-3)
    np.testing.assert_allclose(values(channel, Tortuosity()), [1, channel[1].mean() * 8], rtol=1e-3)


@pytest.mark.parametrize("periodic", [False, True])
def test_reflection_and_order_do_not_matter(periodic):
    X = blobs(3, 12, 9)
    expected = values(X, periodic=periodic)
    for mirrored in (X[:, ::-1], X[:, :, ::-1]):
        np.testing.assert_allclose(values(mirrored, periodic=periodic), expected, rtol=2e-3)
    np.testing.assert_array_equal(values(X[::-1], periodic=periodic), expected[::-1])


def test_periodic_structures_can_be_translated_across_the_flow():
    X = blobs(2, 12, 9)
    np.testing.assert_allclose(values(np.roll(X, 4, axis=2)), values(X), rtol=2e-3)


def test_axis_by_index_and_by_name_equals_that_of_the_transposed_structure():
    X = blobs(1, 8, 9, 10)
    expected = values(np.moveaxis(X, 2, 1))
    for axis in (1, "y"):
        np.testing.assert_allclose(values(X, EffectiveDiffusivity(axis=axis)), expected, rtol=2e-3)


def test_phase_is_selected():
    X = blobs(2, 10, 10)
    np.testing.assert_array_equal(values(2 * X, EffectiveDiffusivity(phase=2), phases=3), values(X))


def test_structure_that_does_not_percolate_has_a_reason():
    X = np.ones((3, 6, 6), np.uint8)
    X[1, 3] = 0
    measured = EffectiveDiffusivity().measure(X, Grid((6, 6)))
    np.testing.assert_allclose(measured.values, [1, np.nan, 1], rtol=1e-3)
    assert measured.reasons == (None, "Phase 1 does not percolate along y.", None)


def test_missing_convergence_has_a_reason():
    measured = EffectiveDiffusivity(tolerance=1e-9, max_iter=200).measure(blobs(1, 16, 16), Grid((16, 16)))
    assert np.isnan(measured.values).all()
    assert measured.reasons[0].startswith("The iteration did not converge to a tolerance of 1e-09 within 200 steps.")


@pytest.mark.parametrize(
    ("options", "grid", "message"),
    [
        ({"phase": 2}, {}, "phase from 0 to 1 is expected, but phase=2"),
        ({"axis": "z"}, {}, "axis must be one of y, x, or an index from 0 to 1, but 'z' was given"),
        ({"axis": 2}, {}, "but 2 was given"),
        ({"device": "abacus"}, {}, "device must be"),
        ({}, {"voxel_size": (1, 2)}, r"the voxel size is \(1.0, 2.0\). Resample the structures"),
        ({}, {"shape": (5, 4)}, r"space \(5, 4\) are expected, .* with shape \(1, 4, 4\)"),
    ],
)
def test_mismatched_input_is_refused(options, grid, message):
    with pytest.raises(InputError, match=message):
        EffectiveDiffusivity(**options).measure(np.ones((1, 4, 4), int), Grid(**({"shape": (4, 4)} | grid)))


def test_short_axes_and_continuous_fields_are_refused():
    with pytest.raises(InputError, match="at least 2 voxels"):
        Tortuosity().measure(np.ones((1, 1, 4), int), Grid((1, 4)))
    with pytest.raises(InputError, match="array of float64"):
        Tortuosity().measure(np.ones((1, 4, 4)), Grid((4, 4)))


@pytest.mark.parametrize("options", [{"tolerance": 0}, {"tolerance": 1}, {"max_iter": 100}])
def test_invalid_settings_are_refused(options):
    with pytest.raises(InputError, match="tolerance must be a fraction between 0 and 1, and max_iter at least 200"):
        EffectiveDiffusivity(**options)
