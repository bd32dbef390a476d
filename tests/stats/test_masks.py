from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats.masks import read_mask

X = np.zeros((3, 4, 5))


def test_none_means_no_mask():
    mask = read_mask(None, X, (4, 5))
    assert mask.values is None
    assert mask.binary
    assert not mask.per_sample


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy, da.from_array])
@pytest.mark.parametrize("structures", [X, torch.from_numpy(X), da.from_array(X)])
def test_a_shared_mask_may_be_of_any_kind(kind, structures):
    mask = read_mask(kind(np.full((4, 5), 0.5)), structures, (4, 5))
    assert isinstance(mask.values, torch.Tensor)
    assert not mask.per_sample
    assert not mask.binary


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "u2", ">i4"])
def test_integer_and_boolean_masks_are_binary(dtype):
    mask = read_mask(np.ones((3, 4, 5), dtype), X, (4, 5))
    assert mask.binary
    assert mask.per_sample
    assert read_mask(torch.ones(4, 5, dtype=torch.bool), X, (4, 5)).binary


def test_a_dask_mask_per_sample_stays_lazy():
    mask = read_mask(da.ones((3, 4, 5), chunks=(1, 2, 2)), da.from_array(X), (4, 5))
    assert mask.per_sample
    assert isinstance(mask.values, da.Array)
    assert mask.values.numblocks == (3, 1, 1)


@pytest.mark.parametrize("shape", [(5, 4), (2, 4, 5), (4,), (3, 4, 5, 1), (1, 4, 5)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(InputError, match=r"mask of shape \(4, 5\) or \(3, 4, 5\) is expected, but .* was given"):
        read_mask(np.ones(shape), X, (4, 5))


@pytest.mark.parametrize("bad", [-0.1, 1.5, 255, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_values_outside_zero_to_one_are_named(bad, shape):
    weights = np.ones(shape)
    weights.flat[7] = bad
    with pytest.raises(InputError, match=r"must lie in \[0, 1\], but values from .* to .* were given.*Scale the mask"):
        read_mask(weights, X, (4, 5))


def test_the_sample_without_weight_is_named():
    weights = np.ones((3, 4, 5))
    weights[1] = 0
    with pytest.raises(InputError, match=r"no weight at all in sample 1. Leave that sample out"):
        read_mask(weights, X, (4, 5))
    with pytest.raises(InputError, match=r"no weight at all. Leave"):
        read_mask(np.zeros((4, 5), bool), X, (4, 5))


@pytest.mark.parametrize("mask", [[[1, 0], [0, 1]], "mask", 1.0])
def test_anything_but_an_array_is_refused(mask):
    with pytest.raises(InputError, match=f"numpy, dask or torch array, but {type(mask).__name__} was given"):
        read_mask(mask, X, (4, 5))


@pytest.mark.parametrize("dtype", [complex, object, "U3"])
def test_masks_of_other_types_are_refused(dtype):
    with pytest.raises(InputError, match="mask of booleans or real numbers is expected"):
        read_mask(np.ones((4, 5)).astype(dtype), X, (4, 5))


def test_a_mask_per_sample_in_memory_is_refused_for_dask_structures():
    with pytest.raises(InputError, match=r"must be a dask array where the structures are one.*from_array"):
        read_mask(np.ones((3, 4, 5)), da.from_array(X), (4, 5))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_masks_are_read(dtype):
    assert read_mask(torch.ones(4, 5, dtype=dtype), torch.zeros(3, 4, 5), (4, 5)).values.sum() == 20
