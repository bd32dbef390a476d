from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.data import Structures
from matvae.data.writers.layers import in_space

VALUES = (np.arange(24).reshape(1, 2, 3, 4) % 2).astype(np.uint8)


def test_axes_in_another_order_are_transposed_with_their_lengths():
    grid = Grid((2, 3, 4), axes=("x", "z", "y"), voxel_size=(1, 2, 3), origin=(10, 20, 30))
    ready, notes = in_space(Structures(VALUES, grid), 3)
    assert (ready.grid.axes, ready.grid.shape) == (("z", "y", "x"), (3, 4, 2))
    assert (ready.grid.voxel_size, ready.grid.origin) == ((2.0, 3.0, 1.0), (20.0, 30.0, 10.0))
    np.testing.assert_array_equal(ready.data[0].compute(), np.einsum("xzy->zyx", VALUES[0]))
    assert notes == ["The axes x z y are written in the order z y x."]


def test_axes_in_order_or_with_other_names_stay_as_they_are():
    for axes in (None, ("rd", "td", "nd")):
        structures = Structures(VALUES, Grid((2, 3, 4), axes=axes))
        ready, notes = in_space(structures, 3)
        assert (ready.grid, notes) == (structures.grid, [])


@pytest.mark.parametrize(
    ("axes", "expected", "shape"),
    [
        (("y", "x"), ("z", "y", "x"), (1, 3, 4)),
        (("z", "x"), ("z", "y", "x"), (3, 1, 4)),
        (("z", "y"), ("z", "y", "x"), (3, 4, 1)),
        (("rd", "td"), ("x", "rd", "td"), (1, 3, 4)),
    ],
)
def test_a_section_becomes_a_layer_across_the_missing_axis(axes, expected, shape):
    grid = Grid((3, 4), axes=axes, voxel_size=(2.0, 0.5), unit="nm", origin=(5.0, 6.0))
    ready, (note,) = in_space(Structures(VALUES[0, :1], grid), 3)
    assert (ready.grid.axes, ready.grid.shape) == (expected, shape)
    np.testing.assert_array_equal(ready.data[0].compute().squeeze(), VALUES[0, 0])
    place = shape.index(1)
    assert ready.grid.voxel_size[place] == 0.5
    assert ready.grid.origin[place] == 0
    assert f"along {expected[place]}. Its thickness is 0.5 nm, the length of a voxel along {axes[-1]}." in note


def test_a_line_becomes_a_plane_or_a_volume():
    line = Structures(VALUES[0, 0, :1], Grid(4))
    assert in_space(line, 1)[0].grid.shape == (4,)
    plane, notes = in_space(line, 2)
    assert (plane.grid.axes, plane.grid.shape, len(notes)) == (("y", "x"), (1, 4), 1)
    volume, notes = in_space(line, 3)
    assert (volume.grid.axes, volume.grid.shape, len(notes)) == (("z", "y", "x"), (1, 1, 4), 2)
    assert volume.grid.voxel_size is None
