from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import block_size, dispatch, form_of
from matvae.stats.masks import read_mask

from .samples import labels_of


@pytest.mark.parametrize("wrap", [np.asarray, da.from_array, torch.from_numpy])
@pytest.mark.parametrize("mask", [None, "shared", "per sample"])
@pytest.mark.parametrize("voxels", [1, 60, 1 << 18])
def test_each_phase_is_processed_once_with_its_mask(wrap, mask, voxels):
    labels = labels_of((6, 5))
    mask_values = None if mask is None else np.random.default_rng(1).random((4, 6, 5)[mask == "shared" :])
    X = wrap(labels)
    weights = read_mask(wrap(mask_values) if mask == "per sample" else mask_values, X, (6, 5))

    def weighted_rows(field: torch.Tensor, block_mask: torch.Tensor | None) -> torch.Tensor:
        assert block_mask is None or block_mask.ndim == field.ndim == 3
        return (field if block_mask is None else field * block_mask).sum(2).float()

    with block_size(voxels):
        result = dispatch.map_phases(X, form_of(X, 3, None), 3, weighted_rows, (6,), weights)
    ones = np.stack([labels == phase for phase in range(3)], axis=-1)
    expected = (ones * (1 if mask_values is None else np.broadcast_to(mask_values, labels.shape)[..., None])).sum(2)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "result"), [("u1", torch.float32), ("f4", torch.float32), ("f8", torch.float64), ("g", torch.float64)]
)
def test_double_precision_is_kept(dtype, result):
    assert dispatch.result_dtype(np.zeros((2, 4), dtype)) == result


def test_labels_have_single_precision_results():
    X = labels_of((6, 5)).astype(np.int64)
    assert dispatch.result_dtype(X, form_of(X, "auto", None)) == torch.float32


def test_the_block_size_holds_inside_its_context_only():
    default = dispatch.block_voxels()
    with block_size(100):
        assert dispatch.block_voxels() == dispatch.block_voxels(on_accelerator=True) == 100
        with block_size(20):
            assert dispatch.block_voxels() == 20
        assert dispatch.block_voxels() == 100
    assert dispatch.block_voxels() == default
    assert dispatch.block_voxels(on_accelerator=True) > default
    with pytest.raises(KeyError), block_size(100):
        raise KeyError
    assert dispatch.block_voxels() == default


@pytest.mark.parametrize("voxels", [0, -1, 1.5, "many", True])
def test_a_block_size_must_be_a_positive_integer(voxels):
    with pytest.raises(InputError, match="voxels must be an integer of at least 1"), block_size(voxels):
        pass


def test_a_dask_array_keeps_the_block_size_it_was_called_with():
    X = da.from_array(labels_of((6, 5), n=5))
    block_lengths: list[int] = []

    def record(field: torch.Tensor, _: torch.Tensor | None) -> torch.Tensor:
        block_lengths.append(len(field))
        return field.flatten(1).float().mean(1)

    with block_size(60):
        lazy = dispatch.map_phases(X, form_of(X, 3, None), 3, record, ())
    assert not block_lengths
    lazy.compute(scheduler="synchronous")
    assert sorted(block_lengths) == [1] * 3 + [2] * 6
