from __future__ import annotations

import itertools

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
        every=st.booleans(),
    )
    def test_labels_and_states_give_the_direct_sum(self, space, phases, periodic, seed, mask, every):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, phases, (3, *space))
        states = np.arange(phases)
        pairs = list(itertools.product(states, states)) if every else [(0, phases - 1), (0, 0)]
        weights = None
        if mask:
            weights = rng.uniform(0.5, 1, (3, *space)[mask == "shared" :])
        window = {"correlations": pairs, "periodic": periodic, "mask": weights}
        expected = direct_statistics(one_hot(labels, phases), pairs, periodic=periodic, mask=weights)
        np.testing.assert_allclose(two_point_stats(labels, phases=phases, **window), expected, atol=2e-5)
        for axis in range(1, labels.ndim + 1):
            moved = np.moveaxis(one_hot(labels, phases), -1, axis)
            given_states = two_point_stats(moved, state_axis=axis, **window)
            assert given_states.dtype == np.float64
            np.testing.assert_allclose(given_states, expected, atol=1e-10)

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_fields_give_the_direct_sum(self, space, periodic, dtype):
        field = np.random.default_rng(0).normal(size=(3, *space)).astype(dtype)
        expected = direct_statistics(field[..., None], [(0, 0)], periodic=periodic)
        given_field = two_point_stats(field, periodic=periodic)
        assert given_field.dtype == dtype
        np.testing.assert_allclose(given_field, expected, atol=1e-9 if dtype == np.float64 else 1e-4)

    @pytest.mark.parametrize("pairs", [[(0, 0), (0, 1), (0, 2)], list(itertools.product(range(3), repeat=2))])
    def test_the_last_phase_that_follows_from_the_others_is_exact(self, pairs):
        labels = labels_of((6, 5))
        slow = direct_statistics(one_hot(labels, 3), pairs)
        np.testing.assert_array_equal(two_point_stats(labels, correlations=pairs), slow.astype(np.float32))

    @pytest.mark.parametrize("voxels", [1, 50, 100, 1 << 20])
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("mask", [None, "shared", "per sample"])
    def test_the_size_of_blocks_changes_nothing(self, voxels, periodic, mask):
        rng = np.random.default_rng(0)
        states = rng.random((5, 6, 4, 2))
        weights = None if mask is None else rng.random((5, 6, 4)[mask == "shared" :])
        expected = direct_statistics(states, [(0, 1), (1, 1)], periodic=periodic, mask=weights)
        window = {"correlations": [(0, 1), (1, 1)], "periodic": periodic, "mask": weights}
        with block_size(voxels):
            given_states = two_point_stats(states, state_axis=-1, **window)
        np.testing.assert_allclose(given_states, expected, atol=1e-10)
        assert np.moveaxis(given_states, -1, 1).flags.c_contiguous


