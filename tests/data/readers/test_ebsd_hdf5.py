from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest

from matvae.data import open_structures
from matvae.errors import InputError, MissingExtraError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

STEPS = (2.0, 0.5, 0.25)
PHASES = np.random.default_rng(0).integers(1, 3, (14, 230, 500)).astype(np.int16)
HOLES = np.where(np.random.default_rng(1).random(PHASES.shape) < 0.1, -1, PHASES).astype(np.int16)


def write_h5oina(path, phases, slices=("1",)):
    """Write a map as the specification of H5OINA says: one row per point, 0 where it was not indexed."""
    with h5py.File(path, "w") as file:
        for name in slices:
            file[f"{name}/EBSD/Data/Phase"] = np.maximum(phases, 0).astype(np.uint8).reshape(-1, 1)
            file[f"{name}/EBSD/Data/Phase"].attrs["Unit"] = ""
            for axis, cells, step in zip("YX", phases.shape, STEPS[1:], strict=True):
                file[f"{name}/EBSD/Header/{axis} Cells"] = np.array([[cells]], np.int32)
                file[f"{name}/EBSD/Header/{axis} Step"] = np.array([[step]], np.float32)
    return path


def write_h5ebsd(path, phases, manufacturer="HKL", order="Low To High"):
    """Write slices as DREAM.3D does, beginning at index 7."""
    with h5py.File(path, "w") as file:
        file["Index"] = np.arange(7, 7 + len(phases), dtype=np.int32)
        file["Stacking Order"] = np.array([0], np.uint32)
        file["Stacking Order"].attrs["Name"] = order
        for axis, length, step in zip("ZYX", phases.shape, STEPS, strict=True):
            file[f"{axis} Resolution"] = np.array([step], np.float32)
            if axis != "Z":
                file[f"Max {axis} Points"] = np.array([length], np.int64)
        for index, layer in enumerate(phases, 7):
            if manufacturer == "HKL":
                file[f"{index}/Data/Phase"] = np.maximum(layer, 0).astype(np.int32).ravel()
                file[f"{index}/Header/XCells"] = layer.shape[1]
            else:
                file[f"{index}/Data/PhaseData"] = np.maximum(layer, 1).astype(np.int32).ravel()
                file[f"{index}/Data/Confidence Index"] = np.where(layer == -1, -1, 0.5).astype(np.float32).ravel()
                file[f"{index}/Header/GRID"] = "SqrGrid"
    return path


def h5oina_example(folder):
    return Example(write_h5oina(folder / "a.h5oina", PHASES[0]), PHASES[0], voxel_size=STEPS[1:], unit="micrometer")


def h5ebsd_example(folder):
    return Example(write_h5ebsd(folder / "a.h5ebsd", PHASES), PHASES, voxel_size=STEPS, unit="micrometer")


def tsl_h5ebsd_example(folder):
    path = write_h5ebsd(folder / "a.h5ebsd", PHASES, "TSL")
    return Example(path, PHASES, voxel_size=STEPS, unit="micrometer")


@pytest.mark.parametrize("write", [h5oina_example, h5ebsd_example, tsl_h5ebsd_example])
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, write, tmp_path):
    reader_checks("ebsd", write(tmp_path))[number]()


def test_a_map_of_oxford_instruments_is_one_image(tmp_path):
    opened = open_structures(write_h5oina(tmp_path / "a.h5oina", PHASES[0]), phase_values="auto")
    np.testing.assert_array_equal(opened.data.compute(), PHASES[:1] - 1)
    assert opened.grid.voxel_size == (0.5, 0.25)
    assert opened.grid.unit == "micrometer"
    assert opened.grid.origin == (-0.25, -0.125)


@pytest.mark.parametrize("manufacturer", ["HKL", "TSL"])
def test_slices_of_dream3d_are_one_volume(manufacturer, tmp_path):
    opened = open_structures(write_h5ebsd(tmp_path / "a.h5ebsd", PHASES, manufacturer), phase_values=(1, 2))
    np.testing.assert_array_equal(opened.data.compute(), PHASES[None] - 1)
    assert opened.grid.axes == ("z", "y", "x")
    assert opened.grid.voxel_size == STEPS


def test_slices_stacked_from_the_highest_index_are_reversed(tmp_path):
    opened = open_structures(write_h5ebsd(tmp_path / "a.h5ebsd", PHASES, order="High To Low"), phase_values=(1, 2))
    np.testing.assert_array_equal(opened.data[0].compute(), PHASES[::-1] - 1)


@pytest.mark.parametrize("manufacturer", ["HKL", "TSL", "Oxford"])
def test_points_that_were_not_indexed_are_refused_or_a_phase_of_their_own(manufacturer, tmp_path):
    if manufacturer == "Oxford":
        path, holes = write_h5oina(tmp_path / "a.h5oina", HOLES[0]), HOLES[:1]
    else:
        path, holes = write_h5ebsd(tmp_path / "a.h5ebsd", HOLES, manufacturer), HOLES[None]
    with pytest.raises(InputError, match=rf"{np.sum(holes == -1)} of {holes.size} points"):
        open_structures(path, phase_values="auto")
    opened = open_structures(path, phase_values=(-1, 1, 2))
    np.testing.assert_array_equal(opened.data.compute(), np.maximum(holes, 0))


def test_files_of_another_layout_line_scans_and_several_maps_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5ebsd", "w") as file:
        file["Scan 1/EBSD/phase map"] = PHASES[0]
    with pytest.raises(InputError, match=r"should hold one EBSD map, .* but has 0 in a layout that is known"):
        open_structures(tmp_path / "a.h5ebsd")
    with pytest.raises(InputError, match="but has 2 in a layout that is known"):
        open_structures(write_h5oina(tmp_path / "b.h5oina", PHASES[0], ("1", "2")))
    path = write_h5oina(tmp_path / "c.h5oina", PHASES[0, :1])
    with h5py.File(path, "r+") as file:
        file["1/EBSD/Header/Y Step"][...] = 0
    with pytest.raises(InputError, match="but holds a line scan"):
        open_structures(path)


def test_points_that_do_not_fill_the_grid_and_hexagonal_grids_are_refused(tmp_path):
    path = write_h5oina(tmp_path / "a.h5oina", PHASES[0])
    with h5py.File(path, "r+") as file:
        file["1/EBSD/Header/X Cells"][...] = 501
    with pytest.raises(InputError, match="at each place of a 230 x 501 grid, but has 115000 points"):
        open_structures(path)
    path = write_h5ebsd(tmp_path / "b.h5ebsd", PHASES, "TSL")
    with h5py.File(path, "r+") as file:
        del file["9/Header/GRID"]
        file["9/Header/GRID"] = "HexGrid"
    with pytest.raises(InputError, match="slice 9 has a hexagonal one"):
        open_structures(path)


def test_the_extra_is_named_if_h5py_is_missing(tmp_path, monkeypatch):
    path = write_h5oina(tmp_path / "a.h5oina", PHASES[0])
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[ebsd\]'"):
        open_structures(path)
