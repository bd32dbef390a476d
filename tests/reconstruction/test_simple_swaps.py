from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.simple_swaps import refine_simple

from ..structures import blobs
from .structures import fractions, target_of


@pytest.mark.parametrize(("shape", "phases"), [((32, 32), 2), ((32, 32), 3), ((12, 12, 12), 2)])
@pytest.mark.parametrize("periodic", [True, False])
def test_swaps_reduce_the_error_and_keep_volume_fractions_and_pieces(shape, phases, periodic):
    start = blobs(2, shape, phases, width=2.0)
    target = target_of(blobs(2, shape, phases, seed=7, width=1.6), phases, periodic, cutoff=4)
    labels = torch.from_numpy(start).long()
    after = refine_simple(labels, target.squared_errors, phases, periodic=periodic, rounds=40)
    before, error = (target.squared_errors(indicators(x, phases)) for x in (labels, after))
    assert (error < 0.3 * before).all()
    assert np.array_equal(fractions(after.numpy(), phases), fractions(start, phases))
    if phases == 2 and not periodic:
        for old, new in zip(start, after.numpy(), strict=True):
            assert [ndimage.label(old == p)[1] for p in (0, 1)] == [ndimage.label(new == p)[1] for p in (0, 1)]


def test_fixed_voxels_keep_their_phase():
    start = torch.from_numpy(blobs(2, (24, 24), width=2.0)).long()
    target = target_of(blobs(2, (24, 24), seed=7, width=1.6), cutoff=4)
    fixed = torch.zeros(2, 24, 24, dtype=torch.bool)
    fixed[:, :12] = True
    after = refine_simple(start, target.squared_errors, 2, periodic=True, rounds=20, fixed=fixed)
    assert torch.equal(after[:, :12], start[:, :12])
    assert not torch.equal(after, start)


def test_a_structure_without_error_is_unchanged():
    labels = torch.from_numpy(blobs(2, (16, 16))).long()
    assert torch.equal(
        refine_simple(labels, target_of(labels.numpy()).squared_errors, 2, periodic=True, rounds=9), labels
    )
