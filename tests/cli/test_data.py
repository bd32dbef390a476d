"""Output and files of the commands on structures."""

from __future__ import annotations

import json
import re

import h5py
import numpy as np
import pytest

from matvae import open_structures
from matvae.stats import STATISTICS


def test_data_sets_are_listed(matvae):
    plain, listed = matvae("dataset", "list"), json.loads(matvae("dataset", "list", "--json").out)
    names = {card["name"] for card in listed}
    assert {"lines", "grf", "voronoi", "checkerboard"} <= names
    assert all(name in plain.out for name in names)


def test_a_data_set_is_generated_and_described(matvae, tmp_path):
    out = tmp_path / "l.zarr"
    ran = matvae("dataset", "make", "lines", out, "--n", 5, "--size", "32", "--seed", 1)
    assert ran.code == 0, ran.err
    assert "5" in ran.out
    assert "32 x 32 voxels (y x), 2 phases, periodic" in ran.out
    info = matvae("info", out)
    assert "structures" in info.out
    assert "n_lines" in info.out
    result = json.loads(matvae("info", out, "--json").out)
    assert result["kind"] == "structures"
    assert result["n_samples"] == 5
    assert result["properties"]["n_lines"]["max"] <= 4
    again = matvae("dataset", "make", "lines", out)
    assert again.code == 3
    assert "exists already" in again.err


def test_import_reports_the_detected_phase_values(matvae, tmp_path):
    image = np.where(np.random.default_rng(0).random((16, 24)) < 0.5, 7, 9).astype(np.uint8)
    np.save(tmp_path / "a.npy", image)
    out = tmp_path / "x.zarr"
    flags = (
        "--phase-values",
        "auto",
        "--window",
        "8,8",
        "--region",
        ":,8:",
        "--voxel-size",
        "2.5",
        "--unit",
        "nm",
    )
    ran = matvae("import", tmp_path / "a.npy", out, *flags, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["phase_values"] == [7, 9]
    assert "7 becomes 0, 9 becomes 1" in ran.err
    np.testing.assert_array_equal(open_structures(out).data.compute()[0], image[:8, 8:16] == 9)
    plain = matvae("import", tmp_path / "a.npy", out, *flags, "--overwrite", "--stride", "4", "--quiet")
    assert "7 -> 0, 9 -> 1" in plain.out
    assert "voxel 2.5 nm" in plain.out
    assert plain.err == ""


def test_one_number_counts_for_every_axis(matvae, tmp_path):
    np.save(tmp_path / "a.npy", (np.random.default_rng(0).random((60, 90)) < 0.3).astype("u1"))
    windows = matvae("import", tmp_path / "a.npy", tmp_path / "w.zarr", "--window", "16", "-q")
    assert "structures  15\neach        16 x 16 voxels (y x)" in windows.out
    region = matvae("import", tmp_path / "a.npy", tmp_path / "r.zarr", "--region", "0:40", "-q")
    assert "structures  1\neach        40 x 40 voxels (y x)" in region.out


def test_import_says_what_it_took_the_axes_for(matvae, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 2, (6, 9, 12)).astype("u1"))
    guessed = matvae("import", tmp_path / "a.npy", tmp_path / "g.zarr")
    assert "axes        syx, a guess" in guessed.out
    assert guessed.err.startswith("warning: ")
    assert "--axes syx or zyx" in guessed.err
    for letters, shape in (("zyx", "6 x 9 x 12 voxels (z y x)"), ("syx", "9 x 12 voxels (y x)"), ("xyz", "12 x 9 x 6")):
        told = matvae("import", tmp_path / "a.npy", tmp_path / f"{letters}.zarr", "--axes", letters)
        assert (told.err, f"axes        {letters}, as given" in told.out) == ("", True)
        assert shape in told.out
    assert json.loads(matvae("import", tmp_path / "a.npy", tmp_path / "j.zarr", "--axes", "zyx", "--json").out)[
        "axes"
    ] == ["zyx, as given"]


