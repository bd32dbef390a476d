"""Names of phases, and errors per phase of structures that are known voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.errors import InputError
from matvae.evaluate.material_measures import measure_structures
from matvae.evaluate.phase_errors import phase_errors, phase_names


def structures(attributes, phases=2):
    return Structures(np.zeros((2, 4, 4), np.uint8), Grid((4, 4), phases=phases), attributes=attributes)


def test_names_are_those_of_the_store_or_numbers():
    assert phase_names(structures({})) == ["phase 0", "phase 1"]
    assert phase_names(structures({"phase_names": ["solid", "pore"]})) == ["solid", "pore"]
    assert phase_names(structures({"phase_names": ["solid", "pore"]}), 3) == ["solid", "pore", "phase 2"]


@pytest.mark.parametrize("names", [["solid"], ["a", "a"], "ab", ["solid", 1], ["", "pore"]])
def test_other_names_are_refused(names):
    with pytest.raises(InputError, match="must hold 2 different names"):
        phase_names(structures({"phase_names": names}))


def test_errors_of_squares_are_exact():
    true, generated = np.zeros((2, 2, 16, 16), np.uint8)
    true[:, 4:8, 4:8] = 1
    # One more row in the first structure, and a second piece in place of nothing in the other.
    generated[:, 4:8, 4:8] = 1
    generated[0, 8, 4:8] = 1
    generated[1, 12:14, 12:14] = 1
    names = ["solid", "pore"]
    measured = (measure_structures(X, phases=2) for X in (generated, true))
    solid, pore = phase_errors(*measured, names)
    assert (solid.name, pore.name) == ("solid", "pore")
    assert pore.volume_fraction == 16 / 256
    assert pore.volume_fraction_bias == pytest.approx(4 / 256)
    assert pore.largest_volume_fraction_difference == pytest.approx(4 / 256)
    assert solid.volume_fraction_bias == pytest.approx(-4 / 256)
    assert (pore.pieces, pore.generated_pieces) == (1000 / 256, 1500 / 256)
    # Perimeters of 16, 18 and 24 voxel edges.
    assert pore.generated_specific_surface / pore.specific_surface == pytest.approx(21 / 16)
    assert pore.surface_error == pytest.approx((2 / 16 + 8 / 16) / 2)


def test_structures_without_an_interface_have_no_surface_error():
    empty = measure_structures(np.zeros((2, 8, 8), np.uint8), phases=2)
    assert [phase.surface_error for phase in phase_errors(empty, empty, ["a", "b"])] == [None, None]


def test_sets_of_different_sizes_are_refused():
    two, three = (measure_structures(np.zeros((n, 8, 8), np.uint8), phases=2) for n in (2, 3))
    with pytest.raises(InputError, match="one structure for each true one"):
        phase_errors(two, three, ["a", "b"])
