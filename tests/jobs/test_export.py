from __future__ import annotations

import json

import numpy as np
import pytest
import pyvista

from matvae import Grid, save_structures
from matvae.errors import InputError
from matvae.jobs import export_structures

LABELS = np.random.default_rng(0).integers(0, 3, (4, 3, 4, 5)).astype(np.uint8)


@pytest.fixture
def rock(tmp_path):
    grid = Grid((3, 4, 5), phases=3, voxel_size=(2.0, 0.5, 0.25), unit="micrometer")
    save_structures(tmp_path / "rock.zarr", LABELS, grid=grid)
    return tmp_path / "rock.zarr"


def test_the_result_is_ready_for_json(rock, tmp_path):
    result = export_structures(rock, tmp_path / "a.vti", samples=slice(1, 3))
    assert result["files"] == [str(tmp_path / "a_0001.vti"), str(tmp_path / "a_0002.vti")]
    assert (result["format"], result["samples"], result["notes"]) == ("vti", [1, 2], [])
    assert result["bytes"] == sum((tmp_path / f"a_000{i}.vti").stat().st_size for i in (1, 2))
    assert Grid.from_dict(json.loads(json.dumps(result))["grid"]).voxel_size == (2.0, 0.5, 0.25)
    values = pyvista.read(tmp_path / "a_0002.vti").cell_data["phase"].reshape(3, 4, 5)
    np.testing.assert_array_equal(values, LABELS[2])


def test_voxel_size_and_unit_can_be_stated(rock, tmp_path):
    result = export_structures(rock, tmp_path / "a.vti", samples=0, voxel_size=3.0, unit="nm")
    assert (result["grid"]["voxel_size"], result["grid"]["unit"]) == ([3.0] * 3, "nm")
    assert pyvista.read(tmp_path / "a.vti").bounds == (0, 15, 0, 12, 0, 9)


def test_notes_are_logged(rock, tmp_path, caplog):
    with caplog.at_level("INFO", logger="matvae"):
        result = export_structures(rock, tmp_path / "a.npy")
    assert result["notes"] == [record.getMessage() for record in caplog.records]
    assert "npy does not hold the voxel size (2 x 0.5 x 0.25 micrometer)" in caplog.text


def test_an_output_inside_the_source_is_refused(rock):
    with pytest.raises(InputError, match="must not contain one another"):
        export_structures(rock, rock / "a.vti", samples=0)
    with pytest.raises(InputError, match="must not contain one another"):
        export_structures(rock, rock, overwrite=True)


def test_a_file_of_all_samples_does_not_hinder_files_of_single_ones(rock, tmp_path):
    export_structures(rock, tmp_path / "a.vti", samples=0)
    assert len(export_structures(rock, tmp_path / "a.vti", samples="all")["files"]) == 4
    with pytest.raises(InputError, match="exists already"):
        export_structures(rock, tmp_path / "a.vti", samples="all")
