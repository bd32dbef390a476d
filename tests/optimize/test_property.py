"""Properties are created by name, with their options, and check their input."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError, PluginError
from matvae.optimize import PROPERTIES, Measured, make_property, unit_on
from matvae.optimize.property import axis_index, check_cubic_voxels, check_labels, check_phase


def test_built_in_properties_are_registered_under_their_names():
    assert [PROPERTIES.get(name).name for name in PROPERTIES.builtin] == list(PROPERTIES.builtin)


def test_options_are_passed_to_the_property():
    assert make_property("volume_fraction", phase=0).phase == 0
    with pytest.raises(InputError, match="cannot be created with the options"):
        make_property("volume_fraction", colour="red")
    with pytest.raises(PluginError, match="Did you mean 'volume_fraction'"):
        make_property("volume_fractoin")


def test_values_that_are_not_finite_get_the_reason():
    measured = Measured.of([0.5, np.inf, np.nan], "It does not percolate.")
    np.testing.assert_array_equal(measured.values, [0.5, np.nan, np.nan])
    assert measured.reasons == (None, "It does not percolate.", "It does not percolate.")


def test_unit_contains_the_unit_of_length_of_the_grid():
    surface = make_property("specific_surface")
    assert unit_on(surface, Grid((4, 4), voxel_size=1.0, unit="micrometer")) == "1/micrometer"
    assert unit_on(surface, Grid((4, 4))) == "1/voxel"
    assert unit_on(make_property("volume_fraction"), Grid((4, 4))) == ""


def test_phase_must_be_one_of_the_grid():
    check_phase(2, Grid((2, 2), phases=3))
    for phase in (-1, 3):
        with pytest.raises(InputError, match=f"A phase from 0 to 2 is expected, but phase={phase} was given"):
            check_phase(phase, Grid((2, 2), phases=3))


def test_labels_must_fit_the_grid():
    check_labels(np.zeros((5, 4, 3), np.uint8), Grid((4, 3)))
    for array in (np.zeros((5, 3, 4), np.uint8), np.zeros((5, 4, 3)), np.array(0)):
        with pytest.raises(InputError, match=r"Phase labels \(sample, \*space\) with space \(4, 3\) are expected"):
            check_labels(array, Grid((4, 3)))


def test_voxels_must_be_cubic():
    for voxel_size in (None, 0.5):
        check_cubic_voxels("stiffness", Grid((4, 3), voxel_size=voxel_size))
    with pytest.raises(InputError, match=r"stiffness requires square or cubic voxels, .* \(1.0, 2.0\)"):
        check_cubic_voxels("stiffness", Grid((4, 3), voxel_size=(1, 2)))


def test_axis_by_index_or_name():
    grid = Grid((4, 3))
    assert [axis_index(axis, grid) for axis in (0, 1, "y", "x")] == [0, 1, 0, 1]
    for axis in (2, -1, "z"):
        with pytest.raises(InputError, match=f"one of y, x, or an index from 0 to 1, but {axis!r} was given"):
            axis_index(axis, grid)