@pytest.mark.parametrize("command", ["stats {} -o s.zarr", "fit {} -o m.matvae"])
def test_advice_of_commands_that_read_images_can_be_followed(matvae, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", 255 * np.eye(8, dtype=np.uint8))
    refused = matvae(*command.format("a.npy").split())
    assert refused.code == 3
    advice = re.search(r"with (matvae import .*?) or auto\.", refused.err)[1]
    assert advice == "matvae import FILE OUT.zarr --phase-values 0,255"
    followed = matvae(*advice.replace("FILE", "a.npy").replace("OUT.zarr", "out.zarr").split()[1:])
    assert followed.code == 0, followed.err
    assert matvae("info", "out.zarr").code == 0


@pytest.mark.parametrize(("values", "missing"), [("0,0.5,1", 0.5), ("0,nan,1", np.nan)])
def test_values_that_are_not_whole_can_be_phases(matvae, tmp_path, values, missing):
    image = np.random.default_rng(0).choice([0, missing, 1.0], (9, 12))
    np.save(tmp_path / "a.npy", image)
    ran = matvae("import", tmp_path / "a.npy", tmp_path / "x.zarr", "--phase-values", values)
    assert ran.code == 0, ran.err
    assert f"{missing:g} -> 1" in ran.out
    expected = np.where(image == 0, 0, np.where(image == 1, 2, 1))
    np.testing.assert_array_equal(open_structures(tmp_path / "x.zarr").data[0].compute(), expected)


def test_values_have_the_phases_of_another_store(matvae, tmp_path):
    np.save(tmp_path / "train.npy", np.array([[0, 128], [255, 0]], np.uint8))
    np.save(tmp_path / "test.npy", np.array([[0, 255], [255, 0]], np.uint8))
    matvae("import", tmp_path / "train.npy", tmp_path / "train.zarr", "--phase-values", "auto")
    ran = matvae(
        "import", tmp_path / "test.npy", tmp_path / "t.zarr", "--phase-values-of", tmp_path / "train.zarr", "-q"
    )
    assert "phases      0 -> 0, 128 -> 1, 255 -> 2" in ran.out
    np.testing.assert_array_equal(open_structures(tmp_path / "t.zarr").data[0].compute(), [[0, 2], [2, 0]])


def test_several_sources_are_imported(matvae, tmp_path):
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.eye(8, dtype=np.uint8))
    ran = matvae("import", tmp_path / "a.npy", tmp_path / "b.npy", tmp_path / "x.zarr", "--periodic", "--json")
    result = json.loads(ran.out)
    assert result["n_samples"] == 2
    assert result["grid"]["periodic"] is True


def test_statistics_are_computed_and_described(matvae, store, tmp_path):
    out = tmp_path / "s.zarr"
    plain = matvae("stats", store, "-o", out, "--correlations", "0:1,1:1", "--no-periodic", "--cutoff", "2")
    assert plain.code == 0, plain.err
    assert "sample 6, lag_y 5, lag_x 5, correlation 2" in plain.out
    assert "(0, 1), (1, 1)" in plain.out
    assert "not periodic" in plain.out
    assert "8 x 8 voxels (y x), 2 phases" in matvae("info", out).out
    assert json.loads(matvae("info", out, "--json").out)["shape"] == [6, 5, 5, 2]


def test_statistics_are_chosen_by_name(matvae, store, tmp_path):
    out = tmp_path / "chords.zarr"
    plain = matvae("stats", store, "-o", out, "--statistic", "chord_length", "--cutoff", "3", "--param", "axis=0")
    assert plain.code == 0, plain.err
    assert "sample 6, length 3, phase 2" in plain.out
    assert "chord_length" in plain.out
    assert "axis 0" in plain.out
    assert "correlations" not in plain.out
    surface = matvae("stats", store, "-o", tmp_path / "s.zarr", "--statistic", "surface_area", "--json")
    result = json.loads(surface.out)
    assert result["dimensions"] == ["sample", "phase"]
    assert result["options"] == {"voxel_size": [0.5, 0.5]}
    assert "chord_length" in matvae("info", out).out


