from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid, save_structures
from matvae.data.writers import WRITERS


def test_the_help_names_every_format(matvae):
    shown = matvae("export", "--help").out
    assert [name for name in WRITERS.builtin if name not in shown] == []


def test_one_sample_is_exported_and_described(matvae, store, tmp_path):
    ran = matvae("export", store, tmp_path / "a.npy", "--sample", 2)
    assert ran.code == 0, ran.err
    assert "a.npy (192 bytes)" in ran.out
    assert "format   npy" in ran.out
    assert "samples  2" in ran.out
    assert "8 x 8 voxels (y x), 2 phases, periodic, voxel 0.5 micrometer" in ran.out
    assert "npy does not hold the voxel size (0.5 x 0.5 micrometer)" in ran.err
    assert np.load(tmp_path / "a.npy").shape == (8, 8)


@pytest.mark.parametrize(
    ("samples", "expected"), [("1:3", [1, 2]), ("4:", [4, 5]), (":2", [0, 1]), ("all", [*range(6)])]
)
def test_several_samples_become_numbered_files(matvae, store, tmp_path, samples, expected):
    ran = matvae("export", store, tmp_path / "a.inp", "--samples", samples, "--json")
    assert json.loads(ran.out)["samples"] == expected
    assert sorted(path.name for path in tmp_path.glob("*.inp")) == [f"a_{i:04}.inp" for i in expected]
    again = matvae("export", store, tmp_path / "a.inp", "--samples", samples)
    assert again.code == 3
    assert "exists already" in again.err
    assert matvae("export", store, tmp_path / "a.inp", "--samples", samples, "--overwrite").code == 0


def test_a_name_chooses_the_format(matvae, store, tmp_path):
    result = json.loads(matvae("export", store, tmp_path / "a.vti", "--sample", 0, "--format", "damask", "--json").out)
    assert result["format"] == "damask"
    assert "one layer of voxels along z" in result["notes"][0]
    assert matvae("export", store, tmp_path / "a.vti", "--sample", 0, "--format", "damsk").code == 2


def test_the_advice_for_a_store_of_several_works(matvae, store, tmp_path):
    refused = matvae("export", store, tmp_path / "a.vti")
    assert refused.code == 3
    assert "--sample 0, --samples 0:6 or --samples all" in refused.err
    for name, flags in (("a", ("--sample", 0)), ("b", ("--samples", "0:6")), ("c", ("--samples", "all"))):
        assert matvae("export", store, tmp_path / f"{name}.vti", *flags).code == 0


def test_the_advice_for_an_unknown_voxel_size_works(matvae, tmp_path):
    save_structures(tmp_path / "s.zarr", np.zeros((1, 3, 4, 5), np.uint8), grid=Grid((3, 4, 5)))
    ran = matvae("export", tmp_path / "s.zarr", tmp_path / "a.vti")
    assert "--voxel-size 0.5 --unit micrometer" in ran.err
    ran = matvae("export", tmp_path / "s.zarr", tmp_path / "b.vti", "--voxel-size", "0.5", "--unit", "micrometer")
    assert ran.err == ""
    assert "voxel 0.5 micrometer" in ran.out


@pytest.mark.parametrize("flags", [("--samples", "q"), ("--samples", "1:2,3:4"), ("--sample", "0", "--samples", "all")])
def test_wrong_choices_of_samples_are_usage_errors(matvae, store, tmp_path, flags):
    assert matvae("export", store, tmp_path / "a.npy", *flags).code == 2
