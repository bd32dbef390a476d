"""Stages of a training: how much of it runs on which grid and with which loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .coarse import level_at, levels
from .loss import VOXELS
from .settings import TrainingSettings


@dataclass(frozen=True)
class Stage:
    """A part of the training whose steps take equally long.

    Parameters
    ----------
    share : float
        Of the training.
    middle : float
        Completed share of the training in its middle.
    factors : tuple of int or None
        Of its coarse grid; None stands for the full grid.
    """

    share: float
    middle: float
    factors: tuple[int, ...] | None


def stages(settings: TrainingSettings, coarse: Sequence[int] | None, begun: float = 0.0) -> list[Stage]:
    """Divide the rest of a training into stages.

    Parameters
    ----------
    settings : TrainingSettings
    coarse : sequence of int, optional
        Factors of the coarsest grid, if there are several.
    begun : float
        Completed share of the training.

    Returns
    -------
    list of Stage
        In their order. The last one is on the full grid.
    """
    chain = [] if coarse is None else levels(coarse)
    changes = [settings.coarse_fraction * k / len(chain) for k in range(1, len(chain) + 1)]
    if settings.loss != VOXELS:
        # From there on no structures are registered.
        changes.append(settings.aligned_fraction)
    limits = [begun, *sorted({change for change in changes if begun < change < 1.0}), 1.0]
    return [
        Stage(stop - start, middle, None if coarse is None else level_at(coarse, middle, settings.coarse_fraction))
        for start, stop in pairwise(limits)
        if (middle := 0.5 * (start + stop)) < 1.0
    ]
