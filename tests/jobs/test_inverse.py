"""Decoding of stored latents, compared with the inverse transform of the estimator."""

from __future__ import annotations

import os

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.data import sample_blocks as blocks_module
from matvae.errors import InputError
from matvae.jobs import JobInterrupted, inverse_latents, transform_structures
from matvae.jobs import inverse as job

Z = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".zarr", ".npy", ".csv"])
def test_streamed_structures_equal_those_of_the_whole_array(trained, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 4 * 2 * 64 * 3)
    transform_structures(trained / "m.matvae", trained / "test.zarr", tmp_path / f"z{suffix}")
    seen = []
    result = inverse_latents(
        trained / "m.matvae",
        tmp_path / f"z{suffix}",
        tmp_path / "again.zarr",
        progress=lambda done, total: seen.append((done, total)),
    )
    model, decoded = load(trained / "m.matvae"), open_structures(tmp_path / "again.zarr")
    expected = model.inverse_transform(model.transform(open_structures(trained / "test.zarr").data.compute()))
    np.testing.assert_array_equal(decoded.data.compute(), expected)
    assert decoded.data.dtype == np.uint8
    assert decoded.grid == model.grid_
    assert result["n_samples"] == 21
    assert seen[-1] == (21, 21)
    assert len(seen) == 7


def test_realizations_are_grouped_by_latent_and_determined_by_the_seed(trained, tmp_path):
    np.save(tmp_path / "z.npy", Z)
    stores = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        result = inverse_latents(
            trained / "m.matvae", tmp_path / "z.npy", tmp_path / f"{name}.zarr", n_realizations=4, seed=seed
        )
        stores[name] = open_structures(tmp_path / f"{name}.zarr")
        assert result["n_samples"] == len(stores[name]) == 40
    np.testing.assert_array_equal(stores["a"].properties["latent_index"], np.repeat(np.arange(10), 4))
    np.testing.assert_array_equal(stores["a"].properties["realization"], np.tile(np.arange(4), 10))
    a, b, c = (stores[name].data.compute() for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_invalid_latents_leave_no_files(trained, tmp_path):
    np.save(tmp_path / "z.npy", Z[:, :2])
    with pytest.raises(InputError, match=r"3 latent components, but .* contains 2"):
        inverse_latents(trained / "m.matvae", tmp_path / "z.npy", tmp_path / "x.zarr")
    with pytest.raises(InputError, match="n_realizations must be an integer of at least 1"):
        inverse_latents(trained / "m.matvae", tmp_path / "z.npy", tmp_path / "x.zarr", n_realizations=0)
    assert os.listdir(tmp_path) == ["z.npy"]


def test_an_interrupt_keeps_the_old_store(trained, tmp_path):
    np.save(tmp_path / "z.npy", Z)
    inverse_latents(trained / "m.matvae", tmp_path / "z.npy", tmp_path / "x.zarr")
    before = open_structures(tmp_path / "x.zarr").data.compute()

    def stop(done, total):
        raise KeyboardInterrupt

    np.save(tmp_path / "z.npy", -Z)
    with pytest.raises(KeyboardInterrupt):
        inverse_latents(trained / "m.matvae", tmp_path / "z.npy", tmp_path / "x.zarr", overwrite=True, progress=stop)
    np.testing.assert_array_equal(open_structures(tmp_path / "x.zarr").data.compute(), before)
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "z.npy"]


def stop_at(most):
    def progress(done, total):
        if done >= most:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def by_threes(monkeypatch):
    """Blocks of three latents of the models of `trained`, with two structures each."""
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 2 * 4 * 2 * 64 * 3)


def files_of(store):
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}


@pytest.mark.parametrize("most", [3, 6, 9, 10])
def test_an_interrupted_run_continues_and_gives_the_same_bytes(trained, tmp_path, monkeypatch, by_threes, most):
    np.save(tmp_path / "z.npy", Z)
    given = (trained / "m.matvae", tmp_path / "z.npy")
    options = {"n_realizations": 2, "seed": 5}
    undisturbed = inverse_latents(*given, tmp_path / "whole.zarr", **options)
    with pytest.raises(JobInterrupted, match="--resume"):
        inverse_latents(*given, tmp_path / "x.zarr", resume=True, progress=stop_at(most), **options)
    assert sorted(os.listdir(tmp_path)) == [".x.zarr.resume", "whole.zarr", "z.npy"]
    decoded = []
    real = job._structures_of
    monkeypatch.setattr(job, "_structures_of", lambda *task: decoded.append(len(task[1])) or real(*task))
    result = inverse_latents(*given, tmp_path / "x.zarr", resume=True, **options)
    assert files_of(tmp_path / "x.zarr") == files_of(tmp_path / "whole.zarr")
    assert result == {**undisturbed, "out": str(tmp_path / "x.zarr")}
    assert sum(decoded) == 10 - most
    assert sorted(os.listdir(tmp_path)) == ["whole.zarr", "x.zarr", "z.npy"]
    # It was killed after that, before its exit: the same command still succeeds, and does nothing.
    assert inverse_latents(*given, tmp_path / "x.zarr", resume=True, **options) == result
    assert sum(decoded) == 10 - most


def test_other_latents_options_or_models_do_not_continue_it(trained, tmp_path, by_threes):
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "other.npy", -Z)
    model = trained / "m.matvae"
    with pytest.raises(JobInterrupted):
        inverse_latents(model, tmp_path / "z.npy", tmp_path / "x.zarr", resume=True, progress=stop_at(6))
    for latents, options, words in (
        ("other.npy", {}, "other latents"),
        ("z.npy", {"seed": 1}, "seed=0 instead of 1"),
        ("z.npy", {"realize": "decoder"}, "realize='auto' instead of 'decoder'"),
        ("z.npy", {"n_realizations": 1}, "n_realizations=None instead of 1"),
    ):
        with pytest.raises(InputError, match=words):
            inverse_latents(model, tmp_path / latents, tmp_path / "x.zarr", resume=True, **options)
    inverse_latents(model, tmp_path / "z.npy", tmp_path / "x.zarr", resume=True)
    with pytest.raises(InputError, match="is the result of other data or options"):
        inverse_latents(model, tmp_path / "other.npy", tmp_path / "x.zarr", resume=True)
    inverse_latents(model, tmp_path / "other.npy", tmp_path / "x.zarr", resume=True, overwrite=True)
    inverse_latents(model, tmp_path / "other.npy", tmp_path / "y.zarr")
    assert files_of(tmp_path / "x.zarr") == files_of(tmp_path / "y.zarr")


def test_without_resume_what_is_kept_is_refused_or_replaced(trained, tmp_path, by_threes):
    np.save(tmp_path / "z.npy", Z)
    given = (trained / "m.matvae", tmp_path / "z.npy", tmp_path / "x.zarr")
    with pytest.raises(JobInterrupted):
        inverse_latents(*given, resume=True, progress=stop_at(6))
    with pytest.raises(InputError, match=r"--resume \(resume=True\), or start again with --overwrite"):
        inverse_latents(*given)
    inverse_latents(*given, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "z.npy"]
