"""Sections through the centre of structures, on a volume whose axes and values all differ."""

from __future__ import annotations

import numpy as np

from matvae import Grid
from matvae.data.lazy_array import LazyArray
from matvae.data.sections import central_sections

VOLUME = np.arange(2 * 5 * 6 * 7).reshape(2, 5, 6, 7)
GRID = Grid((5, 6, 7), voxel_size=(3, 2, 1), unit="nm")


def test_a_volume_has_a_section_normal_to_each_axis():
    z, y, x = central_sections(VOLUME, GRID)
    np.testing.assert_array_equal(z.image, VOLUME[0, 2])
    np.testing.assert_array_equal(y.image, VOLUME[0, :, 3])
    np.testing.assert_array_equal(x.image, VOLUME[0, :, :, 3])
    assert [section.normal for section in (z, y, x)] == ["z", "y", "x"]
    assert y.grid == Grid((5, 7), phases=1, axes=("z", "x"), voxel_size=(3, 1), unit="nm")
    assert [section.normal for section in central_sections(VOLUME, GRID, only_first=True)] == ["z"]


def test_images_and_lines_are_whole():
    (image,) = central_sections(VOLUME[0], Grid((6, 7)))
    np.testing.assert_array_equal(image.image, VOLUME[0, 0])
    (line,) = central_sections(VOLUME[0, 0], Grid((7,)))
    np.testing.assert_array_equal(line.image, VOLUME[0, 0, 0])
    assert image.normal is line.normal is None


def test_of_long_sides_the_middle_is_read():
    boxes = []

    def read(box):
        boxes.append(box)
        return VOLUME[box]

    lazy = LazyArray("x", VOLUME.shape, VOLUME.dtype, tuple((n,) for n in VOLUME.shape), read)
    (section,) = central_sections(lazy, GRID, most=4, only_first=True)
    np.testing.assert_array_equal(section.image, VOLUME[0, 2, 1:5, 1:5])
    assert [(part.start, part.stop) for part in boxes[0]] == [(0, 1), (2, 3), (1, 5), (1, 5)]
