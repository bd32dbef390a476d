"""Built-in writers pass the suite by independent readers, and each fault is detected by its check."""

from __future__ import annotations

import json
from dataclasses import replace

import damask
import meshio
import numpy as np
import pytest
import pyvista
import tifffile
import zarr

from matvae.data.writers import WRITERS, Writer
from matvae.data.writers.numpy import NumpyWriter
from matvae.testing import Content, check_writer, writer_checks
from matvae.testing.writer import CHECKS


def read_vti(path):
    image = pyvista.read(path)
    (name,) = image.cell_data.keys()
    assert name == ("field" if image.cell_data[name].dtype.kind == "f" else "phase")
    array = image.cell_data[name].reshape(np.array(image.dimensions)[::-1] - 1)
    unit = str(image.field_data["unit"][0]) if "unit" in image.field_data.keys() else None  # noqa: SIM118
    return Content(array, image.spacing[::-1], unit, image.origin[::-1])


def read_damask(path):
    grid = damask.GeomGrid.load(path)
    return Content(grid.material.T, tuple((grid.size / grid.cells)[::-1]), "m", tuple(grid.origin[::-1]))


def read_imagej(path):
    with tifffile.TiffFile(path) as file:
        series, said, tags = file.series[0], file.imagej_metadata, file.pages[0].tags
        if "unit" not in said:
            return Content(series.asarray())
        resolution = [tags[f"{axis}Resolution"].value for axis in "YX"]
        size = tuple(of / pixels for pixels, of in resolution)
        if "Z" in series.axes:
            size = (said["spacing"], *size)
        # ImageJ: coordinate = (pixel - origin) * size, with whole numbers at the corners of pixels.
        names = "zyx"[-len(size) :]
        origin = tuple(-said[f"{axis}origin"] * length for axis, length in zip(names, size, strict=True))
        return Content(series.asarray(), size, said["unit"], origin)


def read_ome_tiff(path):
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        assert series.kind == "ome"
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        axes = [axis for axis in series.axes if axis != "T"]
        if "PhysicalSizeX" not in pixels:
            return Content(series.asarray())
        size = tuple(pixels[f"PhysicalSize{axis}"] for axis in axes)
        (unit,) = {pixels[f"PhysicalSize{axis}Unit"] for axis in axes}
        return Content(series.asarray(), size, unit)


def read_npy(path):
    return Content(np.load(path))


def read_raw(path):
    header = json.loads(path.with_suffix(".json").read_text())
    assert header["phases"] in (1, 3)
    dtype = np.dtype(header["dtype"]).newbyteorder(header["byteorder"])
    array = np.fromfile(path, dtype, offset=header["offset"]).reshape(header["shape"])
    assert header["axes"] == "szyx"[-array.ndim :]
    return Content(array, header["voxel_size"], header["unit"], header["origin"])


def read_ome_zarr(path):
    group = zarr.open_group(path, mode="r", zarr_format=3)
    (image,) = group.attrs["ome"]["multiscales"]
    space = [axis for axis in image["axes"] if axis["type"] == "space"]
    (level,) = image["datasets"]
    parts = {part["type"]: part[part["type"]][-len(space) :] for part in level["coordinateTransformations"]}
    origin = None
    if "translation" in parts:
        # By OME-Zarr, coordinates are those of the centres of voxels.
        origin = tuple(np.array(parts["translation"]) - np.array(parts["scale"]) / 2)
    return Content(group[level["path"]][...], tuple(parts["scale"]), space[-1].get("unit"), origin)


def read_abaqus(path):
    mesh = meshio.read(path)
    dims = mesh.points.shape[1]
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    # Without knowledge of the numbering: voxels are where the centres of elements lie.
    steps = [np.unique(np.round(mesh.points[:, axis], 9)) for axis in range(dims)]
    size = np.array([values[1] - values[0] for values in steps])
    array = np.full([len(values) - 1 for values in steps], 255, np.uint8)
    for phase in range(3):
        for cells, members in zip(mesh.cells, mesh.cell_sets.get(f"PHASE_{phase}", []), strict=False):
            centres = mesh.points[cells.data[members]].mean(axis=1) if len(members) else np.empty((0, dims))
            array[tuple(np.floor((centres - low) / size).astype(int).T)] = phase
    for axis in range(dims):
        for side, position in (("MIN", low), ("MAX", high)):
            nodes = np.flatnonzero(mesh.points[:, axis] == position[axis])
            np.testing.assert_array_equal(mesh.point_sets[f"{'XYZ'[axis]}{side}"], nodes)
    unit = path.read_text().partition("** Unit of length: ")[2].partition("\n")[0]
    return Content(array.T, tuple(size[::-1]), unit, tuple(low[::-1]))


