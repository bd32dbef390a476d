from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.grid import voxel_edges


def test_shape_phases_boundaries_and_voxel_size_are_described():
    assert Grid((4, 5)).describe() == "4 x 5 voxels (y x), 2 phases, periodic"
    grid = Grid((3, 4, 5), phases=1, voxel_size=(1, 2, 2), unit="nanometer", periodic=False)
    assert grid.describe() == "3 x 4 x 5 voxels (z y x), continuous field, not periodic, voxel 1 x 2 x 2 nanometer"
    assert Grid((6,), voxel_size=0.5).describe() == "6 voxels (x), 2 phases, periodic, voxel 0.5"


def test_a_grid_is_restored_from_json():
    for grid in (
        Grid((7,)),
        Grid((3, 4, 5), phases=1, voxel_size=(1, 2, 2), unit="nanometer", origin=(-5, 0, 2.5), periodic=False),
    ):
        restored = Grid.from_dict(json.loads(json.dumps(grid.to_dict())))
        assert restored == grid
        assert restored.origin == grid.origin


def test_a_model_saved_before_origins_were_known_has_none():
    values = Grid((3, 4)).to_dict()
    del values["origin"]
    assert Grid.from_dict(values).origin is None


def test_lengths_are_in_voxels_if_their_size_is_unknown():
    assert Grid((4, 4), unit="nanometer").length_unit == "voxel"
    assert Grid((4, 4), voxel_size=0.5).length_unit == "length unit"
    assert Grid((4, 4), voxel_size=0.5, unit="nanometer").length_unit == "nanometer"


def test_grids_that_differ_in_their_origin_alone_are_equal():
    assert Grid((3, 4), origin=(0, 10)) == Grid((3, 4))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shape": ()}, "one to three axes"),
        ({"shape": (2, 2, 2, 2)}, "one to three axes"),
        ({"shape": (4, 0)}, "at least one voxel each"),
        ({"shape": (4, 4), "phases": 0}, "phases must lie between 1"),
        ({"shape": (4, 4), "phases": 256}, "phases must lie between 1"),
        ({"shape": (4, 4), "axes": ("x", "x")}, "each of the 2 axes"),
        ({"shape": (4, 4), "axes": ("x",)}, "each of the 2 axes"),
        ({"shape": (4, 4), "origin": (0,)}, "one finite coordinate for each of the 2 axes"),
        ({"shape": (4, 4), "origin": (0, float("nan"))}, "one finite coordinate for each of the 2 axes"),
    ],
)
def test_invalid_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Grid(**values)


def test_voxel_edges_are_given_along_every_axis():
    assert voxel_edges(None, 2) is None
    assert voxel_edges(0.5, 2) == voxel_edges(np.float32(0.5), 2) == (0.5, 0.5)
    assert voxel_edges((0.5, 2), 2) == voxel_edges(np.array([0.5, 2]), 2) == (0.5, 2.0)
    for size in ((1, 1, 1), -1, 0, float("inf"), "small", [None, 1], {}):
        with pytest.raises(InputError, match="one for each of the 2 axes"):
            voxel_edges(size, 2)
