from __future__ import annotations

import sys

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.readers import ebsd
from matvae.errors import InputError, MissingExtraError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

STEP_Y, STEP_X = 0.5, 0.25
PHASES = np.random.default_rng(0).integers(1, 3, (23, 31)).astype(np.int16)
HOLES = np.where(np.random.default_rng(1).random((23, 31)) < 0.1, -1, PHASES).astype(np.int16)


def write_ang(path, phases):
    """Write with orix, which marks points that were not indexed by a confidence index of -1."""
    import orix.io
    from diffpy.structure import Lattice, Structure
    from orix.crystal_map import CrystalMap, Phase, PhaseList
    from orix.quaternion import Rotation

    rows, columns = np.indices(phases.shape)
    structures = [Structure(title=name, lattice=Lattice(3, 3, 3, 90, 90, 90)) for name in ("austenite", "ferrite")]
    crystal_map = CrystalMap(
        rotations=Rotation.identity((phases.size,)),
        phase_id=phases.ravel(),
        x=columns.ravel() * STEP_X,
        y=rows.ravel() * STEP_Y,
        phase_list=PhaseList([Phase(point_group="m-3m", structure=structure) for structure in structures], ids=[1, 2]),
        prop={"confidence": np.ones(phases.size)},
        scan_unit="um",
    )
    orix.io.save(str(path), crystal_map, confidence_index_prop="confidence", overwrite=True)
    return path


def write_ctf(path, phases):
    """Write the text format of Oxford Instruments, where points that were not indexed have the phase 0."""
    header = ["Channel Text File", "Prj\tmap", "Author\tmatvae", "JobMode\tGrid"]
    header += [f"XCells\t{phases.shape[1]}", f"YCells\t{phases.shape[0]}", f"XStep\t{STEP_X}", f"YStep\t{STEP_Y}"]
    header += ["AcqE1\t0", "AcqE2\t0", "AcqE3\t0", "Euler angles refer to Sample Coordinate system (CS0)!", "Phases\t2"]
    header += [f"3;3;3\t90;90;90\t{name}\t11\t225\t\t\t" for name in ("austenite", "ferrite")]
    header += ["Phase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS"]
    points = [
        f"{max(phase, 0)}\t{column * STEP_X:.4f}\t{row * STEP_Y:.4f}\t8\t0\t10\t20\t30\t0.5\t100\t200"
        for (row, column), phase in np.ndenumerate(phases)
    ]
    path.write_text("\n".join([*header, *points]) + "\n")
    return path


WRITERS = {"a.ang": write_ang, "a.ctf": write_ctf}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, name, tmp_path):
    path = WRITERS[name](tmp_path / name, PHASES)
    example = Example(path, PHASES, None, None, (STEP_Y, STEP_X), "micrometer", axes="yx", origin=(-0.25, -0.125))
    reader_checks("ebsd", example)[number]()


@pytest.mark.parametrize("name", WRITERS)
def test_a_map_has_its_phases_step_and_origin(name, tmp_path):
    opened = open_structures(WRITERS[name](tmp_path / name, PHASES), phase_values="auto")
    np.testing.assert_array_equal(opened.data.compute(), PHASES[None] - 1)
    assert opened.grid.axes == ("y", "x")
    assert opened.grid.voxel_size == (0.5, 0.25)
    assert opened.grid.unit == "micrometer"
    # The first point is the centre of the first voxel.
    assert opened.grid.origin == (-0.25, -0.125)
    assert opened.attributes["phase_values"] == [1, 2]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("phase_values", [None, "auto", (1, 2)])
def test_points_that_were_not_indexed_are_refused(name, phase_values, tmp_path):
    path = WRITERS[name](tmp_path / name, HOLES)
    with pytest.raises(InputError, match=rf"but {np.sum(HOLES == -1)} of 713 points .* phase_values=\(-1, 1, 2\)"):
        open_structures(path, phase_values=phase_values)


@pytest.mark.parametrize("name", WRITERS)
def test_points_that_were_not_indexed_can_be_a_phase_of_their_own(name, tmp_path):
    opened = open_structures(WRITERS[name](tmp_path / name, HOLES), phase_values=(-1, 1, 2))
    np.testing.assert_array_equal(opened.data[0].compute(), np.maximum(HOLES, 0))


def test_the_order_of_the_points_does_not_matter(tmp_path):
    path = write_ang(tmp_path / "a.ang", PHASES)
    lines = path.read_text().splitlines()
    n_header = sum(line.startswith("#") for line in lines)
    points = np.random.default_rng(0).permutation(lines[n_header:]).tolist()
    path.write_text("\n".join(lines[:n_header] + points) + "\n")
    np.testing.assert_array_equal(ebsd.reader.open(path, None).array[...], PHASES)


def test_hexagonal_grids_are_refused(tmp_path):
    path = write_ctf(tmp_path / "a.ctf", PHASES)
    lines = path.read_text().splitlines(keepends=True)
    is_kept = np.sum(np.indices(PHASES.shape), axis=0).ravel() % 2 == 0
    points = [line for line, kept in zip(lines[-PHASES.size :], is_kept, strict=True) if kept]
    path.write_text("".join(lines[: -PHASES.size] + points))
    with pytest.raises(InputError, match=r"should have its points on a square grid, .* lie on a hexagonal one"):
        open_structures(path)


@pytest.mark.parametrize("name", WRITERS)
def test_maps_with_gaps_or_cut_off_are_refused(name, tmp_path):
    path = WRITERS[name](tmp_path / name, PHASES)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-5] + lines[-4:]))
    with pytest.raises(InputError, match="its 712 points do not fill the 23 x 31 grid"):
        open_structures(path)
    path.write_text("".join([*lines[:-1], lines[-2]]))
    with pytest.raises(InputError, match="its 713 points do not fill the 23 x 31 grid"):
        open_structures(path)
    path.write_text("".join(lines[:-31]))
    with pytest.raises(InputError, match="declares 23 rows of points, but has 22"):
        open_structures(path)


def test_the_extra_is_named_if_orix_is_missing(tmp_path, monkeypatch):
    path = write_ctf(tmp_path / "a.ctf", PHASES)
    monkeypatch.setitem(sys.modules, "orix.io.plugins", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[ebsd\]'"):
        open_structures(path)