class TestPhysics:
    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    def test_lag_zero_is_the_volume_fraction(self, space, periodic):
        labels = labels_of(space)
        f = two_point_stats(labels, correlations=[(0, 0), (1, 1), (2, 2), (0, 1)], periodic=periodic)
        fractions = volume_fractions(labels)
        np.testing.assert_allclose(zero_lag(f)[:, :3], fractions, atol=1e-6)
        np.testing.assert_array_equal(zero_lag(f)[:, 3], 0)

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    @pytest.mark.parametrize("masked", [True, False])
    def test_all_correlations_sum_to_one_at_every_lag(self, space, periodic, masked):
        labels = labels_of(space)
        mask = np.random.default_rng(1).uniform(0.5, 1, labels.shape) if masked else None
        every = list(itertools.product(range(3), repeat=2))
        f = two_point_stats(labels, correlations=every, periodic=periodic, mask=mask)
        np.testing.assert_allclose(f.sum(-1), 1, atol=1e-4 if masked else 1e-6)

    @pytest.mark.parametrize("space", [(7,), (5, 7), (3, 5, 3)])
    @pytest.mark.parametrize("periodic", [True, False])
    def test_swapping_the_phases_inverts_the_lag(self, space, periodic):
        f = two_point_stats(labels_of(space), correlations=[(0, 1), (1, 0)], periodic=periodic)
        np.testing.assert_array_equal(np.flip(f[..., 0], tuple(range(1, f.ndim - 1))), f[..., 1])

    @pytest.mark.parametrize("space", SHAPES)
    def test_periodic_statistics_do_not_see_a_shift(self, space):
        labels = labels_of(space)
        shifted = np.roll(labels, [3, 1, 2][: len(space)], tuple(range(1, labels.ndim)))
        np.testing.assert_array_equal(two_point_stats(shifted), two_point_stats(labels))
        assert not np.array_equal(two_point_stats(shifted, periodic=False), two_point_stats(labels, periodic=False))

    @pytest.mark.parametrize("space", SHAPES)
    @pytest.mark.parametrize("periodic", [True, False])
    def test_an_autocorrelation_does_not_see_an_inversion(self, space, periodic):
        labels = labels_of(space, phases=2)
        inverted = np.flip(labels, tuple(range(1, labels.ndim)))
        np.testing.assert_array_equal(
            two_point_stats(inverted, periodic=periodic), two_point_stats(labels, periodic=periodic)
        )

    def test_a_checkerboard_correlates_at_even_lags_only(self):
        board = np.indices((6, 8)).sum(0) % 2
        f = two_point_stats(board[None].astype(np.uint8), correlations=[(1, 1), (0, 1)])[0]
        even = (np.indices((6, 8)).sum(0) - (3 + 4)) % 2 == 0
        np.testing.assert_array_equal(f[..., 0], np.where(even, 0.5, 0))
        np.testing.assert_array_equal(f[..., 1], np.where(even, 0, 0.5))

    def test_one_voxel_correlates_with_itself_only(self):
        delta = np.zeros((1, 5, 6), np.uint8)
        delta[0, 1, 4] = 1
        f = two_point_stats(delta)[0, ..., 0]
        expected = np.zeros((5, 6))
        expected[2, 3] = 1 / 30
        np.testing.assert_allclose(f, expected, rtol=1e-6)

    def test_two_voxels_give_the_lag_from_the_first_phase_to_the_second(self):
        labels = np.zeros((1, 7, 7), np.uint8)
        labels[0, 3, 3], labels[0, 4, 5] = 1, 2
        for periodic, counts, middle in ((True, 49, 3), (False, 6 * 5, 6)):
            f = two_point_stats(labels, correlations=[(1, 2)], periodic=periodic)[0, ..., 0]
            assert np.argwhere(f).tolist() == [[middle + 1, middle + 2]]
            assert f.max() == pytest.approx(1 / counts)

    def test_a_uniform_structure_has_statistics_of_one(self):
        ones = np.ones((2, 5, 4), np.uint8)
        for periodic in (True, False):
            f = two_point_stats(ones, correlations=[(1, 1), (0, 0), (0, 1)], periodic=periodic)
            np.testing.assert_array_equal(f[..., 0], 1)
            np.testing.assert_array_equal(f[..., 1:], 0)

    def test_white_noise_forgets_itself_after_one_voxel(self):
        fraction, n, size = 0.3, 16, 64
        noise = np.random.default_rng(0).random((n, size, size)) < fraction
        f = two_point_stats(noise)[..., 0].mean(0)
        away = np.ones(f.shape, bool)
        away[size // 2, size // 2] = False
        # Every lag averages n * size^2 pairs; six standard errors hold for all of the 4096 lags.
        error = np.sqrt(fraction**2 * (1 - fraction**2) / (n * size**2))
        assert np.abs(f[away] - fraction**2).max() < 6 * error
        assert abs(f[~away] - fraction) < 6 * error

    def test_a_mask_leaves_voxels_out(self):
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


class TestVolumeFractions:
    def test_labels_are_counted(self):
        labels = np.array([[[0, 1], [2, 2]], [[1, 1], [1, 0]]], np.uint8)
        np.testing.assert_allclose(volume_fractions(labels), [[0.25, 0.25, 0.5], [0.25, 0.75, 0]])

    def test_a_mask_weighs_them(self):
        labels = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
        mask = np.array([1, 0.5, 0])
        np.testing.assert_allclose(volume_fractions(labels, mask=mask), [[2 / 3, 1 / 3], [1 / 3, 2 / 3]], atol=1e-6)
        own = np.array([[1, 0, 0], [0, 1, 1.0]])
        np.testing.assert_allclose(volume_fractions(labels, mask=own), [[1, 0], [1, 0]])

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
            volume_fractions(labels_of((6,)), mask=np.eye(4, 6) * [[1], [1], [0], [1]])


class TestBadInput:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
    def test_values_that_are_not_finite(self, bad, kind):
        X = np.zeros((3, 6, 5))
        X[2, 1, 1] = bad
        for function in (two_point_stats, volume_fractions):
            with pytest.raises(InputError, match=r"contains NaN or infinity. Fill"):
                function(kind(X))

    @pytest.mark.parametrize(("X", "given_name"), [([[0, 1]], "list"), (3, "int"), (None, "NoneType")])
    def test_what_is_no_array(self, X, given_name):
        with pytest.raises(InputError, match=f"numpy, dask or torch array is expected, but {given_name} was given"):
            two_point_stats(X)

    @pytest.mark.parametrize("dtype", [complex, object, "U1", "datetime64[s]"])
    def test_types_that_are_no_numbers(self, dtype):
        with pytest.raises(InputError, match="labels or real numbers are expected, but the array has the type"):
            two_point_stats(np.zeros((2, 3), int).astype(dtype))
        with pytest.raises(InputError, match="real numbers are expected"):
            two_point_stats(torch.zeros(2, 3, dtype=torch.complex64))

    @pytest.mark.parametrize("shape", [(0, 4, 4), (2, 0), (2, 4, 0)])
    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
    def test_empty_arrays(self, shape, kind):
        with pytest.raises(InputError, match="but an empty array of shape"):
            two_point_stats(kind(np.zeros(shape)))

    def test_masked_arrays_do_not_lose_their_mask(self):
        with pytest.raises(InputError, match=r"Pass X.filled\(0\) and mask="):
            two_point_stats(np.ma.masked_less(np.zeros((2, 5)), 1))

    @pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
    def test_grey_values(self, kind):
        X = np.full((2, 5, 5), 255, np.uint8)
        with pytest.raises(InputError, match=r"256 phases; at most 255 are possible.*segment it"):
            two_point_stats(kind(X))

    def test_negative_labels(self):
        with pytest.raises(InputError, match="labels from -1 to 1 were found"):
            two_point_stats(np.array([[-1, 1]]))

    def test_float_labels(self):
        with pytest.raises(InputError, match="phases=2 asks for integer phase labels"):
            two_point_stats(labels_of((6, 5)).astype(float), phases=2)

    def test_pairs_of_absent_phases(self):
        with pytest.raises(InputError, match=r"local states \[2\], but there are only 2"):
            two_point_stats(np.zeros((2, 5), int), correlations=[(0, 2)])

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
        own = np.stack([np.ones((6, 6)), np.ones((6, 6)), mask, np.ones((6, 6))])
        with pytest.raises(InputError, match="cutoff=1"):
            two_point_stats(labels_of((6, 6)), periodic=False, mask=own)
