"""Built-in readers pass the suite, and each fault is detected by its check."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from matvae.data.lazy_array import LazyArray
from matvae.data.readers import READERS, Source
from matvae.errors import InputError
from matvae.testing import Example, check_reader, reader_checks
from matvae.testing.reader import CHECKS

VALUES = np.random.default_rng(0).integers(0, 200, (5, 24, 32)).astype(np.uint8)
LARGE = np.random.default_rng(1).integers(0, 200, (16, 250, 300)).astype(np.uint8)


def numpy_example(folder):
    np.save(folder / "a.npy", VALUES)
    return Example(folder / "a.npy", VALUES)


def numpy_archive_example(folder):
    np.savez_compressed(folder / "a.npz", other=VALUES[0], labels=LARGE)
    return Example(folder / "a.npz", LARGE, name="labels")


def tiff_example(folder):
    tifffile.imwrite(folder / "a.tif", VALUES, photometric="minisblack")
    return Example(folder / "a.tif", VALUES)


def large_tiff_example(folder):
    tifffile.imwrite(folder / "a.tif", LARGE, photometric="minisblack", compression="zlib")
    return Example(folder / "a.tif", LARGE)


def tiff_folder_example(folder):
    (folder / "images").mkdir()
    for i, image in enumerate(LARGE):
        tifffile.imwrite(folder / "images" / f"{i}.tif", image)
    return Example(folder / "images", LARGE)


def imagej_example(folder):
    metadata = {"axes": "ZYX", "spacing": 2.0, "unit": "um"}
    tifffile.imwrite(folder / "a.tif", LARGE, imagej=True, resolution=(4, 2), metadata=metadata)
    return Example(folder / "a.tif", LARGE, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", axes="zyx")


def tiff_series_example(folder):
    for image in VALUES:
        tifffile.imwrite(folder / "a.tif", image, append=True)
    return Example(folder / "a.tif", VALUES, axes="qyx")


def tiff_archive_example(folder):
    tifffile.imwrite(folder / "a.tif", VALUES, photometric="minisblack")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.tif", "a.tif")
    return Example(folder / "a.zip", VALUES)


def bitmap_example(folder):
    Image.fromarray(VALUES[0]).save(folder / "a.bmp")
    return Example(folder / "a.bmp", VALUES[0], axes="yx")


def png_example(folder):
    Image.fromarray(VALUES[0]).save(folder / "a.png")
    return Example(folder / "a.png", VALUES[0])


def png_folder_example(folder):
    (folder / "images").mkdir()
    for i, image in enumerate(LARGE):
        Image.fromarray(image).save(folder / "images" / f"{i}.png")
    return Example(folder / "images", LARGE)


def hdf5_example(folder):
    with h5py.File(folder / "a.h5", "w") as file:
        file["data"] = VALUES
    return Example(folder / "a.h5", VALUES, name="data")


def dream3d_example(folder):
    with h5py.File(folder / "a.dream3d", "w") as file:
        data = LARGE[..., None]
        file.create_dataset("DataContainers/Volume/CellData/Phases", data=data, chunks=(1, 250, 300, 1))
        file["DataContainers/Volume/_SIMPL_GEOMETRY/SPACING"] = np.array([0.25, 0.5, 2.0], np.float32)
        file["DataContainers/Volume/_SIMPL_GEOMETRY/ORIGIN"] = np.array([1.0, 2.0, 3.0], np.float32)
    return Example(
        folder / "a.dream3d",
        LARGE,
        name="Phases",
        spatial_dims=3,
        voxel_size=(2.0, 0.5, 0.25),
        axes="zyx",
        origin=(3.0, 2.0, 1.0),
    )


def dream3d_nx_example(folder):
    with h5py.File(folder / "a.dream3d", "w") as file:
        geometry = file.create_group("DataStructure/Image")
        geometry.attrs["ObjectType"] = np.bytes_(b"ImageGeom")
        geometry.attrs["_DIMENSIONS"] = np.array(LARGE.shape[::-1], "u8")
        geometry.attrs["_SPACING"] = np.array([0.25, 0.5, 2.0], "f4")
        geometry.attrs["_ORIGIN"] = np.zeros(3, "f4")
        geometry.create_dataset("Cell Data/Phases", data=LARGE[..., None], chunks=(1, 250, 300, 1))
    return Example(
        folder / "a.dream3d", LARGE, spatial_dims=3, voxel_size=(2.0, 0.5, 0.25), axes="zyx", origin=(0, 0, 0)
    )


def zarr_example(folder):
    zarr.create_array(folder / "a.zarr", data=VALUES, chunks=(1, 24, 32))
    return Example(folder / "a.zarr", VALUES)


def ome_zarr_example(folder):
    group = zarr.create_group(folder / "a.zarr")
    group.create_array("0", data=LARGE, chunks=(1, 250, 300))
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [level]}]}
    return Example(folder / "a.zarr", LARGE, spatial_dims=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", axes="zyx")


EXAMPLES = [
    ("numpy", numpy_example),
    ("numpy", numpy_archive_example),
    ("tiff", tiff_example),
    ("tiff", large_tiff_example),
    ("tiff", tiff_folder_example),
    ("tiff", imagej_example),
    ("tiff", tiff_series_example),
    ("tiff", tiff_archive_example),
    ("png", bitmap_example),
    ("png", png_example),
    ("png", png_folder_example),
    ("hdf5", hdf5_example),
    ("hdf5", dream3d_example),
    ("hdf5", dream3d_nx_example),
    ("zarr", zarr_example),
    ("zarr", ome_zarr_example),
]


@pytest.mark.parametrize(("name", "write"), EXAMPLES, ids=[write.__name__ for _, write in EXAMPLES])
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_built_in_readers_conform(name, write, number, tmp_path):
    reader_checks(name, write(tmp_path))[number]()


class RawReader:
    """A conforming reader of files with one byte for each of 24 x 32 voxels."""

    def matches(self, path):
        return path.suffix == ".raw"

    def open(self, path, name):
        if name is not None:
            raise InputError(f"{path} has no names, but name={name!r} was given. Omit name.")
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
    """Return a reader whose array has changed fields."""

    class Changed(RawReader):
        def open(self, path, name):
            source = super().open(path, name)
            return replace(source, array=replace(source.array, **{k: v(path) for k, v in values.items()}))

    return Changed()


class Sized(RawReader):
    def open(self, path, name):
        return replace(super().open(path, name), voxel_size=(1.0, 1.0))


class Worded(RawReader):
    def open(self, path, name):
        return replace(super().open(path, name), axes=self.axes)

    def __init__(self, axes):
        self.axes = axes


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


class Eager(RawRead):
    def __init__(self, path):
        self.values = np.frombuffer(path.read_bytes(), np.uint8).reshape(24, 32)

    def __call__(self, box):
        return self.values[box]


class IgnoresNames(RawReader):
    def open(self, path, name):
        return super().open(path, None)


class LargeReader(RawReader):
    """A faulty reader that reads the whole file for every box."""

    def open(self, path, name):
        shape = LARGE.shape
        return Source(LazyArray(str(path), shape, LARGE.dtype, tuple((n,) for n in shape), LargeRead(path)))


class LargeRead(RawRead):
    def __call__(self, box):
        return np.frombuffer(self.path.read_bytes(), np.uint8).reshape(LARGE.shape)[box].copy()


READERS_WITH_FAULTS = {
    "matches": Greedy(),
    "values": changed(read=Flipped),
    "boxes": changed(read=Whole),
    "chunks": changed(chunks=lambda path: ((12,), (32,))),
    "metadata": Sized(),
    "open_reads_no_voxels": changed(read=Eager),
    "pickles": changed(read=Local),
    "unknown_names_are_refused": IgnoresNames(),
    "structures": changed(read=Flipped),
    "damage_is_an_error": changed(read=Padded),
}


@pytest.fixture
def example(tmp_path):
    (tmp_path / "a.raw").write_bytes(VALUES[0].tobytes())
    return Example(tmp_path / "a.raw", VALUES[0])


def test_a_reader_that_reads_more_than_the_box_is_detected(tmp_path, monkeypatch):
    (tmp_path / "a.raw").write_bytes(LARGE.tobytes())
    monkeypatch.setattr(READERS, "get", lambda _: LargeReader())
    (check,) = [check for check in reader_checks("raw", Example(tmp_path / "a.raw", LARGE)) if check.name == "memory"]
    with pytest.raises(AssertionError, match="Reading one layer of 75000 bytes took"):
        check()


def test_a_conforming_reader_passes(example, monkeypatch):
    monkeypatch.setattr(READERS, "get", lambda name: RawReader())
    check_reader("raw", example)


@pytest.mark.parametrize("name", READERS_WITH_FAULTS)
def test_a_fault_is_detected_by_its_check(name, example, monkeypatch):
    monkeypatch.setattr(READERS, "get", lambda _: READERS_WITH_FAULTS[name])
    (check,) = [check for check in reader_checks("raw", example) if check.name == name]
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize("axes", ["y", "ab", "xy"])
def test_wrong_letters_of_axes_are_detected(example, monkeypatch, axes):
    monkeypatch.setattr(READERS, "get", lambda _: Worded(axes))
    (check,) = [check for check in reader_checks("raw", replace(example, axes="yx")) if check.name == "metadata"]
    with pytest.raises(AssertionError, match="axes must"):
        check()
    if axes != "xy":
        (check,) = [check for check in reader_checks("raw", example) if check.name == "metadata"]
        with pytest.raises(AssertionError, match="axes must have one of the letters"):
            check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == {*READERS_WITH_FAULTS, "memory"}
