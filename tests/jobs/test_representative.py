"""The result for JSON, by names of axes, and the figure."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae.data import open_structures, save_structures
from matvae.data.datasets.grf import gaussian_field
from matvae.errors import InputError
from matvae.evaluate import representative_windows
from matvae.grid import Grid
from matvae.jobs import find_representative_windows


@pytest.fixture
def image(tmp_path):
    field = gaussian_field(np.random.default_rng(0).standard_normal((96, 128)), (2, 4))
    grid = Grid((96, 128), voxel_size=(0.5, 0.25), unit="micrometer", periodic=False)
    save_structures(tmp_path / "x.zarr", (field > 0.3).astype(np.uint8)[None], grid=grid)
    return tmp_path / "x.zarr"


def test_results_are_those_of_the_python_function(image):
    result = find_representative_windows(image, tolerance=0.1)
    found = representative_windows(open_structures(image), tolerance=0.1)
    assert json.loads(json.dumps(result)) == result
    assert result["unit"] == "micrometer"
    assert result["recommended"]["window"] == list(found.recommended.window)
    (phase,) = result["phases"]
    assert phase["correlation_length"] == dict(zip("yx", found.phases[0].correlation_length, strict=True))
    assert phase["stationarity"]["volume_fraction"]["drift"]["y"]["change"] == pytest.approx(
        found.phases[0].stationarity["volume_fraction"].drift[0].change
    )
    assert len(result["sizes"]) == len(found.sizes)
    size, expected = result["sizes"][0]["phases"][0], found.sizes[0]
    assert size["volume_fraction"]["expected_sd"] == expected.expected[0]
    assert size["specific_surface"]["x"]["sd"] == expected.phases[0].specific_surface[1].sd


def test_raw_images_are_read_with_their_phase_values_and_voxel_size(tmp_path):
    field = gaussian_field(np.random.default_rng(0).standard_normal((96, 96)), (3, 3))
    np.save(tmp_path / "x.npy", np.where(field > 0, 255, 0).astype(np.uint8))
    result = find_representative_windows(
        tmp_path / "x.npy", phase_values=(0, 255), voxel_size=2.0, unit="nanometer", figure=tmp_path / "x.png"
    )
    assert result["grid"]["voxel_size"] == [2.0, 2.0]
    assert result["phases"][0]["volume_fraction"] == pytest.approx((field > 0).mean())
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    assert result["figure"] == str(tmp_path / "x.png")


def test_a_figure_that_exists_is_kept(image, tmp_path):
    (tmp_path / "x.png").write_text("precious")
    with pytest.raises(InputError, match="overwrite"):
        find_representative_windows(image, figure=tmp_path / "x.png")
    assert (tmp_path / "x.png").read_text() == "precious"
