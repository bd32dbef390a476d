from __future__ import annotations

import itertools
import threading
import weakref

import dask
import dask.array as da
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matvae.errors import InputError
from matvae.stats import block_size, two_point_stats, volume_fractions

from ..structures import one_hot
from .oracle import direct_statistics
from .samples import SHAPES, labels_of, zero_lag


class TestAgainstTheDefinition:
    @settings(max_examples=25, deadline=None)
    @given(
        space=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple),
        phases=st.integers(2, 4),
        periodic=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
        mask=st.sampled_from([None, "shared", "per sample"]),
        all_pairs=st.booleans(),
    )
    def test_labels_and_states_equal_the_direct_sum(self, space, phases, periodic, seed, mask, all_pairs):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, phases, (3, *space))
        states = np.arange(phases)
        pairs = list(itertools.product(states, states)) if all_pairs else [(0, phases - 1), (0, 0)]
        weights = None
        if mask:
            weights = rng.uniform(0.5, 1, (3, *space)[mask == "shared" :])
        window = {"correlations": pairs, "periodic": periodic, "mask": weights}
        expected = direct_statistics(one_hot(labels, phases), pairs, periodic=periodic, mask=weights)
        np.testing.assert_allclose(
            two_point_stats(labels, spatial_dims=len(space), phases=phases, **window), expected, atol=2e-5
        )
        for axis in range(1, labels.ndim + 1):
            moved = np.moveaxis(one_hot(labels, phases), -1, axis)
            f = two_point_stats(moved, spatial_dims=len(space), state_axis=axis, **window)
            assert f.dtype == np.float64
            np.testing.assert_allclose(f, expected, atol=1e-10)

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_fields_equal_the_direct_sum(self, space, periodic, dtype):
        field = np.random.default_rng(0).normal(size=(3, *space)).astype(dtype)
        expected = direct_statistics(field[..., None], [(0, 0)], periodic=periodic)
        f = two_point_stats(field, spatial_dims=len(space), periodic=periodic)
        assert f.dtype == dtype
        np.testing.assert_allclose(f, expected, atol=1e-9 if dtype == np.float64 else 1e-4)

    @pytest.mark.parametrize("pairs", [[(0, 0), (0, 1), (0, 2)], list(itertools.product(range(3), repeat=2))])
    def test_the_complementary_phase_is_exact(self, pairs):
        labels = labels_of((6, 5))
        slow = direct_statistics(one_hot(labels, 3), pairs)
        np.testing.assert_array_equal(two_point_stats(labels, correlations=pairs), slow.astype(np.float32))

    @pytest.mark.parametrize("voxels", [1, 50, 100, 1 << 20])
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("mask", [None, "shared", "per sample"])
    def test_the_block_size_changes_nothing(self, voxels, periodic, mask):
        rng = np.random.default_rng(0)
        states = rng.random((5, 6, 4, 2))
        weights = None if mask is None else rng.random((5, 6, 4)[mask == "shared" :])
        expected = direct_statistics(states, [(0, 1), (1, 1)], periodic=periodic, mask=weights)
        window = {"correlations": [(0, 1), (1, 1)], "periodic": periodic, "mask": weights}
        with block_size(voxels):
            f = two_point_stats(states, state_axis=-1, **window)
        np.testing.assert_allclose(f, expected, atol=1e-10)
        assert np.moveaxis(f, -1, 1).flags.c_contiguous


