"""Streamed latents, compared with those of whole arrays."""

from __future__ import annotations

import os

import numpy as np
import pytest
import zarr

from matvae import Grid, load, open_structures, save_structures
from matvae.errors import InputError
from matvae.jobs import (
    describe,
    evaluate_model,
    fit_model,
    import_structures,
    inverse_latents,
    transform,
    transform_structures,
)
from matvae.jobs.files import arrays
from matvae.jobs.files.kept import JobInterrupted
from matvae.jobs.files.latents import read_latents


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".csv"])
def test_streamed_latents_equal_those_of_the_whole_array(trained, tmp_path, monkeypatch, suffix):
    # Four samples, of which three divide the shard of 21.
    monkeypatch.setattr(transform, "BLOCK_VOXELS", 64 * 4)
    out, seen = tmp_path / f"z{suffix}", []
    result = transform_structures(
        trained / "m.matvae",
        trained / "test.zarr",
        out,
        progress=lambda done, total: seen.append((done, total)),
    )
    model = load(trained / "m.matvae")
    expected = model.transform(open_structures(trained / "test.zarr").data.compute())
    np.testing.assert_allclose(read_latents(out), expected, rtol=1e-5, atol=1e-6)
    assert result["shape"] == [21, 3]
    assert result["components"] == list(model.get_feature_names_out())
    assert seen == [(n, 21) for n in range(3, 22, 3)]


def test_zarr_keeps_properties_and_the_name_of_the_model(trained, tmp_path):
    transform_structures(trained / "m.matvae", trained / "test.zarr", tmp_path / "z.zarr")
    group = zarr.open_group(tmp_path / "z.zarr", mode="r")
    assert group.attrs["matvae"]["model"] == "m.matvae"
    assert group.attrs["matvae"]["grid"]["voxel_size"] == [0.5, 0.5]
    np.testing.assert_array_equal(group["k"][...], np.arange(21.0))
    assert group["k"].attrs["unit"] == "GPa"


def test_latents_inside_the_model_are_refused(trained):
    with pytest.raises(InputError, match="must not contain one another"):
        transform_structures(trained / "m.matvae", trained / "test.zarr", trained / "m.matvae" / "z.npy")


def test_nothing_is_written_for_structures_that_do_not_fit(trained, tmp_path):
    save_structures(tmp_path / "x.zarr", np.zeros((2, 4, 4), np.uint8), grid=Grid((4, 4)))
    with pytest.raises(InputError, match="fitted on structures of 8 x 8 voxels"):
        transform_structures(trained / "m.matvae", tmp_path / "x.zarr", tmp_path / "z.npy")
    with pytest.raises(InputError, match="Choose one of these suffixes"):
        transform_structures(trained / "m.matvae", trained / "test.zarr", tmp_path / "z.txt")
    assert os.listdir(tmp_path) == ["x.zarr"]


@pytest.fixture
def grey(tmp_path):
    """Images of three grey values, imported by those that occur, of which a second one lacks the middle one."""
    labels = np.random.default_rng(0).integers(0, 3, (64, 96))
    values = np.array([0, 128, 255], np.uint8)
    for name, image in (("train", values[labels]), ("test", values[np.where(labels == 1, 2, labels)])):
        np.save(tmp_path / f"{name}.npy", image)
        import_structures([tmp_path / f"{name}.npy"], tmp_path / f"{name}.zarr", phase_values="auto", window=(16, 16))
    fit_model(
        tmp_path / "train.zarr",
        tmp_path / "m.matvae",
        n_components=2,
        periodic=False,
        cutoff=6,
        decoder="dense",
        max_epochs=1,
        width=8,
    )
    return tmp_path


def test_structures_whose_phases_are_other_grey_values_are_refused(grey):
    assert load(grey / "m.matvae").phase_values_ == (0, 128, 255)
    assert describe(grey / "m.matvae")["phase_values"] == [0, 128, 255]
    with pytest.raises(InputError, match=r"phase 1 is the value 255 in the data.*phase 1 is the value 128") as refusal:
        transform_structures(grey / "m.matvae", grey / "test.zarr", grey / "z.csv")
    assert refusal.value.exit_code == 3
    with pytest.raises(InputError, match="do not mean the same"):
        evaluate_model(grey / "m.matvae", grey / "test.zarr")
    transform_structures(grey / "m.matvae", grey / "train.zarr", grey / "z.csv")
    inverse_latents(grey / "m.matvae", grey / "z.csv", grey / "decoded.zarr")
    decoded = open_structures(grey / "decoded.zarr")
    assert decoded.attributes["phase_values"] == [0, 128, 255]
    transform_structures(grey / "m.matvae", grey / "decoded.zarr", grey / "decoded.csv")
    # As advised.
    import_structures([grey / "test.npy"], grey / "again.zarr", phase_values=[0, 128, 255], window=(16, 16))
    result = transform_structures(grey / "m.matvae", grey / "again.zarr", grey / "again.csv")
    assert result["shape"] == [24, 2]


def test_an_interrupted_run_continues_where_it_stopped(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(transform, "BLOCK_VOXELS", 64 * 4)
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 4 * 3 * 4)
    inputs = trained / "m.matvae", trained / "test.zarr"
    transform_structures(*inputs, tmp_path / "whole.zarr")
    seen: list[int] = []

    def stop_at(number: int):
        def progress(done: int, total: int) -> None:
            seen.append(done)
            if done >= number:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(JobInterrupted, match="What is done is kept"):
        transform_structures(*inputs, tmp_path / "z.zarr", resume=True, progress=stop_at(12))
    assert seen == [3, 6, 9, 12]
    assert not (tmp_path / "z.zarr").exists()
    with pytest.raises(InputError, match="holds what an interrupted run for z"):
        transform_structures(*inputs, tmp_path / "z.zarr")
    seen.clear()
    transform_structures(*inputs, tmp_path / "z.zarr", resume=True, progress=stop_at(99))
    # The last chunk of four that was complete ends at 8 or, written while the interrupt arrived, at 12.
    assert seen[0] in (9, 12, 15)
    assert files_of(tmp_path / "z.zarr") == files_of(tmp_path / "whole.zarr")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
