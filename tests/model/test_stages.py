"""Stages of a training against the grid and the loss of each of its steps."""

from __future__ import annotations

from collections import Counter

import pytest

from matvae.model import TrainingSettings
from matvae.model.coarse import level_at
from matvae.model.stages import stages


def kind(settings, coarse, progress):
    """Grid of a step, and whether structures are registered in it."""
    grid = None if coarse is None else level_at(coarse, progress, settings.coarse_fraction)
    return grid, progress < settings.aligned_fraction


@pytest.mark.parametrize("coarse", [None, (2, 2), (8, 4)])
@pytest.mark.parametrize(("aligned", "coarse_fraction"), [(0.5, 0.75), (0.0, 0.9), (0.7, 0.0), (0.75, 0.75)])
@pytest.mark.parametrize("begun", [0.0, 0.3, 0.8])
def test_stages_have_the_kinds_and_the_shares_of_the_steps(coarse, aligned, coarse_fraction, begun):
    settings = TrainingSettings(aligned_fraction=aligned, coarse_fraction=coarse_fraction)
    n = 10_000
    expected = Counter(kind(settings, coarse, (step + 0.5) / n) for step in range(int(begun * n), n))
    found = Counter()
    for stage in stages(settings, coarse, begun):
        assert stage.factors == kind(settings, coarse, stage.middle)[0]
        found[kind(settings, coarse, stage.middle)] += round(stage.share * n)
    assert found == expected
    assert stages(settings, coarse, begun)[-1].factors is None


def test_a_training_on_voxels_registers_nothing():
    settings = TrainingSettings(loss="voxels", aligned_fraction=0.5)
    assert [stage.share for stage in stages(settings, None)] == [1.0]


def test_nothing_is_left_of_a_training_that_is_over():
    assert stages(TrainingSettings(), (4, 4), 1.0) == []
