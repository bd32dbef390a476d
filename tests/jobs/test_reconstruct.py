"""Streamed reconstruction in bounded blocks, locally or on a cluster, compared with that of whole arrays."""

from __future__ import annotations

import os

import distributed
import numpy as np
import pytest

from matvae import Grid, Structures, open_structures, save_structures, two_point_stats
from matvae.data import StoreWriter
from matvae.errors import InputError
from matvae.jobs import JobInterrupted, compute_statistics, reconstruct_statistics
from matvae.jobs import reconstruct as job
from matvae.reconstruction import reconstruct
from matvae.stats import relative_error

from ..structures import blobs

QUICK = {"max_iter": 40}
LABELS = blobs(9, (16, 16), width=1.0, volume_fraction=np.linspace(0.3, 0.5, 9))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Nine structures x.zarr with the property k, and their statistics s.zarr (periodic) and w.zarr (non-periodic)."""
    path = tmp_path_factory.mktemp("reconstruct")
    grid = Grid((16, 16), voxel_size=0.5, unit="micrometer")
    save_structures(path / "x.zarr", LABELS, grid=grid, properties={"k": np.arange(9.0)}, units={"k": "GPa"})
    compute_statistics(path / "x.zarr", path / "s.zarr")
    compute_statistics(path / "x.zarr", path / "w.zarr", periodic=False, cutoff=5)
    return path


def errors(statistics, structures, **options):
    return np.asarray(relative_error(statistics, two_point_stats(structures, phases=2, **options)))


@pytest.mark.parametrize("name", ["s", "w"])
def test_structures_have_the_statistics_and_the_properties(folder, tmp_path, name):
    seen = []
    result = reconstruct_statistics(
        folder / f"{name}.zarr", tmp_path / "o.zarr", progress=lambda done, total: seen.append((done, total)), **QUICK
    )
    reconstructed = open_structures(tmp_path / "o.zarr")
    options = {} if name == "s" else {"periodic": False, "cutoff": 5}
    f = two_point_stats(LABELS, phases=2, **options)
    reached = errors(f, reconstructed.data.compute(), **options)
    assert reconstructed.grid == Grid((16, 16), voxel_size=0.5, unit="micrometer", periodic=name == "s")
    np.testing.assert_allclose(reconstructed.properties["reconstruction_error"], reached, atol=1e-5)
    assert result["error"] == {
        "mean": pytest.approx(reached.mean(), abs=1e-5),
        "median": pytest.approx(np.median(reached), abs=1e-5),
        "max": pytest.approx(reached.max(), abs=1e-5),
    }
    assert reached.mean() < 0.08
    np.testing.assert_array_equal(reconstructed.properties["k"], np.arange(9.0))
    np.testing.assert_array_equal(reconstructed.properties["realizable"], 1.0)
    assert reconstructed.units["k"] == "GPa"
    assert (result["n_samples"], result["n_unrealizable"]) == (9, 0)
    assert result["seconds_per_structure"] > 0
    assert seen == [(9, 9)]


@pytest.mark.parametrize("n_realizations", [None, 2, 5])
def test_blocks_give_the_structures_of_the_whole_array(folder, tmp_path, monkeypatch, n_realizations):
    # Transforms of few and of many fields differ in the last digit; two iterations keep the difference small.
    options = {"max_iter": 2, "n_realizations": n_realizations}
    f = two_point_stats(LABELS, phases=2)
    whole = reconstruct(f, grid=Grid((16, 16)), random_state=4, **options).structures
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 4)
    seen = []
    reconstruct_statistics(
        folder / "s.zarr", tmp_path / "o.zarr", seed=4, progress=lambda done, total: seen.append(done), **options
    )
    reconstructed = open_structures(tmp_path / "o.zarr")
    n = n_realizations or 1
    assert np.mean(reconstructed.data.compute() != whole.reshape(9 * n, 16, 16)) < 0.02
    assert np.mean(reconstructed.data.compute()[::-1] != whole.reshape(9 * n, 16, 16)) > 0.2
    assert seen == [*range(4, 9 * n, 4), 9 * n]
    np.testing.assert_array_equal(reconstructed.properties["k"], np.repeat(np.arange(9.0), n))
    if n_realizations:
        np.testing.assert_array_equal(reconstructed.properties["statistics_index"], np.repeat(np.arange(9), n))
        np.testing.assert_array_equal(reconstructed.properties["realization"], np.tile(np.arange(n), 9))
    assert set(reconstructed.properties) == {"k", "realizable", "reconstruction_error"} | (
        {"statistics_index", "realization"} if n_realizations else set()
    )


def test_a_cluster_gives_the_same_structures(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 2)
    reconstruct_statistics(folder / "s.zarr", tmp_path / "local.zarr", n_realizations=2, **QUICK)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        address = cluster.scheduler_address
        reconstruct_statistics(
            folder / "s.zarr", tmp_path / "cluster.zarr", n_realizations=2, scheduler=address, **QUICK
        )
    local, remote = (open_structures(tmp_path / f"{name}.zarr") for name in ("local", "cluster"))
    np.testing.assert_array_equal(remote.data.compute(), local.data.compute())
    np.testing.assert_array_equal(remote.properties["reconstruction_error"], local.properties["reconstruction_error"])


def test_examples_give_the_structures_of_the_function(folder, tmp_path, monkeypatch, caplog):
    """Of many examples some are used, spread evenly."""
    monkeypatch.setattr(job, "EXAMPLE_VOXELS", 3 * 16 * 16)
    labels = blobs(5, (16, 16), width=1.5)
    save_structures(tmp_path / "m.zarr", Structures(labels, Grid((16, 16), voxel_size=(2.0, 2.0), unit="micrometer")))
    compute_statistics(tmp_path / "m.zarr", tmp_path / "f.zarr", cutoff=5)
    options = {"patch": 5, "max_iter": 5}
    with caplog.at_level("INFO", logger="matvae"):
        reconstruct_statistics(
            tmp_path / "f.zarr", tmp_path / "r.zarr", examples=tmp_path / "m.zarr", seed=1, device="cpu", **options
        )
    assert "Patches are taken from 3 of the 5 structures" in caplog.text
    f = two_point_stats(labels, cutoff=5)
    expected = reconstruct(f, grid=Grid((16, 16)), examples=labels[[0, 2, 4]], random_state=1, device="cpu", **options)
    np.testing.assert_array_equal(open_structures(tmp_path / "r.zarr").data.compute(), expected.structures)
    save_structures(
        tmp_path / "fine.zarr", Structures(labels, Grid((16, 16), voxel_size=(1.0, 1.0), unit="micrometer"))
    )
    with pytest.raises(InputError, match="another scale"):
        reconstruct_statistics(tmp_path / "f.zarr", tmp_path / "s.zarr", examples=tmp_path / "fine.zarr")
    assert not (tmp_path / "s.zarr").exists()


def test_structures_may_be_larger_than_their_window(folder, tmp_path, caplog):
    with caplog.at_level("INFO", logger="matvae"):
        result = reconstruct_statistics(folder / "w.zarr", tmp_path / "o.zarr", size=(24, 40), periodic=True, **QUICK)
        assert not caplog.text
        reconstruct_statistics(folder / "s.zarr", tmp_path / "p.zarr", size=24, **QUICK)
        assert "Lags up to 7, 7 voxels" in caplog.text
    reconstructed = open_structures(tmp_path / "o.zarr")
    assert reconstructed.grid == Grid((24, 40), voxel_size=0.5, unit="micrometer")
    f = two_point_stats(LABELS, phases=2, periodic=False, cutoff=5)
    assert errors(f, reconstructed.data.compute(), cutoff=5).mean() == pytest.approx(result["error"]["mean"], abs=1e-5)
    assert result["error"]["mean"] < 0.05


def test_an_array_is_accepted_with_a_description_of_its_structures(tmp_path):
    np.save(tmp_path / "f.npy", two_point_stats(LABELS, correlations=[(0, 0)], cutoff=4))
    options = {"size": 16, "periodic": True, "phases": 2, "correlations": [(0, 0)], **QUICK}
    reconstruct_statistics(tmp_path / "f.npy", tmp_path / "o.zarr", **options)
    labels = open_structures(tmp_path / "o.zarr").data.compute()
    np.testing.assert_array_equal(labels.sum((1, 2)), LABELS.sum((1, 2)))


def test_statistics_that_no_structure_has_are_reported(tmp_path, caplog):
    f = two_point_stats(LABELS)
    f[3, 8, 8] *= 0.5
    np.save(tmp_path / "f.npy", f)
    result = reconstruct_statistics(tmp_path / "f.npy", tmp_path / "o.zarr", size=16, periodic=True, phases=2, **QUICK)
    assert result["n_unrealizable"] == 1
    assert "1 of 9 statistics contradict themselves" in caplog.text
    np.testing.assert_array_equal(open_structures(tmp_path / "o.zarr").properties["realizable"], np.arange(9) != 3)


def test_a_second_reconstruction_replaces_the_properties_of_the_first(folder, tmp_path, caplog):
    reconstruct_statistics(folder / "s.zarr", tmp_path / "a.zarr", n_realizations=2, **QUICK)
    compute_statistics(tmp_path / "a.zarr", tmp_path / "t.zarr")
    with caplog.at_level("INFO", logger="matvae"):
        reconstruct_statistics(tmp_path / "t.zarr", tmp_path / "b.zarr", **QUICK)
    assert "are replaced by those of the new structures" in caplog.text
    reconstructed = open_structures(tmp_path / "b.zarr")
    assert set(reconstructed.properties) == {"k", "realizable", "reconstruction_error"}
    f = two_point_stats(open_structures(tmp_path / "a.zarr").data.compute(), phases=2)
    reached = errors(f, reconstructed.data.compute())
    np.testing.assert_allclose(reconstructed.properties["reconstruction_error"], reached, atol=1e-5)


def test_invalid_input_is_refused_before_any_work_and_leaves_no_files(folder, tmp_path, monkeypatch):
    def explode(*args, **kwargs):
        raise AssertionError("A structure was reconstructed.")

    monkeypatch.setattr(job, "reconstruct", explode)
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 2)
    f = two_point_stats(LABELS)
    f[6, 0, 0] = np.nan
    np.save(tmp_path / "nan.npy", f)
    np.save(tmp_path / "lags.npy", f[:, 1:])
    array = {"size": 16, "periodic": True, "phases": 2}
    for source, options, message in [
        (folder / "s.zarr", {"n_realizations": 0}, "n_realizations must be"),
        (folder / "s.zarr", {"max_iter": 0}, "max_iter must be"),
        (folder / "s.zarr", {"tol": -1.0}, "tol must be"),
        (folder / "s.zarr", {"method": "guess"}, "method must be one of"),
        (folder / "s.zarr", {"device": "abacus"}, "device must be"),
        (folder / "s.zarr", {"size": (8, 8, 8)}, "size must be"),
        (tmp_path / "nan.npy", array, "first in sample 6"),
        (tmp_path / "lags.npy", array, "but .* were given"),
    ]:
        with pytest.raises(InputError, match=message):
            reconstruct_statistics(source, tmp_path / "o.zarr", **options)
    assert sorted(os.listdir(tmp_path)) == ["lags.npy", "nan.npy"]


def test_an_interrupt_keeps_the_old_store(folder, tmp_path):
    reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", **QUICK)
    before = open_structures(tmp_path / "o.zarr").data.compute()

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", seed=1, overwrite=True, progress=stop, **QUICK)
    np.testing.assert_array_equal(open_structures(tmp_path / "o.zarr").data.compute(), before)
    assert os.listdir(tmp_path) == ["o.zarr"]
    with pytest.raises(InputError, match="exists already"):
        reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", **QUICK)


def files_of(store):
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def stop_at(most):
    def progress(done, total):
        if done >= most:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("most", [4, 8, 18])
def test_an_interrupted_run_continues_and_gives_the_same_bytes(folder, tmp_path, monkeypatch, most):
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 4)
    options = {"n_realizations": 2, "seed": 3, **QUICK}
    undisturbed = reconstruct_statistics(folder / "s.zarr", tmp_path / "whole.zarr", **options)
    with pytest.raises(JobInterrupted, match="--resume"):
        reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", resume=True, progress=stop_at(most), **options)
    assert sorted(os.listdir(tmp_path)) == [".o.zarr.resume", "whole.zarr"]
    computed = []
    real = job._reconstructed
    monkeypatch.setattr(job, "_reconstructed", lambda *task: computed.append(task[1:]) or real(*task))
    result = reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", resume=True, **options)
    assert files_of(tmp_path / "o.zarr") == files_of(tmp_path / "whole.zarr")
    assert sum(stop - start for start, stop in computed) == 18 - most
    seconds = result.pop("seconds_per_structure")
    assert (seconds is None) == (most == 18)
    assert result == {name: undisturbed[name] for name in result} | {"out": str(tmp_path / "o.zarr")}
    # It was killed after that, before its exit: the same command still succeeds, and does nothing.
    again = reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", resume=True, **options)
    assert again == {**result, "seconds_per_structure": None}
    assert sum(stop - start for start, stop in computed) == 18 - most
    assert sorted(os.listdir(tmp_path)) == ["o.zarr", "whole.zarr"]


def test_other_statistics_or_options_do_not_continue_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 4)
    grid = Grid((16, 16), voxel_size=0.5, unit="micrometer")
    save_structures(
        tmp_path / "x.zarr", LABELS[::-1].copy(), grid=grid, properties={"k": np.arange(9.0)}, units={"k": "GPa"}
    )
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr")
    with pytest.raises(JobInterrupted):
        reconstruct_statistics(folder / "s.zarr", tmp_path / "o.zarr", resume=True, progress=stop_at(4), **QUICK)
    for source, options, words in (
        (tmp_path / "s.zarr", {}, "other statistics"),
        (folder / "s.zarr", {"seed": 1}, "seed=0 instead of 1"),
        (folder / "s.zarr", {"periodic": False}, "periodic=True instead of False"),
        (folder / "s.zarr", {"examples": folder / "x.zarr"}, "other examples"),
    ):
        with pytest.raises(InputError, match=words):
            reconstruct_statistics(source, tmp_path / "o.zarr", resume=True, **{**QUICK, **options})


def test_masked_statistics_continue_with_their_masks(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "BLOCK_STRUCTURES", 4)
    mask = np.ones(LABELS.shape, bool)
    mask[:, :5, :3] = False
    with StoreWriter(tmp_path / "x.zarr", Grid((16, 16)), n_samples=9, masked=True) as writer:
        writer.append(np.where(mask, LABELS, 0).astype(np.uint8), mask=mask)
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr", cutoff=4)
    reconstruct_statistics(tmp_path / "s.zarr", tmp_path / "whole.zarr", **QUICK)
    with pytest.raises(JobInterrupted):
        reconstruct_statistics(tmp_path / "s.zarr", tmp_path / "o.zarr", resume=True, progress=stop_at(4), **QUICK)
    reconstruct_statistics(tmp_path / "s.zarr", tmp_path / "o.zarr", resume=True, **QUICK)
    assert files_of(tmp_path / "o.zarr") == files_of(tmp_path / "whole.zarr")
    np.testing.assert_array_equal(open_structures(tmp_path / "o.zarr").mask.compute(), mask)
