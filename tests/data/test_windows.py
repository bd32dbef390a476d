from __future__ import annotations

from importlib import import_module
from itertools import product

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matvae.data import Structures, open_structures, save_structures, windows
from matvae.data import windows as windows_function
from matvae.data.lazy_array import CHUNK_BYTES
from matvae.errors import InputError
from matvae.grid import Grid

# `matvae.data.windows` is the function, so the module must be imported by name.
MODULE = import_module("matvae.data.windows")


def numbered(n_samples, shape):
    """Return fields in which every voxel has a different value."""
    values = np.arange(n_samples * np.prod(shape), dtype=np.float64).reshape(n_samples, *shape)
    return Structures(values, Grid(shape, phases=1), {"index": np.arange(n_samples)}, {"index": "1"}, {"a": 1})


def loop(data, sizes, strides, bounds):
    cut = []
    for sample in data:
        ranges = [
            range(start, stop - size + 1, stride)
            for (start, stop), size, stride in zip(bounds, sizes, strides, strict=True)
        ]
        for corner in product(*ranges):
            cut.append(sample[tuple(slice(c, c + n) for c, n in zip(corner, sizes, strict=True))])
    return np.stack(cut)


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 9)) for _ in range(ndim))
    bounds = []
    for length in shape:
        start = draw(st.integers(0, length - 1))
        bounds.append((start, draw(st.integers(start + 1, length))))
    sizes = tuple(draw(st.integers(1, stop - start)) for start, stop in bounds)
    strides = tuple(draw(st.integers(1, 5)) for _ in shape)
    chunks = tuple(draw(st.integers(1, n)) for n in shape)
    return draw(st.integers(1, 3)), shape, bounds, sizes, strides, chunks, draw(st.integers(1, 2000))


@settings(max_examples=80, deadline=None)
@given(case=cases())
def test_windows_equal_those_of_a_plain_loop(case):
    n_samples, shape, bounds, sizes, strides, chunks, block_bytes = case
    whole = numbered(n_samples, shape)
    lazy = Structures(whole.data.rechunk((2, *chunks)), whole.grid)
    expected = loop(whole.data.compute(), sizes, strides, bounds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "CHUNK_BYTES", block_bytes)
        cut = windows(lazy, sizes, stride=strides, region=bounds)
    assert cut.data.chunks[1:] == tuple((n,) for n in sizes)
    np.testing.assert_array_equal(cut.data.compute(scheduler="synchronous"), expected)
    assert len(cut.data.chunks[0]) == cut.data.npartitions
    for n_windows in cut.data.chunks[0]:
        assert n_windows == 1 or n_windows * np.prod(sizes) * 8 <= block_bytes


@settings(max_examples=100, deadline=None)
@given(
    lattice=st.lists(st.integers(1, 7), min_size=1, max_size=4).map(tuple),
    max_points=st.integers(1, 300),
)
def test_groups_cover_the_lattice_in_c_order(lattice, max_points):
    groups = list(MODULE._groups(lattice, max_points))
    points = [point for group in groups for point in product(*(range(low, high) for low, high in group))]
    assert points == list(np.ndindex(*lattice))
    assert all(np.prod([high - low for low, high in group]) <= max_points for group in groups)


def test_windows_have_the_properties_of_their_structure():
    cut = windows(numbered(3, (4, 6)), 2)
    np.testing.assert_array_equal(cut.properties["index"], np.repeat([0, 1, 2], 6))
    assert cut.units == {"index": "1", "position_y": "voxel", "position_x": "voxel"}
    assert cut.attributes == {"a": 1}
    assert len(cut) == 18


