"""Voxel meshes, read back by meshio; numbering and types of elements as text."""

from __future__ import annotations

import meshio
import numpy as np
import pytest

from matvae import Grid
from matvae.data import write
from matvae.data.writers import abaqus

GRID = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", origin=(10, 20, 30))
MARKED = np.zeros((3, 4, 5), np.uint8)
MARKED[2, 1, 3] = 1


def volumes(mesh):
    """Volumes of hexahedra spanned by the edges at their first node; positive if nodes are in the order of Abaqus."""
    nodes = mesh.points[np.concatenate([cells.data for cells in mesh.cells])]
    edges = nodes[:, [1, 3, 4]] - nodes[:, [0]]
    return np.linalg.det(edges)


def test_every_voxel_is_an_element_of_its_size_in_the_set_of_its_phase(tmp_path):
    write(MARKED, tmp_path / "a.inp", grid=GRID)
    mesh = meshio.read(tmp_path / "a.inp")
    assert len(mesh.points) == 4 * 5 * 6
    assert [cells.type for cells in mesh.cells] == ["hexahedron", "hexahedron"]
    np.testing.assert_allclose(volumes(mesh), np.full(60, 0.25))
    assert [len(members) for members in mesh.cell_sets["PHASE_0"]] == [59, 0]
    assert [len(members) for members in mesh.cell_sets["PHASE_1"]] == [0, 1]
    marked = mesh.points[mesh.cells[1].data[0]]
    assert [*marked.min(axis=0), *marked.max(axis=0)] == [30.75, 20.5, 14, 31, 21, 16]
    assert [*mesh.points.min(axis=0), *mesh.points.max(axis=0)] == [30, 20, 10, 31.25, 22, 16]


def test_nodes_of_elements_are_in_the_order_of_abaqus(tmp_path):
    """Counterclockwise at the bottom, then above: (0,0) (1,0) (1,1) (0,1) along x and y."""
    write(np.zeros((1, 1, 1), np.uint8), tmp_path / "a.inp", grid=Grid((1, 1, 1)))
    text = (tmp_path / "a.inp").read_text()
    assert "*ELEMENT, TYPE=C3D8, ELSET=PHASE_0\n1, 1, 2, 4, 3, 5, 6, 8, 7\n" in text
    write(np.zeros((1, 1), np.uint8), tmp_path / "b.inp", grid=Grid((1, 1)))
    assert "*ELEMENT, TYPE=CPS4, ELSET=PHASE_0\n1, 1, 2, 4, 3\n" in (tmp_path / "b.inp").read_text()


def test_images_are_plane_meshes(tmp_path):
    write(MARKED[2], tmp_path / "a.inp", grid=Grid((4, 5), phases=2, voxel_size=(0.5, 0.25)))
    mesh = meshio.read(tmp_path / "a.inp")
    assert mesh.points.shape == (30, 2)
    np.testing.assert_allclose(mesh.points[mesh.cells[1].data[0]], [[0.75, 0.5], [1, 0.5], [1, 1], [0.75, 1]])
    assert set(mesh.point_sets) == {"XMIN", "XMAX", "YMIN", "YMAX"}


def test_faces_are_sets_of_nodes(tmp_path):
    write(MARKED, tmp_path / "a.inp", grid=GRID)
    mesh = meshio.read(tmp_path / "a.inp")
    sides = {"XMIN": 30, "XMAX": 31.25, "YMIN": 20, "YMAX": 22, "ZMIN": 10, "ZMAX": 16}
    assert set(mesh.point_sets) == set(sides)
    for name, position in sides.items():
        axis = "XYZ".index(name[0])
        assert mesh.point_sets[name].tolist() == np.flatnonzero(mesh.points[:, axis] == position).tolist()
    text = (tmp_path / "a.inp").read_text()
    # Abaqus takes up to 16 numbers per line of a set.
    assert max(line.count(",") for line in text.partition("*NSET, NSET=XMIN")[2].splitlines()) == 15


def test_rows_in_several_parts_are_those_in_one(tmp_path, monkeypatch):
    labels = np.random.default_rng(0).integers(0, 3, (3, 4, 5))
    write(labels, tmp_path / "a.inp", grid=GRID)
    monkeypatch.setattr(abaqus, "_ROWS", 7)
    write(labels, tmp_path / "b.inp", grid=GRID)
    assert (tmp_path / "a.inp").read_text() == (tmp_path / "b.inp").read_text()


def test_a_phase_that_does_not_occur_is_said(tmp_path):
    (note,) = write(MARKED, tmp_path / "a.inp", grid=GRID).notes
    assert "no voxel has the phase 2" in note
    assert "PHASE_2" not in (tmp_path / "a.inp").read_text()


@pytest.mark.parametrize(("unit", "said"), [("micrometer", "micrometer"), ("µm", "\\xb5m"), (None, "not known")])
def test_the_unit_is_a_comment(tmp_path, unit, said):
    write(MARKED, tmp_path / "a.inp", grid=Grid((3, 4, 5), phases=2, voxel_size=1.0, unit=unit))
    assert f"** Unit of length: {said}\n" in (tmp_path / "a.inp").read_text(encoding="ascii")