def test_unknown_statistics_and_options_are_refused(matvae, store, tmp_path):
    out = tmp_path / "s.zarr"
    unknown = matvae("stats", store, "-o", out, "--statistic", "chords")
    assert unknown.code == 2
    assert "There is no statistic called 'chords'" in unknown.err
    ran = matvae("stats", store, "-o", out, "--statistic", "lineal_path", "--param", "axes=0")
    assert ran.code == 3
    assert "Did you mean 'axis'" in ran.err
    assert not out.exists()


def test_the_help_names_every_statistic(matvae):
    printed = matvae("stats", "--help").out
    assert all(name in printed for name in STATISTICS.builtin)


def test_exit_codes_are_3_for_bad_data_and_4_for_a_damaged_store(matvae, store, tmp_path):
    grey = tmp_path / "grey.npy"
    np.save(grey, np.arange(256, dtype=np.uint8).reshape(16, 16))
    ran = matvae("import", grey, tmp_path / "x2.zarr", "--phase-values", "auto")
    assert ran.code == 3
    assert "unsegmented" in ran.err
    for file in (store / "phase").rglob("c/**/*"):
        if file.is_file():
            file.unlink()
    assert matvae("stats", store, "-o", tmp_path / "s.zarr").code == 4
    assert matvae("info", store).code == 4


def test_import_takes_the_layout_of_raw_files(matvae, tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (5, 6, 7)).astype(">u2")
    (tmp_path / "a.raw").write_bytes(b"1234" + volume.tobytes())
    layout = ("--shape", "5,6,7", "--dtype", "uint16", "--byteorder", "big", "--offset", "4")
    ran = matvae("import", tmp_path / "a.raw", tmp_path / "x.zarr", *layout, "--axes", "zyx")
    assert ran.code == 0, ran.err
    np.testing.assert_array_equal(open_structures(tmp_path / "x.zarr").data.compute()[0], volume)
    half = matvae("import", tmp_path / "a.raw", tmp_path / "y.zarr", "--dtype", "uint16")
    assert half.code == 2
    assert "both --shape" in half.err
    short = matvae("import", tmp_path / "a.raw", tmp_path / "y.zarr", *layout[:-2])
    assert short.code == 3
    assert "should have 420 bytes" in short.err
    assert "but has 424" in short.err


def test_the_advice_for_raw_files_without_header_works(matvae, tmp_path):
    (tmp_path / "a.raw").write_bytes(bytes(100 * 200 * 300 * 2))
    refused = matvae("import", tmp_path / "a.raw", tmp_path / "x.zarr").err
    advice = refused[refused.index("--shape") :].rstrip().removesuffix(".")
    ran = matvae("import", tmp_path / "a.raw", tmp_path / "x.zarr", *advice.split(), "--axes", "zyx")
    assert ran.code == 0, ran.err
    assert "100 x 200 x 300" in ran.out


def test_the_advice_for_points_that_were_not_indexed_works(matvae, tmp_path):
    with h5py.File(tmp_path / "a.h5oina", "w") as file:
        file["1/EBSD/Data/Phase"] = np.array([0, 1, 2, 1, 1, 0], np.uint8)
        for name, value in {"X Cells": 3, "Y Cells": 2, "X Step": 0.5, "Y Step": 0.5}.items():
            file[f"1/EBSD/Header/{name}"] = [value]
    refused = matvae("import", tmp_path / "a.h5oina", tmp_path / "x.zarr", "--phase-values", "auto")
    assert refused.code == 3
    assert "2 of 6 points (33 %) were not indexed" in refused.err
    advice = refused.err[refused.err.index("--phase-values") :].split(")")[0]
    ran = matvae("import", tmp_path / "a.h5oina", tmp_path / "x.zarr", *advice.split())
    assert ran.code == 0, ran.err
    np.testing.assert_array_equal(open_structures(tmp_path / "x.zarr").data.compute(), [[[0, 1, 2], [1, 1, 0]]])


