"""Pictures of structures: the right sections, with the right edges, and no more read than is shown."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.errors import InputError
from matvae.pictured import pictures_of


@pytest.fixture
def volume() -> np.ndarray:
    return np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)


@pytest.fixture
def grid() -> Grid:
    return Grid((3, 4, 5), phases=120, voxel_size=(3, 2, 1), unit="micrometer")


def test_a_volume_shows_its_central_section_normal_to_the_first_axis(volume, grid):
    first, second = pictures_of(volume, grid, ["structure 0", "structure 1"])
    np.testing.assert_array_equal(second.image, volume[1, 1])
    assert first.name == "structure 0, z = 3 micrometer"
    assert first.is_section
    assert (first.grid.shape, first.grid.axes, first.grid.voxel_size) == ((4, 5), ("y", "x"), (2, 1))


def test_all_sections_of_a_volume_have_their_own_axes_and_edges(volume, grid):
    pictures = pictures_of(volume, grid, ["a"], all_sections=True)
    for picture, image in zip(pictures, (volume[0, 1], volume[0, :, 2], volume[0, :, :, 2]), strict=True):
        np.testing.assert_array_equal(picture.image, image)
    assert [picture.grid.axes for picture in pictures] == [("y", "x"), ("z", "x"), ("z", "y")]
    assert [picture.grid.voxel_size for picture in pictures] == [(2, 1), (3, 1), (3, 2)]
    assert [picture.name for picture in pictures] == [
        "a, z = 3 micrometer",
        "a, y = 4 micrometer",
        "a, x = 2 micrometer",
    ]


def test_structures_in_fewer_dimensions_are_shown_whole():
    lines = np.arange(12).reshape(2, 6)
    pictures = pictures_of(lines, Grid((6,), phases=12), ["a", "b"], all_sections=True)
    np.testing.assert_array_equal(pictures[1].image, lines[1])
    assert not pictures[1].is_section


def test_a_picture_of_a_volume_reads_the_blocks_of_one_section_only():
    read = []

    def block(block_info=None):
        location = block_info[None]["chunk-location"]
        read.append(location)
        return np.zeros((1, 2, 4, 4), np.uint8)

    data = da.map_blocks(block, chunks=((1,) * 3, (2,) * 4, (4,), (4,)), dtype=np.uint8, meta=np.empty((0,), np.uint8))
    structures = Structures(data, Grid((8, 4, 4)))
    assert len(structures.pictures(2)) == 2
    assert sorted(set(read)) == [(0, 2, 0, 0), (1, 2, 0, 0)]


def test_numbers_of_pictures_are_checked_before_any_work(volume, grid):
    with pytest.raises(InputError, match="n must be an integer from 1 to 64"):
        Structures(volume, grid).plot(0)
