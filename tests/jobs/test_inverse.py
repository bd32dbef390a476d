"""Decoding of stored latents, compared with the inverse transform of the estimator."""

from __future__ import annotations

import os

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.data import sample_blocks as blocks_module
from matvae.errors import InputError
from matvae.jobs import inverse_latents, transform_structures

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
