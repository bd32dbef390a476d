"""numpy, dask and torch arrays give the same statistics, each of its own kind."""

from __future__ import annotations

import threading
import weakref

import dask
import dask.array as da
import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import block_size, two_point_stats, volume_fractions

from ..structures import one_hot
from .samples import SHAPES, labels_of


class TestKinds:
    @pytest.mark.parametrize("mask", [None, "shared", "per sample"])
    @pytest.mark.parametrize("form", ["labels", "states last", "states first", "field"])
    @pytest.mark.parametrize("periodic", [True, False])
    def test_numpy_dask_and_torch_agree(self, mask, form, periodic):
        labels = labels_of((6, 4), n=5)
        X, options = {
            "labels": (labels, {}),
            "states last": (one_hot(labels, 3), {"state_axis": -1}),
            "states first": (np.moveaxis(one_hot(labels, 3), -1, 1).astype(np.float32), {"state_axis": 1}),
            "field": (labels.astype(np.float32), {}),
        }[form]
        weights = None if mask is None else np.random.default_rng(1).uniform(0.2, 1, (5, 6, 4)[mask == "shared" :])
        options |= {"periodic": periodic, "cutoff": (2, 1)}
        expected = two_point_stats(X, mask=weights, **options)
        lazy_mask = da.from_array(weights, chunks=(3, 2, 4)) if mask == "per sample" else weights
        lazy = two_point_stats(da.from_array(X, chunks=2), mask=lazy_mask, **options)
        tensor_mask = None if weights is None else torch.from_numpy(weights)
        tensor = two_point_stats(torch.from_numpy(X), mask=tensor_mask, **options)
        assert isinstance(expected, np.ndarray)
        assert isinstance(lazy, da.Array)
        assert isinstance(tensor, torch.Tensor)
        computed = lazy.compute()
        assert lazy.shape == computed.shape == expected.shape == tensor.shape
        assert lazy.dtype == computed.dtype == expected.dtype == tensor.numpy().dtype
        np.testing.assert_allclose(computed, expected, atol=1e-6)
        np.testing.assert_allclose(tensor, expected, atol=1e-6)

    @pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">u2", ">i4", ">u8"])
    def test_labels_may_be_of_any_integer_type(self, dtype):
        labels = labels_of((6, 5), phases=2)
        expected = two_point_stats(labels)
        np.testing.assert_array_equal(two_point_stats(labels.astype(dtype)), expected)
        np.testing.assert_array_equal(two_point_stats(da.from_array(labels.astype(dtype))).compute(), expected)

    @pytest.mark.parametrize("dtype", [torch.bool, torch.int8, torch.uint16, torch.uint32, torch.uint64, torch.int64])
    def test_label_tensors_may_be_of_any_integer_type(self, dtype):
        labels = torch.from_numpy(labels_of((6, 5), phases=2))
        assert torch.equal(two_point_stats(labels.to(dtype)), two_point_stats(labels))

    def test_booleans_have_no_third_phase(self):
        labels = labels_of((6, 5), phases=2).astype(bool)
        f = two_point_stats(labels, phases=3, correlations=[(2, 2), (1, 2), (1, 1)])
        np.testing.assert_array_equal(f[..., :2], 0)
        np.testing.assert_array_equal(f[..., 2:], two_point_stats(labels))

    @pytest.mark.parametrize(
        "changed",
        [
            lambda x: np.asfortranarray(x),
            lambda x: np.broadcast_to(x, x.shape),
            lambda x: x[::-1, ::-1, ::-1][::-1, ::-1, ::-1],
            lambda x: x.astype(x.dtype.newbyteorder(">")),
            lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
        ],
        ids=["fortran", "read-only", "negative strides", "big-endian", "strided"],
    )
    @pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
    def test_memory_layout_changes_nothing(self, changed, dtype):
        X = labels_of((6, 5)).astype(dtype)
        before = X.copy()
        np.testing.assert_array_equal(two_point_stats(changed(X)), two_point_stats(X))
        np.testing.assert_array_equal(X, before)

    def test_a_file_mapped_read_only_is_read_in_blocks(self, tmp_path):
        labels = labels_of((6, 5))
        np.save(tmp_path / "labels.npy", labels)
        mapped = np.load(tmp_path / "labels.npy", mmap_mode="r")
        with block_size(60):
            np.testing.assert_array_equal(two_point_stats(mapped), two_point_stats(labels))

    @pytest.mark.parametrize(
        ("dtype", "result"),
        [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("g", "f8"), ("u1", "f4"), ("i8", "f4")],
    )
    def test_double_precision_is_kept_and_all_else_is_single(self, dtype, result):
        X = labels_of((6, 5), phases=2).astype(dtype)
        assert two_point_stats(X).dtype == np.dtype(result)
        assert volume_fractions(X).dtype == np.dtype(result)
        lazy = two_point_stats(da.from_array(X))
        assert lazy.dtype == lazy.compute().dtype == np.dtype(result)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_single(self, dtype):
        X = torch.rand(3, 6, 5, generator=torch.manual_seed(0)).to(dtype)
        assert torch.equal(two_point_stats(X), two_point_stats(X.float()))

    @pytest.mark.parametrize("space", SHAPES)
    def test_a_single_sample_is_enough(self, space):
        labels = labels_of(space, n=5)
        np.testing.assert_array_equal(two_point_stats(labels[2:3], phases=3), two_point_stats(labels)[2:3])

    def test_threads_do_not_disturb_each_other(self):
        labels = [labels_of((32, 32), n=20, seed=seed) for seed in range(4)]
        expected = [two_point_stats(x) for x in labels]
        given_threads: list = [None] * 4

        def work(i: int) -> None:
            given_threads[i] = two_point_stats(labels[i])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for x, y in zip(given_threads, expected, strict=True):
            np.testing.assert_array_equal(x, y)


