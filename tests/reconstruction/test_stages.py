from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction.stages import choose_stages

from ..structures import blobs


def stages(labels, patch="auto", shape=None):
    return choose_stages(torch.from_numpy(labels), patch, Grid(shape or labels.shape[1:]))


def test_wider_features_take_more_levels_and_larger_patches():
    fine = stages(blobs(2, (96, 96), width=0.4))
    coarse = stages(blobs(2, (96, 96), width=5.0))
    assert {stage.level for stage in fine} < {stage.level for stage in coarse}
    assert max(stage.patch for stage in fine) < max(stage.patch for stage in coarse)
    assert [stage.level for stage in coarse] == sorted((stage.level for stage in coarse), reverse=True)


def test_lamellae_of_two_voxels_vary_at_the_finest_levels_only():
    lamellae = np.tile(np.repeat([0, 1], 2), (1, 64, 16)).astype(np.uint8)
    assert {stage.level for stage in stages(lamellae)} <= {0, 1}


def test_given_edges_apply_by_level_from_the_finest():
    labels = blobs(2, (64, 64), width=4.0)
    assert [(s.level, s.patch) for s in stages(labels, (9, 5))] == [(1, 5), (0, 9), (0, 7)]
    assert {s.patch for s in stages(labels, 5)} == {5}


def test_every_stage_fits_small_grids_and_small_examples():
    for shape, window in (((10, 9), (64, 64)), ((64, 64), (12, 14)), ((8,), (40,))):
        for stage in stages(blobs(9, window, width=2.0), shape=shape):
            assert stage.patch <= min(
                *(round(n / 2**stage.level) for n in shape), *(n // 2**stage.level for n in window)
            )


@pytest.mark.parametrize("patch", ["large", 2, 7.5, True, (), (7, "a"), None])
def test_other_kinds_of_patch_are_refused(patch):
    with pytest.raises(InputError, match="patch must be 'auto', an edge of at least 3 voxels"):
        stages(blobs(1, (32, 32)), patch)


def test_patches_larger_than_the_grid_are_refused():
    with pytest.raises(InputError, match="Patches of 17 voxels of width 1 must fit both the grid"):
        stages(blobs(1, (32, 32)), 17, shape=(16, 16))
    with pytest.raises(InputError, match="Patches of 9 voxels of width 4 must fit both the grid"):
        stages(blobs(1, (32, 32)), (9, 9, 9))
