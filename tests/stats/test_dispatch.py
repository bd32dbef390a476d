from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats import dispatch
from matvae.stats.masks import read_mask

from .samples import labels_of


@pytest.mark.parametrize("wrap", [np.asarray, da.from_array, torch.from_numpy])
@pytest.mark.parametrize("mask", [None, "shared", "per sample"])
@pytest.mark.parametrize("voxels", [1, 60, 1 << 18])
def test_every_phase_is_seen_once_with_its_mask(wrap, mask, voxels, monkeypatch):
    monkeypatch.setattr(dispatch, "BLOCK_VOXELS", voxels)
    labels = labels_of((6, 5))
    given = None if mask is None else np.random.default_rng(1).random((4, 6, 5)[mask == "shared" :])
    X = wrap(labels)
    weights = read_mask(wrap(given) if mask == "per sample" else given, X, (6, 5))

    def weighted_rows(field: torch.Tensor, own: torch.Tensor | None) -> torch.Tensor:
        assert own is None or own.ndim == field.ndim == 3
        return (field if own is None else field * own).sum(2).float()

    found = dispatch.map_phases(X, dispatch.form_of(X, 3, None), 3, weighted_rows, (6,), weights)
    ones = np.stack([labels == phase for phase in range(3)], axis=-1)
    expected = (ones * (1 if given is None else np.broadcast_to(given, labels.shape)[..., None])).sum(2)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "result"), [("u1", torch.float32), ("f4", torch.float32), ("f8", torch.float64), ("g", torch.float64)]
)
def test_double_precision_is_kept(dtype, result):
    assert dispatch.tensor_type(np.zeros((2, 4), dtype)) == result


def test_labels_have_single_precision_results():
    X = labels_of((6, 5)).astype(np.int64)
    assert dispatch.tensor_type(X, dispatch.form_of(X, "auto", None)) == torch.float32


def test_a_voxel_has_an_edge_along_every_axis():
    assert dispatch.voxel_sizes(None, (4, 5)) == (1.0, 1.0)
    assert dispatch.voxel_sizes(0.5, (4, 5)) == (0.5, 0.5)
    assert dispatch.voxel_sizes((0.5, 2), (4, 5)) == (0.5, 2.0)
    for size in ((1, 1, 1), -1, "small"):
        with pytest.raises(InputError, match="one for each of the 2 axes"):
            dispatch.voxel_sizes(size, (4, 5))
