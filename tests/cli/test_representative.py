"""Output of the command `representative`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae.data.datasets.grf import gaussian_field


@pytest.fixture
def image(tmp_path):
    field = gaussian_field(np.random.default_rng(0).standard_normal((96, 128)), (3, 3))
    np.save(tmp_path / "x.npy", (field > 0.3).astype(np.uint8))
    return tmp_path / "x.npy"


def test_tables_and_json_show_the_same_numbers(matvae, image):
    shown = matvae("representative", image, "--voxel-size", "0.5", "--unit", "um")
    assert shown.code == 0, shown.err
    found = json.loads(matvae("representative", image, "--voxel-size", "0.5", "--unit", "um", "--json").out)
    lines = shown.out.splitlines()
    assert lines[0] == "structure  96 x 128 voxels (y x), 2 phases, not periodic, voxel 0.5 um"
    (phase,) = found["phases"]
    row = next(line for line in lines if line.startswith("1 ")).split()
    assert row[1] == f"{phase['volume_fraction']:.4f}"
    assert row[3] == f"{phase['specific_surface']['y']:.4g}"
    assert row[6] == f"{phase['correlation_length']['x']:.3g}"
    recommended = found["recommended"]
    shape = " x ".join(map(str, recommended["window"]))
    assert f"window   {shape}: three cutoffs" in lines
    assert any(line.startswith(f"{shape} *") for line in lines)
    assert f"need {recommended['n_needed']}" in shown.out
    assert len([line for line in lines if "%" in line and " x " in line]) >= len(found["sizes"])


def test_a_tolerance_out_of_range_is_refused(matvae, image):
    outcome = matvae("representative", image, "--tolerance", "5")
    assert outcome.code == 3
    assert "tolerance must lie between 0 and 1" in outcome.err