# The number of voxels is not in a surface, but follows from the extent of the structures of the suite along x, y, z.
CELLS = {
    (1.25, 2.0, 6.0): (5, 4, 3),
    (5.0, 4.0, 3.0): (5, 4, 3),
    (1.25, 2.0, 0.25): (5, 4, 1),
    (1.25, 0.25, 0.25): (5, 1, 1),
}


def read_stl(path):
    """Find the voxels whose centre a surface encloses, on the grid that the surfaces together fill."""
    surfaces = [pyvista.read(file) for file in sorted(path.parent.glob("*.stl"))]
    phases = [int(file.stem[-1]) for file in sorted(path.parent.glob("*.stl"))]
    bounds = np.array([surface.bounds for surface in surfaces])
    low, high = bounds[:, ::2].min(axis=0), bounds[:, 1::2].max(axis=0)
    cells = CELLS[tuple((high - low).round(4).tolist())]
    size = (high - low) / cells
    centres = pyvista.ImageData(dimensions=cells, spacing=tuple(size), origin=tuple(low + size / 2))
    array = np.full(cells[::-1], 255, np.uint8)
    for phase, surface in zip(phases, surfaces, strict=True):
        inside = centres.select_interior_points(surface)["selected_points"].astype(bool)
        array[inside.reshape(array.shape)] = phase
    return Content(array, tuple(size[::-1]), None, tuple(low[::-1]))


READ = {
    "vti": read_vti,
    "damask": read_damask,
    "tiff": read_imagej,
    "ome-tiff": read_ome_tiff,
    "npy": read_npy,
    "raw": read_raw,
    "ome-zarr": read_ome_zarr,
    "abaqus": read_abaqus,
    "stl": read_stl,
}


def test_every_built_in_writer_is_checked():
    assert set(READ) == set(WRITERS.builtin)


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_built_in_writers_conform(name, number):
    writer_checks(name, READ[name])[number]()


class Sized(NumpyWriter):
    """Writer of .npy files with the lengths in a file beside them."""

    holds = frozenset({"samples", "fields", "voxel_size", "unit", "origin"})

    def paths(self, path, grid):
        return [path, path.with_suffix(".json")]

    def write(self, path, structures):
        super().write(path, structures)
        path.with_suffix(".json").write_text(json.dumps(self.lengths(structures.grid)))
        return []

    def lengths(self, grid):
        return grid.voxel_size, grid.unit, grid.origin


def read_sized(path):
    return Content(np.load(path), *json.loads(path.with_suffix(".json").read_text()))


class UpperCase(Sized):
    suffixes = (".npy", ".NPY")


class Silent(Sized):
    def paths(self, path, grid):
        return [path]


class Changed(Sized):
    """A writer that writes something else than what it is given."""

    def change(self, structures):
        raise NotImplementedError

    def write(self, path, structures):
        return super().write(path, self.change(structures))


class XSlowest(Changed):
    def change(self, structures):
        return replace(structures, data=structures.data.transpose(0, 3, 2, 1).reshape(structures.data.shape))


class Padded(Changed):
    """A layer in front of structures of two dimensions, which the writer does not state."""

    def change(self, structures):
        if structures.grid.ndim == 3:
            return structures
        shape = (1, *structures.grid.shape)
        grid = replace(structures.grid, shape=shape, axes=None, voxel_size=None, origin=None)
        return replace(structures, data=structures.data[:, None], grid=grid)


class Reversed(Sized):
    """Lengths along x, y, z."""

    def lengths(self, grid):
        return grid.voxel_size and grid.voxel_size[::-1], grid.unit, grid.origin and grid.origin[::-1]


class Assuming(Sized):
    def lengths(self, grid):
        return grid.voxel_size or (0.5, 0.5, 0.5), grid.unit, grid.origin


class Backwards(Changed):
    def change(self, structures):
        return replace(structures, data=structures.data[::-1])


class Rounded(Changed):
    def change(self, structures):
        return replace(structures, data=structures.data.round())


FAULTS = {
    "statements": UpperCase(),
    "files": Silent(),
    "values": XSlowest(),
    "layers": Padded(),
    "lengths": Reversed(),
    "unknown_lengths": Assuming(),
    "samples": Backwards(),
    "fields": Rounded(),
}


def test_a_conforming_writer_passes(monkeypatch):
    monkeypatch.setattr(WRITERS, "get", lambda name: Sized())
    check_writer("sized", read_sized)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_detected_by_its_check(name, monkeypatch):
    monkeypatch.setattr(WRITERS, "get", lambda _: FAULTS[name])
    (check,) = [check for check in writer_checks("faulty", read_sized) if check.name == name]
    with pytest.raises(AssertionError):
        check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == set(FAULTS)


def test_a_writer_of_another_class_is_refused(monkeypatch):
    monkeypatch.setattr(WRITERS, "get", lambda name: object())
    with pytest.raises(AssertionError, match=r"derived from matvae\.data\.writers\.Writer"):
        check_writer("other", read_sized)
    assert not issubclass(object, Writer)
