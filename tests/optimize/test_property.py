"""Properties are found by name, and made with their options."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError, PluginError
from matvae.optimize import PROPERTIES, Measured, make_property, unit_on


def test_every_built_in_property_has_its_own_name():
    assert [PROPERTIES.get(name).name for name in PROPERTIES.builtin] == list(PROPERTIES.builtin)


def test_options_are_those_of_the_property():
    assert make_property("volume_fraction", phase=0).phase == 0
    with pytest.raises(InputError, match="cannot be made with the options"):
        make_property("volume_fraction", colour="red")
    with pytest.raises(PluginError, match="Did you mean 'volume_fraction'"):
        make_property("volume_fractoin")


def test_values_that_are_not_finite_get_the_reason():
    found = Measured.of([0.5, np.inf, np.nan], "It does not percolate.")
    np.testing.assert_array_equal(found.values, [0.5, np.nan, np.nan])
    assert found.reasons == (None, "It does not percolate.", "It does not percolate.")


def test_lengths_are_in_the_unit_of_the_grid():
    surface = make_property("specific_surface")
    assert unit_on(surface, Grid((4, 4), voxel_size=1.0, unit="micrometer")) == "1/micrometer"
    assert unit_on(surface, Grid((4, 4))) == "1/voxel"
    assert unit_on(make_property("volume_fraction"), Grid((4, 4))) == ""