def test_positions_are_the_corners_of_windows_also_of_windows_of_windows():
    whole = numbered(2, (9, 12))
    cut = windows(windows(whole, (6, 7), stride=2, region=[(1, 9), (2, 11)]), (2, 3), stride=(2, 1))
    data = whole.data.compute()
    indices = np.repeat([0, 1], len(cut) // 2)
    for sample, y, x, window in zip(
        indices, cut.properties["position_y"], cut.properties["position_x"], cut.data.compute(), strict=True
    ):
        np.testing.assert_array_equal(window, data[sample, int(y) : int(y) + 2, int(x) : int(x) + 3])


def test_the_origin_of_a_single_window_is_its_own_corner():
    grid = Grid((8, 8), voxel_size=(2, 0.5), unit="nm", origin=(100, 10))
    structures = Structures(np.zeros((1, 8, 8), dtype=np.uint8), grid)
    assert windows(structures, 4, region=[(3, 7), (2, 6)]).grid.origin == (106, 11)
    several = windows(structures, 4)
    assert several.grid.origin is None
    assert several.attributes["image_origin"] == [100, 10]
    # Positions count from the corner of the image also if windows are cut from a part of it.
    part = windows(windows(structures, 6, region=[(2, 8), (1, 7)]), 2)
    assert part.attributes["image_origin"] == [100, 10]
    assert part.properties["position_y"][0] == 2


def test_one_range_counts_for_every_axis():
    whole = numbered(1, (9, 12))
    expected = windows(whole, 3, region=[(1, 7), (1, 7)])
    for region in ([(1, 7)], [slice(1, 7)], slice(1, 7)):
        np.testing.assert_array_equal(windows(whole, 3, region=region).data, expected.data)


def test_windows_are_cut_from_paths_and_arrays(tmp_path):
    values = np.random.default_rng(0).integers(0, 2, (9, 12)).astype(np.uint8)
    np.save(tmp_path / "a.npy", values)
    for source in (values, tmp_path / "a.npy", str(tmp_path / "a.npy"), [tmp_path / "a.npy"]):
        np.testing.assert_array_equal(windows(source, 3).data, loop([values], (3, 3), (3, 3), [(0, 9), (0, 12)]))
    assert windows(np.zeros((4, 5, 6), np.uint8), (2, 2, 3)).data.shape == (8, 2, 2, 3)


def test_windows_are_periodic_only_if_they_are_whole_structures():
    grid = Grid((8, 8), phases=3, voxel_size=0.5, unit="micrometer", periodic=True)
    structures = Structures(np.zeros((1, 8, 8), dtype=np.uint8), grid)
    assert windows(structures, 4).grid == Grid((4, 4), phases=3, voxel_size=0.5, unit="micrometer", periodic=False)
    assert windows(structures, 8).grid == grid


def test_windows_of_disjoint_regions_share_no_voxel():
    whole = numbered(2, (9, 12))
    left = windows(whole, 3, stride=1, region=[None, (0, 7)]).data.compute()
    right = windows(whole, 3, stride=1, region=[None, slice(7, None)]).data.compute()
    assert not set(left.ravel()) & set(right.ravel())
    assert set(left.ravel()) | set(right.ravel()) == set(whole.data.compute().ravel())


def test_chunks_of_windows_read_only_the_box_that_they_need():
    reads = []

    class Volume:
        shape, dtype, ndim = (1, 200, 200, 200), np.dtype("u1"), 4

        def __getitem__(self, box):
            reads.append(tuple(part.stop - part.start for part in box))
            return np.zeros(reads[-1], dtype=np.uint8)

    data = da.from_array(Volume(), chunks=(1, 100, 200, 200), name=False, asarray=False, meta=np.empty((0,) * 4, "u1"))
    reads.clear()
    cut = windows(Structures(data, Grid((200, 200, 200))), 32, stride=16)
    assert cut.data.shape == (11**3, 32, 32, 32)
    assert max(cut.data.chunks[0]) * 32**3 <= CHUNK_BYTES
    assert len(cut.data.__dask_graph__()) < 200
    cut.data.blocks[0].compute(scheduler="synchronous")
    assert reads == [(1, 80, 192, 192)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 9}, r"size \(9, 9\) must fit into the region .* of shape \(8, 8\)"),
        ({"size": 4, "region": [(0, 3), None]}, "must fit into the region"),
        ({"size": 0}, "size must be a positive number of voxels"),
        ({"size": (2, 2, 2)}, "one for each of the 2 axes"),
        ({"size": 2.5}, "size must be"),
        ({"size": 2, "stride": 0}, "stride must be a positive number of voxels"),
        ({"size": 2, "region": [(0, 9), None]}, r"extends beyond structures of shape \(8, 8\)"),
        ({"size": 2, "region": [(-3, None), None]}, "extends beyond"),
        ({"size": 2, "region": [(5, 5), None]}, "empty along an axis"),
        ({"size": 2, "region": [(0, 4)] * 3}, "must bound each of the 2 axes"),
        ({"size": 2, "region": ":,0:4"}, r"but the text ':,0:4' was given"),
        ({"size": 2, "region": (0, 4)}, r"must give \(start, stop\)"),
        ({"size": 2, "region": [slice(0, 8, 2), None]}, "without a step"),
        ({"size": 2, "region": [(0, 4, 8), None]}, r"must give \(start, stop\)"),
    ],
)
def test_invalid_windows_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        windows_function(Structures(np.zeros((1, 8, 8), dtype=np.uint8), Grid((8, 8))), **arguments)


def test_windows_of_a_micrograph_can_be_stored(shared_data, tmp_path):
    alloy = open_structures(shared_data / "micrographs" / "alloy.npy")
    cut = windows(alloy, 64, stride=16)
    assert cut.data.shape == (169, 64, 64)
    save_structures(tmp_path / "w.zarr", cut)
    stored = open_structures(tmp_path / "w.zarr")
    image = np.load(shared_data / "micrographs" / "alloy.npy")
    np.testing.assert_array_equal(stored.data.compute(), loop([image], (64, 64), (16, 16), [(0, 256)] * 2))
    assert not stored.grid.periodic


def test_windows_of_arrays_and_lists_of_files(tmp_path):
    labels = (np.random.default_rng(0).random((6, 24, 32)) < 0.3).astype(np.uint8)
    expected = loop(labels, (8, 8), (8, 8), [(0, 24), (0, 32)])
    cut = windows(labels, (8, 8))
    assert cut.grid == Grid((8, 8), periodic=False)
    np.testing.assert_array_equal(cut.data.compute(), expected)
    with pytest.warns(UserWarning, match="read as a stack of 6 images"):
        np.testing.assert_array_equal(windows(labels, 8).data.compute(), expected)
    files = [tmp_path / "image.npy", tmp_path / "another.npy"]
    for file, image in zip(files, labels, strict=False):
        np.save(file, image)
    both = windows([files[0], str(files[1])], 8)
    np.testing.assert_array_equal(both.data.compute(), expected[:24])
