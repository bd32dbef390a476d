"""Built-in readers pass the suite, and each fault is detected by its check."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from matvae.data.lazy_array import LazyArray
from matvae.data.readers import READERS, Source
from matvae.testing import Example, check_reader, reader_checks
from matvae.testing.reader import CHECKS

VALUES = np.random.default_rng(0).integers(0, 200, (5, 24, 32)).astype(np.uint8)


def numpy_example(folder):
    np.save(folder / "a.npy", VALUES)
    return Example(folder / "a.npy", VALUES)


def tiff_example(folder):
    tifffile.imwrite(folder / "a.tif", VALUES, photometric="minisblack")
    return Example(folder / "a.tif", VALUES)


def png_example(folder):
    Image.fromarray(VALUES[0]).save(folder / "a.png")
    return Example(folder / "a.png", VALUES[0])


def hdf5_example(folder):
    with h5py.File(folder / "a.h5", "w") as file:
        file["data"] = VALUES
    return Example(folder / "a.h5", VALUES, name="data")


def zarr_example(folder):
    zarr.create_array(folder / "a.zarr", data=VALUES, chunks=(1, 24, 32))
    return Example(folder / "a.zarr", VALUES)


EXAMPLES = {
    "numpy": numpy_example,
    "tiff": tiff_example,
    "png": png_example,
    "hdf5": hdf5_example,
    "zarr": zarr_example,
}


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_built_in_readers_conform(name, number, tmp_path):
    reader_checks(name, EXAMPLES[name](tmp_path))[number]()


class RawReader:
    """Keeps the contract: bytes of 24 x 32 voxels."""

    def matches(self, path):
        return path.suffix == ".raw"

    def open(self, path, name):
        return Source(LazyArray(str(path), (24, 32), np.dtype(np.uint8), ((24,), (32,)), RawRead(path)))


class RawRead:
    def __init__(self, path):
        self.path = path

    def __call__(self, box):
        return np.frombuffer(self.path.read_bytes(), np.uint8).reshape(24, 32)[box]


class Greedy(RawReader):
    def matches(self, path):
        return True


def changed(**values):
    """A reader whose array has other fields."""

    class Changed(RawReader):
        def open(self, path, name):
            source = super().open(path, name)
            return replace(source, array=replace(source.array, **{k: v(path) for k, v in values.items()}))

    return Changed()


class Sized(RawReader):
    def open(self, path, name):
        return replace(super().open(path, name), voxel_size=(1.0, 1.0))


class Whole(RawRead):
    def __call__(self, box):
        return super().__call__((slice(0, 24), slice(0, 32)))


class Padded(RawRead):
    def __call__(self, box):
        return np.frombuffer(self.path.read_bytes().ljust(24 * 32, b"0"), np.uint8).reshape(24, 32)[box]


class Flipped(RawRead):
    def __call__(self, box):
        return super().__call__((slice(None), slice(None)))[::-1][box]


class Local(RawRead):
    def __reduce__(self):
        return Flipped, (self.path,)


READERS_WITH_FAULTS = {
    "matches": Greedy(),
    "values": changed(read=Flipped),
    "boxes": changed(read=Whole),
    "chunks": changed(chunks=lambda path: ((12,), (32,))),
    "metadata": Sized(),
    "pickles": changed(read=Local),
    "damage_is_an_error": changed(read=Padded),
}


@pytest.fixture
def example(tmp_path):
    (tmp_path / "a.raw").write_bytes(VALUES[0].tobytes())
    return Example(tmp_path / "a.raw", VALUES[0])


def test_a_reader_that_keeps_the_contract_passes(example, monkeypatch):
    monkeypatch.setattr(READERS, "get", lambda name: RawReader())
    check_reader("raw", example)


@pytest.mark.parametrize("name", READERS_WITH_FAULTS)
def test_a_fault_is_detected_by_its_check(name, example, monkeypatch):
    monkeypatch.setattr(READERS, "get", lambda _: READERS_WITH_FAULTS[name])
    (check,) = [check for check in reader_checks("raw", example) if check.name == name]
    with pytest.raises(AssertionError):
        check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == set(READERS_WITH_FAULTS)