def test_import_segments_grey_images(matvae, tmp_path):
    truth = np.indices((24, 32))[1] // 8 % 2
    grey = 60 + 90 * truth + np.random.default_rng(0).integers(0, 30, truth.shape)
    np.save(tmp_path / "grey.npy", grey.astype(np.uint8))
    source, figure = tmp_path / "grey.npy", tmp_path / "preview.png"
    ran = matvae("import", source, tmp_path / "x.zarr", "--threshold", "otsu", "--figure", figure)
    assert ran.code == 0, ran.err
    np.testing.assert_array_equal(open_structures(tmp_path / "x.zarr").data.compute(), truth[None])
    assert "fractions   50 % phase 0, 50 % phase 1" in ran.out
    assert figure.is_file()
    more = ("--threshold", "70,160", "--threshold-per", "image", "--denoise", "median", "--min-size", "3")
    ran = matvae("import", source, tmp_path / "y.zarr", *more)
    assert ran.code == 0, ran.err
    assert "thresholds  70, 160 in the first image" in ran.out
    assert open_structures(tmp_path / "y.zarr").grid.phases == 3
    alone = matvae("import", source, tmp_path / "z.zarr", "--denoise", "median")
    assert alone.code == 2
    assert "--threshold otsu" in alone.err
    assert matvae("import", source, tmp_path / "z.zarr", "--threshold", "1,x").code == 2


def test_the_advice_for_grey_images_and_for_binary_ones_works(matvae, tmp_path):
    np.save(tmp_path / "grey.npy", np.arange(256, dtype=np.uint8).reshape(16, 16))
    np.save(tmp_path / "binary.npy", 255 * np.eye(16, dtype=np.uint8))
    refused = matvae("import", tmp_path / "grey.npy", tmp_path / "x.zarr", "--phase-values", "auto").err
    advice = refused[refused.index("--threshold") :].split(".")[0].split()
    assert matvae("import", tmp_path / "grey.npy", tmp_path / "x.zarr", *advice).code == 0
    refused = matvae("import", tmp_path / "binary.npy", tmp_path / "y.zarr", "--threshold", "otsu")
    assert refused.code == 3
    advice = refused.err[refused.err.index("--phase-values") :].replace(",", " ").split()[:2]
    assert matvae("import", tmp_path / "binary.npy", tmp_path / "y.zarr", *advice).code == 0


def test_the_advice_to_leave_out_voxels_works(matvae, tmp_path):
    values = np.where(np.indices((8, 8)).sum(axis=0) > 3, np.random.default_rng(0).random((8, 8)), np.nan)
    np.save(tmp_path / "a.npy", values)
    refused = matvae("import", tmp_path / "a.npy", tmp_path / "x.zarr")
    assert refused.code == 3
    advice = refused.err[refused.err.index("--mask") :].split(".")[0].split()
    ran = matvae("import", tmp_path / "a.npy", tmp_path / "x.zarr", *advice)
    assert ran.code == 0, ran.err
    assert "mask        84.4 % of the voxels are inside" in ran.out
    assert "mask        yes" in matvae("info", tmp_path / "x.zarr").out
    windows = ("--window", "2", "--min-valid", "1")
    ran = matvae("import", tmp_path / "x.zarr", tmp_path / "w.zarr", *windows)
    assert ran.code == 0, ran.err
    assert len(open_structures(tmp_path / "w.zarr")) == 13
    np.save(tmp_path / "ebsd.npy", np.ones((4, 4), np.uint8))
    assert (
        "--mask nan or --mask mask.tif"
        in matvae("import", tmp_path / "ebsd.npy", tmp_path / "y.zarr", "--mask", "missing").err
    )


def test_phases_are_named(matvae, tmp_path):
    np.save(tmp_path / "image.npy", np.eye(16, dtype=np.uint8))
    out = tmp_path / "x.zarr"
    assert matvae("import", tmp_path / "image.npy", out, "--phase-names", "solid, pore").code == 0
    assert open_structures(out).attributes["phase_names"] == ["solid", "pore"]
    refused = matvae("import", tmp_path / "image.npy", tmp_path / "y.zarr", "--phase-names", "solid")
    assert refused.code == 3
    assert "must hold 2 different names" in refused.err
    assert not (tmp_path / "y.zarr").exists()