class TestDask:
    def test_nothing_is_computed_before_it_is_asked_for(self):
        def refuse(*args, **kwargs):
            raise AssertionError("computed")

        X = da.from_array(labels_of((6, 5)), chunks=2)
        with dask.config.set(scheduler=refuse):
            f = two_point_stats(X, phases=3, mask=da.ones((4, 6, 5), chunks=3))
        assert f.shape == (4, 6, 5, 3)
        assert f.chunks[1:] == ((6,), (5,), (3,))

    def test_only_the_number_of_phases_is_read_beforehand(self):
        X = da.from_array(labels_of((6, 5)), chunks=2)
        assert two_point_stats(X).shape[-1] == 3

    @pytest.mark.parametrize("chunks", [(1, 6, 5), (4, 2, 3), (3, 1, 1), ((1, 3), 6, (4, 1))])
    def test_chunks_change_nothing(self, chunks):
        labels = labels_of((6, 5))
        lazy = two_point_stats(da.from_array(labels, chunks=chunks), periodic=False)
        np.testing.assert_array_equal(lazy.compute(), two_point_stats(labels, periodic=False))

    def test_part_of_the_samples_costs_part_of_the_work(self):
        seen = []

        def load(block_info=None):
            seen.append(block_info[None]["chunk-location"])
            return np.ones((1, 6, 5), np.uint8)

        X = da.map_blocks(load, chunks=((1,) * 8, (6,), (5,)), dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
        f = two_point_stats(X, phases=2)
        assert f[3:5].compute(scheduler="synchronous").shape == (2, 6, 5, 1)
        assert sorted(seen) == [(3, 0, 0), (4, 0, 0)]

    def test_no_more_than_a_few_chunks_are_in_memory_at_a_time(self):
        alive, peak = [0], [0]

        def release() -> None:
            alive[0] -= 1

        def load(block_info=None):
            alive[0] += 1
            peak[0] = max(peak[0], alive[0])
            chunk = np.ones((1, 16, 16), np.float32)
            weakref.finalize(chunk, release)
            return chunk

        X = da.map_blocks(
            load, chunks=((1,) * 40, (16,), (16,)), dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
        )
        total = two_point_stats(X).sum()
        assert total.compute(scheduler="synchronous") == pytest.approx(40 * 256)
        assert peak[0] <= 3

    def test_results_from_processes_are_the_same(self):
        labels = labels_of((6, 5))
        lazy = two_point_stats(da.from_array(labels, chunks=2), mask=np.full((6, 5), 0.5))
        here = two_point_stats(labels, mask=np.full((6, 5), 0.5))
        with dask.config.set(scheduler="processes", num_workers=1):
            np.testing.assert_allclose(lazy.compute(), here, atol=1e-6)

    def test_unknown_chunks_are_refused(self):
        X = da.from_array(labels_of((6, 5)), chunks=2)
        with pytest.raises(InputError, match=r"unknown chunk sizes.*Call X.compute_chunk_sizes\(\) first"):
            two_point_stats(X[X[:, 0, 0] > 0])

    def test_bad_values_are_found_when_computed(self):
        labels = labels_of((6, 5))
        lazy = two_point_stats(da.from_array(labels, chunks=2), phases=2)
        with pytest.raises(InputError, match="labels 0 to 1 were expected"):
            lazy.compute()
        mask = da.full((4, 6, 5), 2.0, chunks=(2, 3, 5))
        with pytest.raises(InputError, match=r"must lie in \[0, 1\]"):
            two_point_stats(da.from_array(labels, chunks=2), phases=3, mask=mask).compute()
        states = da.from_array(one_hot(labels, 3), chunks=(2, 3, 5, 3))
        with pytest.raises(InputError, match="state_axis=-1"):
            two_point_stats(states).compute()


class TestTorch:
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    def test_the_gradient_is_right(self, periodic, masked):
        generator = torch.manual_seed(0)
        X = torch.rand(2, 3, 3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
        mask = torch.rand(3, 3, dtype=torch.float64, generator=generator).add(0.1).clamp_max(1) if masked else None

        def statistics(x: torch.Tensor) -> torch.Tensor:
            pairs = [(0, 1), (1, 1)]
            return two_point_stats(x, state_axis=-1, correlations=pairs, periodic=periodic, cutoff=1, mask=mask)

        assert torch.autograd.gradcheck(statistics, (X,))

    def test_a_gradient_gives_the_same_values_as_blocks_do(self):
        X = torch.rand(5, 6, 5, generator=torch.manual_seed(0))
        with block_size(30):
            torch.testing.assert_close(two_point_stats(X.clone().requires_grad_()).detach(), two_point_stats(X))

    def test_no_graph_is_kept_where_none_is_wanted(self):
        X = torch.rand(2, 6, 5, requires_grad=True)
        assert two_point_stats(X).requires_grad
        with torch.no_grad():
            assert not two_point_stats(X).requires_grad
        with torch.inference_mode():
            assert not two_point_stats(X).requires_grad

    def test_blocks_may_run_in_inference_mode(self):
        X = torch.rand(5, 6, 5, generator=torch.manual_seed(0))
        with block_size(30):
            expected = two_point_stats(X)
        with block_size(30), torch.inference_mode():
            assert torch.equal(two_point_stats(X), expected)
            assert torch.equal(two_point_stats(X.clone()), expected)

    def test_a_mask_with_a_gradient_leaves_numpy_alone(self):
        mask = torch.full((6, 5), 0.5, requires_grad=True)
        f = two_point_stats(labels_of((6, 5)), mask=mask)
        assert isinstance(f, np.ndarray)
        np.testing.assert_allclose(f, two_point_stats(labels_of((6, 5))), atol=1e-6)
        tensor = two_point_stats(torch.rand(2, 6, 5), mask=mask)
        assert tensor.requires_grad
