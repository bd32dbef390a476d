"""Effective diffusivity and tortuosity: known answers, symmetry, reasons and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.optimize import PROPERTIES
from matvae.optimize.goal import parse_property
from matvae.testing import property_checks
from matvae_taufactor import EffectiveDiffusivity, Tortuosity


def values(structures, prop=None, **settings):
    structures = np.asarray(structures)
    grid = Grid(structures.shape[1:], **settings)
    measured = (EffectiveDiffusivity() if prop is None else prop).measure(structures, grid)
    assert measured.reasons == (None,) * len(structures)
    return measured.values


def blobs(n, *space):
    """Three of four voxels at random, of which most are connected."""
    return (np.random.default_rng(0).random((n, *space)) > 0.25).astype(np.uint8)


# Squares and cubes only.
GRIDS = (Grid((12, 11)), Grid((12, 11), periodic=False, voxel_size=0.5), Grid((8, 7, 6)))
CHECKS = [check for kind in (EffectiveDiffusivity, Tortuosity) for check in property_checks(kind(), GRIDS)]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_conforms(check):
    check()


def test_options_from_a_text():
    found, label = parse_property("effective_diffusivity(phase=0, axis='x')")
    assert found == EffectiveDiffusivity(phase=0, axis="x")
    assert label.startswith("effective_diffusivity")


def test_names_and_plugins():
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


def test_one_phase_alone_is_free_space():
    assert values(np.ones((1, 6, 6), int))[0] == pytest.approx(1, rel=1e-3)
    assert values(np.ones((1, 6), int))[0] == pytest.approx(1, rel=1e-3)


def test_tortuosity_of_a_winding_channel_is_its_relative_length_squared():
    """One voxel wide: so many conductors in a row as there are voxels, from wall to wall."""
    channel = np.zeros((1, 8, 5), np.uint8)
    channel[0, :3, 0] = channel[0, 2, :4] = channel[0, 2:6, 3] = channel[0, 5, :4] = channel[0, 5:, 0] = 1
    length = channel.sum()
    assert values(channel, Tortuosity(tolerance=1e-4), periodic=False)[0] == pytest.approx((length / 8) ** 2, rel=1e-3)


def test_dead_ends_and_closed_pores_count_in_the_tortuosity_only():
    channel = np.zeros((2, 8, 8), np.uint8)
    channel[:, :, 1] = 1
    channel[1, 3, 2:5] = channel[1, 5:, 6] = 1
    np.testing.assert_allclose(values(channel), 1 / 8, rtol=1e-3)
    np.testing.assert_allclose(values(channel, Tortuosity()), [1, channel[1].mean() * 8], rtol=1e-3)


@pytest.mark.parametrize("periodic", [False, True])
def test_mirror_and_order_change_nothing(periodic):
    X = blobs(3, 12, 9)
    found = values(X, periodic=periodic)
    for mirrored in (X[:, ::-1], X[:, :, ::-1]):
        np.testing.assert_allclose(values(mirrored, periodic=periodic), found, rtol=2e-3)
    np.testing.assert_array_equal(values(X[::-1], periodic=periodic), found[::-1])


def test_periodic_structures_may_be_moved_across_the_flow():
    X = blobs(2, 12, 9)
    np.testing.assert_allclose(values(np.roll(X, 4, axis=2)), values(X), rtol=2e-3)


def test_axis_by_place_and_by_name_is_the_one_of_the_turned_structure():
    X = blobs(1, 8, 9, 10)
    expected = values(np.moveaxis(X, 2, 1))
    for axis in (1, "y"):
        np.testing.assert_allclose(values(X, EffectiveDiffusivity(axis=axis)), expected, rtol=2e-3)


def test_phase_is_the_one_asked_for():
    X = blobs(2, 10, 10)
    np.testing.assert_array_equal(values(2 * X, EffectiveDiffusivity(phase=2), phases=3), values(X))


def test_what_does_not_percolate_has_a_reason_and_spares_the_others():
    X = np.ones((3, 6, 6), np.uint8)
    X[1, 3] = 0
    measured = EffectiveDiffusivity().measure(X, Grid((6, 6)))
    np.testing.assert_allclose(measured.values, [1, np.nan, 1], rtol=1e-3)
    assert measured.reasons == (None, "Phase 1 does not percolate along y.", None)


def test_no_convergence_has_a_reason():
    measured = EffectiveDiffusivity(tolerance=1e-9, max_iter=200).measure(blobs(1, 16, 16), Grid((16, 16)))
    assert np.isnan(measured.values).all()
    assert measured.reasons[0].startswith("The iteration did not converge to a tolerance of 1e-09 within 200 steps.")


@pytest.mark.parametrize(
    ("options", "grid", "said"),
    [
        ({"phase": 2}, {}, "phase from 0 to 1 is expected, but phase=2"),
        ({"axis": "z"}, {}, "axis must be one of y, x, or its place from 0 to 1.* 'z'"),
        ({"axis": 2}, {}, "but 2 of structures"),
        ({"device": "abacus"}, {}, "device must be"),
        ({}, {"voxel_size": (1, 2)}, r"their size is \(1.0, 2.0\).*resample"),
        ({}, {"shape": (5, 4)}, r"space \(5, 4\) are expected, .* shape \(1, 4, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused(options, grid, said):
    with pytest.raises(InputError, match=said):
        EffectiveDiffusivity(**options).measure(np.ones((1, 4, 4), int), Grid(**({"shape": (4, 4)} | grid)))


def test_short_axes_and_fields_are_refused():
    with pytest.raises(InputError, match="at least 2 voxels"):
        Tortuosity().measure(np.ones((1, 1, 4), int), Grid((1, 4)))
    with pytest.raises(InputError, match="array of float64"):
        Tortuosity().measure(np.ones((1, 4, 4)), Grid((4, 4)))


@pytest.mark.parametrize("options", [{"tolerance": 0}, {"tolerance": 1}, {"max_iter": 100}])
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError, match="tolerance is a fraction between 0 and 1, and max_iter at least 200"):
        EffectiveDiffusivity(**options)