class TestPhysics:
    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    def test_lag_zero_is_the_volume_fraction(self, space, periodic):
        labels = labels_of(space)
        f = two_point_stats(
            labels, spatial_dims=len(space), correlations=[(0, 0), (1, 1), (2, 2), (0, 1)], periodic=periodic
        )
        fractions = volume_fractions(labels, spatial_dims=len(space))
        np.testing.assert_allclose(zero_lag(f)[:, :3], fractions, atol=1e-6)
        np.testing.assert_array_equal(zero_lag(f)[:, 3], 0)

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    def test_all_correlations_sum_to_one_at_every_lag(self, space, periodic, masked):
        labels = labels_of(space)
        mask = np.random.default_rng(1).uniform(0.5, 1, labels.shape) if masked else None
        all_pairs = list(itertools.product(range(3), repeat=2))
        f = two_point_stats(labels, spatial_dims=len(space), correlations=all_pairs, periodic=periodic, mask=mask)
        np.testing.assert_allclose(f.sum(-1), 1, atol=1e-4 if masked else 1e-6)

    @pytest.mark.parametrize("space", [(7,), (5, 7), (3, 5, 3)])
    @pytest.mark.parametrize("periodic", [True, False])
    def test_swapping_the_phases_inverts_the_lags(self, space, periodic):
        f = two_point_stats(labels_of(space), spatial_dims=len(space), correlations=[(0, 1), (1, 0)], periodic=periodic)
        np.testing.assert_array_equal(np.flip(f[..., 0], tuple(range(1, f.ndim - 1))), f[..., 1])

    @pytest.mark.parametrize("space", SHAPES)
    def test_periodic_statistics_are_invariant_to_shifts(self, space):
        labels = labels_of(space)
        shifted = np.roll(labels, [3, 1, 2][: len(space)], tuple(range(1, labels.ndim)))
        np.testing.assert_array_equal(
            two_point_stats(shifted, spatial_dims=len(space)), two_point_stats(labels, spatial_dims=len(space))
        )
        assert not np.array_equal(
            two_point_stats(shifted, spatial_dims=len(space), periodic=False),
            two_point_stats(labels, spatial_dims=len(space), periodic=False),
        )

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    def test_autocorrelations_are_invariant_to_inversion(self, space, periodic):
        labels = labels_of(space, phases=2)
        inverted = np.flip(labels, tuple(range(1, labels.ndim)))
        np.testing.assert_array_equal(
            two_point_stats(inverted, spatial_dims=len(space), periodic=periodic),
            two_point_stats(labels, spatial_dims=len(space), periodic=periodic),
        )

    def test_a_checkerboard_correlates_at_even_lags_only(self):
        board = np.indices((6, 8)).sum(0) % 2
        f = two_point_stats(board[None].astype(np.uint8), correlations=[(1, 1), (0, 1)])[0]
        is_even = (np.indices((6, 8)).sum(0) - (3 + 4)) % 2 == 0
        np.testing.assert_array_equal(f[..., 0], np.where(is_even, 0.5, 0))
        np.testing.assert_array_equal(f[..., 1], np.where(is_even, 0, 0.5))

    def test_one_voxel_correlates_with_itself_only(self):
        delta = np.zeros((1, 5, 6), np.uint8)
        delta[0, 1, 4] = 1
        f = two_point_stats(delta)[0, ..., 0]
        expected = np.zeros((5, 6))
        expected[2, 3] = 1 / 30
        np.testing.assert_allclose(f, expected, rtol=1e-6)

    def test_the_lag_points_from_the_first_phase_to_the_second(self):
        labels = np.zeros((1, 7, 7), np.uint8)
        labels[0, 3, 3], labels[0, 4, 5] = 1, 2
        for periodic, counts, centre in ((True, 49, 3), (False, 6 * 5, 6)):
            f = two_point_stats(labels, correlations=[(1, 2)], periodic=periodic)[0, ..., 0]
            assert np.argwhere(f).tolist() == [[centre + 1, centre + 2]]
            assert f.max() == pytest.approx(1 / counts)

    def test_a_uniform_structure_has_statistics_of_one(self):
        ones = np.ones((2, 5, 4), np.uint8)
        for periodic in (True, False):
            f = two_point_stats(ones, correlations=[(1, 1), (0, 0), (0, 1)], periodic=periodic)
            np.testing.assert_array_equal(f[..., 0], 1)
            np.testing.assert_array_equal(f[..., 1:], 0)

    def test_white_noise_is_uncorrelated_beyond_zero_lag(self):
        fraction, n, size = 0.3, 16, 64
        noise = np.random.default_rng(0).random((n, size, size)) < fraction
        f = two_point_stats(noise)[..., 0].mean(0)
        nonzero_lag = np.ones(f.shape, bool)
        nonzero_lag[size // 2, size // 2] = False
        # Every lag averages n * size^2 pairs; six standard errors are a bound for all 4096 lags.
        error = np.sqrt(fraction**2 * (1 - fraction**2) / (n * size**2))
        assert np.abs(f[nonzero_lag] - fraction**2).max() < 6 * error
        assert abs(f[~nonzero_lag] - fraction) < 6 * error

    def test_a_mask_excludes_voxels(self):
        labels = labels_of((6, 7), phases=2)
        mask = np.ones((6, 7))
        mask[:, 5:] = 0
        garbage = labels.copy()
        garbage[..., 5:] = 1
        window = {"periodic": False, "cutoff": (5, 4)}
        inside = two_point_stats(labels[..., :5], **window)
        np.testing.assert_allclose(two_point_stats(garbage, mask=mask, **window), inside, atol=1e-6)
        np.testing.assert_array_equal(two_point_stats(garbage, mask=mask.astype(bool), **window), inside)

    def test_a_constant_weight_changes_nothing(self):
        labels = labels_of((6, 7), phases=2)
        half = two_point_stats(labels, mask=np.full((6, 7), 0.5))
        np.testing.assert_allclose(half, two_point_stats(labels), atol=1e-6)


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
    def test_the_memory_layout_changes_nothing(self, changed, dtype):
        X = labels_of((6, 5)).astype(dtype)
        before = X.copy()
        np.testing.assert_array_equal(two_point_stats(changed(X)), two_point_stats(X))
        np.testing.assert_array_equal(X, before)

    def test_a_read_only_memory_mapped_file_is_read_in_blocks(self, tmp_path):
        labels = labels_of((6, 5))
        np.save(tmp_path / "labels.npy", labels)
        mapped = np.load(tmp_path / "labels.npy", mmap_mode="r")
        with block_size(60):
            np.testing.assert_array_equal(two_point_stats(mapped), two_point_stats(labels))

    @pytest.mark.parametrize(
        ("dtype", "result"),
        [("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("g", "f8"), ("u1", "f4"), ("i8", "f4")],
    )
    def test_double_precision_is_kept_and_other_types_give_single_precision(self, dtype, result):
        X = labels_of((6, 5), phases=2).astype(dtype)
        assert two_point_stats(X).dtype == np.dtype(result)
        assert volume_fractions(X).dtype == np.dtype(result)
        lazy = two_point_stats(da.from_array(X))
        assert lazy.dtype == lazy.compute().dtype == np.dtype(result)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_computed_in_single_precision(self, dtype):
        X = torch.rand(3, 6, 5, generator=torch.manual_seed(0)).to(dtype)
        assert torch.equal(two_point_stats(X), two_point_stats(X.float()))

    @pytest.mark.parametrize("space", SHAPES)
    def test_a_single_sample_has_the_same_statistics_as_in_a_set(self, space):
        labels = labels_of(space, n=5)
        np.testing.assert_array_equal(
            two_point_stats(labels[2:3], spatial_dims=len(space), phases=3),
            two_point_stats(labels, spatial_dims=len(space))[2:3],
        )

    def test_threads_do_not_interfere(self):
        labels = [labels_of((32, 32), n=20, seed=seed) for seed in range(4)]
        expected = [two_point_stats(x) for x in labels]
        results: list = [None] * 4

        def work(i: int) -> None:
            results[i] = two_point_stats(labels[i])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for x, y in zip(results, expected, strict=True):
            np.testing.assert_array_equal(x, y)


class TestDask:
    def test_nothing_is_computed_before_the_result_is_requested(self):
        def refuse(*args, **kwargs):
            raise AssertionError("computed")

        X = da.from_array(labels_of((6, 5)), chunks=2)
        with dask.config.set(scheduler=refuse):
            f = two_point_stats(X, phases=3, mask=da.ones((4, 6, 5), chunks=3))
        assert f.shape == (4, 6, 5, 3)
        assert f.chunks[1:] == ((6,), (5,), (3,))

    def test_the_number_of_phases_is_read_from_the_data(self):
        X = da.from_array(labels_of((6, 5)), chunks=2)
        assert two_point_stats(X).shape[-1] == 3

    @pytest.mark.parametrize("chunks", [(1, 6, 5), (4, 2, 3), (3, 1, 1), ((1, 3), 6, (4, 1))])
    def test_the_chunks_change_nothing(self, chunks):
        labels = labels_of((6, 5))
        lazy = two_point_stats(da.from_array(labels, chunks=chunks), periodic=False)
        np.testing.assert_array_equal(lazy.compute(), two_point_stats(labels, periodic=False))

    def test_only_the_requested_samples_are_computed(self):
        loaded = []

        def load(block_info=None):
            loaded.append(block_info[None]["chunk-location"])
            return np.ones((1, 6, 5), np.uint8)

        X = da.map_blocks(load, chunks=((1,) * 8, (6,), (5,)), dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
        f = two_point_stats(X, phases=2)
        assert f[3:5].compute(scheduler="synchronous").shape == (2, 6, 5, 1)
        assert sorted(loaded) == [(3, 0, 0), (4, 0, 0)]

    def test_only_a_few_chunks_are_in_memory_at_a_time(self):
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

    def test_results_from_processes_equal_those_of_threads(self):
        labels = labels_of((6, 5))
        lazy = two_point_stats(da.from_array(labels, chunks=2), mask=np.full((6, 5), 0.5))
        expected = two_point_stats(labels, mask=np.full((6, 5), 0.5))
        with dask.config.set(scheduler="processes", num_workers=1):
            np.testing.assert_allclose(lazy.compute(), expected, atol=1e-6)

    def test_unknown_chunks_are_refused(self):
        X = da.from_array(labels_of((6, 5)), chunks=2)
        with pytest.raises(InputError, match=r"unknown chunk sizes.*Call X.compute_chunk_sizes\(\) first"):
            two_point_stats(X[X[:, 0, 0] > 0])

    def test_invalid_values_are_refused_when_computed(self):
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
    def test_the_gradient_equals_finite_differences(self, periodic, masked):
        generator = torch.manual_seed(0)
        X = torch.rand(2, 3, 3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
        mask = torch.rand(3, 3, dtype=torch.float64, generator=generator).add(0.1).clamp_max(1) if masked else None

        def statistics(x: torch.Tensor) -> torch.Tensor:
            pairs = [(0, 1), (1, 1)]
            return two_point_stats(x, state_axis=-1, correlations=pairs, periodic=periodic, cutoff=1, mask=mask)

        assert torch.autograd.gradcheck(statistics, (X,))

    def test_values_with_a_gradient_equal_those_of_blocks(self):
        X = torch.rand(5, 6, 5, generator=torch.manual_seed(0))
        with block_size(30):
            torch.testing.assert_close(two_point_stats(X.clone().requires_grad_()).detach(), two_point_stats(X))

    def test_no_graph_is_kept_unless_gradients_are_enabled(self):
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

    def test_a_mask_with_a_gradient_does_not_affect_numpy(self):
        mask = torch.full((6, 5), 0.5, requires_grad=True)
        f = two_point_stats(labels_of((6, 5)), mask=mask)
        assert isinstance(f, np.ndarray)
        np.testing.assert_allclose(f, two_point_stats(labels_of((6, 5))), atol=1e-6)
        tensor = two_point_stats(torch.rand(2, 6, 5), mask=mask)
        assert tensor.requires_grad


class TestVolumeFractions:
    def test_labels_are_counted(self):
        labels = np.array([[[0, 1], [2, 2]], [[1, 1], [1, 0]]], np.uint8)
        np.testing.assert_allclose(volume_fractions(labels), [[0.25, 0.25, 0.5], [0.25, 0.75, 0]])

    def test_a_mask_weights_voxels(self):
        labels = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
        mask = np.array([1, 0.5, 0])
        np.testing.assert_allclose(
            volume_fractions(labels, spatial_dims=1, mask=mask), [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], atol=1e-6
        )
        masks = np.array([[1, 0, 0], [0, 1, 1.0]])
        np.testing.assert_allclose(volume_fractions(labels, spatial_dims=1, mask=masks), [[1, 0], [1, 0]])

    def test_states_and_fields_are_averaged(self):
        states = np.random.default_rng(0).random((3, 4, 5, 2))
        np.testing.assert_allclose(volume_fractions(states, state_axis=-1), states.mean((1, 2)))
        np.testing.assert_allclose(volume_fractions(states[..., 0]), states[..., :1].mean((1, 2)))

    def test_all_kinds_agree(self):
        labels = labels_of((6, 5))
        expected = volume_fractions(labels)
        assert expected.dtype == np.float32
        np.testing.assert_allclose(volume_fractions(torch.from_numpy(labels)), expected)
        lazy = volume_fractions(da.from_array(labels, chunks=(3, 2, 2)))
        assert lazy.shape == (4, 3)
        np.testing.assert_allclose(lazy.compute(), expected)

    def test_a_mask_without_weight_is_refused(self):
        with pytest.raises(InputError, match="no weight at all in sample 2"):
            volume_fractions(labels_of((6,)), spatial_dims=1, mask=np.eye(4, 6) * [[1], [1], [0], [1]])


class TestInvalidInput:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
    def test_values_that_are_not_finite(self, bad, kind):
        X = np.zeros((3, 6, 5))
        X[2, 1, 1] = bad
        for function in (two_point_stats, volume_fractions):
            with pytest.raises(InputError, match=r"contains NaN or infinity. Fill"):
                function(kind(X))

    @pytest.mark.parametrize(("X", "type_name"), [([0, 1], "list"), (3, "int"), (None, "NoneType")])
    def test_anything_but_an_array(self, X, type_name):
        with pytest.raises(InputError, match=f"numpy, dask or torch array is expected, but {type_name} was given"):
            two_point_stats(X)

    @pytest.mark.parametrize("dtype", [complex, object, "U1", "datetime64[s]"])
    def test_types_other_than_real_numbers(self, dtype):
        with pytest.raises(InputError, match="labels or real numbers are expected, but the array has the type"):
            two_point_stats(np.zeros((2, 3), int).astype(dtype))
        with pytest.raises(InputError, match="real numbers are expected"):
            two_point_stats(torch.zeros(2, 3, dtype=torch.complex64))

    @pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0), (2, 4, 0)])
    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
    def test_empty_arrays(self, shape, kind):
        with pytest.raises(InputError, match="but an empty array of shape"):
            two_point_stats(kind(np.zeros(shape)))

    def test_numpy_masked_arrays(self):
        with pytest.raises(InputError, match=r"Pass X.filled\(0\) and mask="):
            two_point_stats(np.ma.masked_less(np.zeros((2, 5)), 1))

    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
    def test_grey_values(self, kind):
        X = np.full((2, 5, 5), 255, np.uint8)
        with pytest.raises(InputError, match=r"labels 0 to H-1, but holds 255. Relabel"):
            two_point_stats(kind(X))

    def test_negative_labels(self):
        with pytest.raises(InputError, match=r"labels 0 to H-1, but holds -1, 1. Relabel"):
            two_point_stats(np.array([[[-1, 1]]]))

    def test_float_labels(self):
        with pytest.raises(InputError, match="phases=2 asks for integer phase labels"):
            two_point_stats(labels_of((6, 5)).astype(float), phases=2)

    def test_pairs_of_absent_phases(self):
        with pytest.raises(InputError, match=r"local states \[2\], but there are only 2"):
            two_point_stats(np.zeros((2, 5, 5), int), correlations=[(0, 2)])

    def test_a_cutoff_beyond_the_window(self):
        with pytest.raises(InputError, match="lags beyond the window"):
            two_point_stats(labels_of((6, 5)), cutoff=3)

    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
    def test_a_forgotten_state_axis(self, kind):
        states = one_hot(labels_of((6, 5)), 3)
        for function in (two_point_stats, volume_fractions):
            with pytest.raises(InputError, match=r"as 3 local states do. Pass state_axis=-1, or phases=1"):
                function(kind(states))
        assert two_point_stats(kind(states), phases=1).shape == (4, 6, 5, 3, 1)
        assert two_point_stats(kind(np.full((2, 6, 2), 0.5))).shape == (2, 6, 2, 1)

    def test_lags_without_pairs(self):
        mask = np.zeros((6, 6))
        mask[2:4, 2:4] = 1
        with pytest.raises(InputError, match=r"every lag, but the mask leaves none at some. Every lag up to cutoff=1"):
            two_point_stats(labels_of((6, 6)), periodic=False, mask=mask)
        masks = np.stack([np.ones((6, 6)), np.ones((6, 6)), mask, np.ones((6, 6))])
        with pytest.raises(InputError, match="cutoff=1"):
            two_point_stats(labels_of((6, 6)), periodic=False, mask=masks)
