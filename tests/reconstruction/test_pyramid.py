"""Coarser grids: box means, and statistics that equal those of the box means."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.pyramid import box_means, enlarged, level_shape, level_target, sliding_means
from matvae.stats import correlate

from ..structures import blobs
from .structures import target_of


@pytest.mark.parametrize(("shape", "phases"), [((32,), 2), ((32, 16), 2), ((16, 16), 3), ((16, 8, 8), 2)])
def test_statistics_of_a_level_are_those_of_the_box_means_averaged_over_shifts(shape, phases) -> None:
    labels = blobs(2, shape, phases)
    target = target_of(labels, phases)
    level = level_target(target, 1)
    # A grid of boxes has as many positions as a box has voxels; the statistics hold for their mean.
    total = torch.zeros_like(level.statistics)
    offsets = list(np.ndindex(*[2] * len(shape)))
    for offset in offsets:
        moved = np.roll(labels, offset, tuple(range(1, labels.ndim)))
        means = box_means(indicators(torch.from_numpy(moved), phases), level_shape(shape, 1))
        total += correlate(means, level.pairs, periodic=True)
    torch.testing.assert_close(level.statistics, total / len(offsets), atol=1e-5, rtol=0)


def test_statistics_within_a_cutoff_become_those_within_a_shorter_one() -> None:
    labels = blobs(1, (64, 64), width=3)
    target = target_of(labels, periodic=False, cutoff=16)
    level = level_target(target, 2)
    assert level.grid.shape == (16, 16)
    assert level.cutoff == (3, 3)
    means = box_means(indicators(torch.from_numpy(labels), 2), (16, 16))
    f = correlate(means, level.pairs, periodic=False, cutoff=3)
    assert (f - level.statistics).abs().max() < 0.03


def test_too_short_a_cutoff_leaves_no_statistics() -> None:
    level = level_target(target_of(blobs(1, (32, 32)), cutoff=2), 3)
    assert level.pairs == ()
    assert level.statistics.shape == (1, 1, 1, 0)


def test_means_of_enlarged_fields_are_the_fields() -> None:
    fields = torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(box_means(enlarged(fields, (8, 12)), (4, 6)), fields)


def test_sliding_means_contain_the_box_means() -> None:
    fields = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sliding_means(fields, 2)[:, :, ::4, ::4], box_means(fields, (2, 2)))
    assert sliding_means(fields, 0) is fields


@pytest.mark.parametrize("shape", [(9,), (12, 9), (6, 8, 5)])
def test_sliding_means_are_those_of_all_boxes(shape) -> None:
    fields = (torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    boxes = fields
    for axis in range(2, fields.ndim):
        boxes = boxes.unfold(axis, 4, 1)
    expected = boxes.flatten(fields.ndim).mean(-1)
    # Of indicators, whose sums are integers, they are exact.
    torch.testing.assert_close(sliding_means(fields, 2), expected, atol=0, rtol=0)
