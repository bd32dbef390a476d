"""Output of `matvae info` for files that are to be imported."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
import tifffile

from matvae.data import open_structures

LABELS = np.random.default_rng(0).integers(0, 2, (6, 9, 12)).astype(np.uint8)


def test_the_command_that_it_prints_imports_the_file(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = {"spacing": 2.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite("my scan.tif", LABELS * 255, imagej=True, resolution=(2, 2), metadata=words)
    ran = matvae("info", "my scan.tif")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    for line in (
        "format      tiff",
        "shape       6 x 9 x 12",
        "axes        zyx, as the file states",
        "voxel size  2 x 0.5 x 0.5 micrometer",
        "values      0, 255",
        "    phases 0 -> 0, 255 -> 1",
    ):
        assert line in lines
    (command,) = [line for line in lines if line.startswith("  matvae import")]
    promised = lines[lines.index(command) + 1]
    assert promised.strip().startswith("1 structure, each 6 x 9 x 12 voxels (z y x), 2 phases, not periodic, voxel")
    imported = matvae(*shlex.split(command)[1:])
    assert (imported.code, imported.err) == (0, "")
    assert promised.split("each ")[1] in imported.out


def test_the_command_that_it_prints_segments_a_grey_image(matvae, tmp_path, monkeypatch):
    pytest.importorskip("skimage")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    phases = np.arange(30) >= 20
    image = rng.normal(np.where(phases, 150, 60), 9, (20, 30)).round().astype(np.uint8)
    tifffile.imwrite("grey.tif", image)
    ran = matvae("info", "grey.tif")
    assert (ran.code, ran.err) == (0, "")
    assert "like an unsegmented grey image" in ran.out
    assert "Segmentation(" not in ran.out
    (command,) = [line for line in ran.out.splitlines() if line.startswith("  matvae import")]
    assert command.endswith("--threshold otsu")
    assert matvae(*shlex.split(command)[1:]).code == 0
    np.testing.assert_array_equal(open_structures("grey.zarr").data[0].compute(), np.broadcast_to(phases, (20, 30)))


def test_the_windows_that_it_prints_can_be_appended(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.random.default_rng(0).integers(0, 2, (90, 100)).astype(np.uint8))
    lines = matvae("info", "a.npy").out.splitlines()
    (command,) = [line for line in lines if line.startswith("  matvae import")]
    (appended,) = [line for line in lines if line.startswith("    --window")]
    assert lines[lines.index(appended) - 1].endswith("append windows several times as wide as the features, such as")
    assert matvae(*shlex.split(command)[1:], *shlex.split(appended)).code == 0
    assert open_structures("a.zarr").data.shape == (8 * 9, 32, 32)


@pytest.mark.parametrize("at_top", [False, True])
def test_the_command_that_it_prints_leaves_out_a_data_bar(matvae, tmp_path, monkeypatch, at_top):
    pytest.importorskip("skimage")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    phases = np.arange(90) >= 60
    image = np.random.default_rng(0).normal(np.where(phases, 150, 60), 9, (80, 90)).round().astype(np.uint8)
    bar = np.full((16, 90), 255, np.uint8)
    tifffile.imwrite("my sem.tif", np.vstack([bar, image] if at_top else [image, bar]))
    ran = matvae("info", "my sem.tif")
    assert f"{'above row 16' if at_top else 'from row 80 on'}, the image looks like a data bar" in ran.out
    assert str(tmp_path) not in ran.out
    (look,) = [line.partition("look at it with ")[2] for line in ran.out.splitlines() if "look at it" in line]
    assert matvae(*shlex.split(look)[1:]).code == 0
    (command,) = [line for line in ran.out.splitlines() if line.startswith("  matvae import")]
    imported = matvae(*shlex.split(command)[1:])
    assert (imported.code, imported.err) == (0, "")
    labels = open_structures("my sem.zarr").data[0].compute()
    np.testing.assert_array_equal(labels, np.broadcast_to(phases, (80, 90)))


def test_files_that_cannot_be_imported_are_described_with_exit_code_0(matvae, tmp_path):
    np.save(tmp_path / "gaps.npy", np.where(np.eye(40) > 0, np.nan, np.arange(40)))
    ran = matvae("info", tmp_path / "gaps.npy")
    assert ran.code == 0
    assert "values      0 to 39 (40 not finite)" in ran.out
    assert "finite numbers" in ran.out
    assert "to import it" not in ran.out
    np.savez(tmp_path / "two.npz", a=LABELS, b=LABELS[0])
    listed = matvae("info", tmp_path / "two.npz")
    assert "a      6 x 9 x 12  uint8\nb          9 x 12  uint8" in listed.out
    assert "matvae info FILE --name a" in listed.out
    (tmp_path / "cut.tif").write_bytes(b"II*\0")
    assert matvae("info", tmp_path / "cut.tif").code == 3


def test_pictures_are_printed_on_request(matvae, tmp_path):
    image = np.zeros((8, 16), np.uint8)
    image[:, 8:] = 1
    np.save(tmp_path / "a.npy", image)
    assert "@" not in matvae("info", tmp_path / "a.npy").out
    assert matvae("info", tmp_path / "a.npy", "--picture").out.count(" " * 24 + "@" * 24) == 12
    result = json.loads(matvae("info", tmp_path / "a.npy", "--json").out)
    assert (result["picture"], result["kind"]) == (None, "file")


def test_figures_are_written(matvae, tmp_path):
    pytest.importorskip("matplotlib")
    np.save(tmp_path / "a.npy", LABELS)
    ran = matvae("info", tmp_path / "a.npy", "--figure", tmp_path / "a.png")
    assert (ran.code, (tmp_path / "a.png").is_file()) == (0, True)
    assert f"figure  {tmp_path / 'a.png'}" in ran.out
    again = matvae("info", tmp_path / "a.npy", "--figure", tmp_path / "a.png")
    assert again.code == 3
    assert matvae("info", tmp_path / "a.npy", "--figure", tmp_path / "a.png", "--overwrite").code == 0


def test_a_model_in_closed_form_is_not_described_by_epochs(matvae, tmp_path):
    texture = np.random.default_rng(0).random((24, 16, 16)) < 0.5
    np.save(tmp_path / "t.npy", texture)
    options = ("--n-components", 2, "--cutoff", 6, "--decoder", "statistics")
    assert matvae("fit", tmp_path / "t.npy", "-o", tmp_path / "t.matvae", *options).code == 0
    described = matvae("info", tmp_path / "t.matvae").out
    assert "centred error  " in described
    assert "last epoch" not in described
    assert json.loads(matvae("info", tmp_path / "t.matvae", "--json").out)["in_epochs"] is False
