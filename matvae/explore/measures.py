"""Measures of structures that the explorer names, shows and takes as targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..grid import Grid
from ..optimize import Property, make_property, unit_on
from ..optimize.measuring import measure_all

# Phases beyond these are left out, so that a page stays readable.
MOST_PHASES = 4


@dataclass(frozen=True)
class Measure:
    """A measure of structures.

    Parameters
    ----------
    name : str
        As `optimize_latents` and the command line take it, such as ``"volume_fraction(phase=1)"``.
    text : str
        In words.
    unit : str
        Empty if dimensionless.
    property : Property
    """

    name: str
    text: str
    unit: str
    property: Property


def measures_of(grid: Grid) -> list[Measure]:
    """Volume fraction, specific surface and correlation length of the phases; none of a continuous field.

    Of two phases only the second is measured, since the first follows from it.
    """
    if grid.phases == 1:
        return []
    phases = [1] if grid.phases == 2 else list(range(min(grid.phases, MOST_PHASES)))
    return [
        Measure(
            f"{kind}(phase={phase})",
            f"{kind.replace('_', ' ')} of phase {phase}",
            unit_on(made, grid),
            made,
        )
        for kind in ("volume_fraction", "specific_surface", "correlation_length")
        for phase in phases
        for made in [make_property(kind, phase=phase)]
    ]


def measured(measures: list[Measure], structures: np.ndarray, grid: Grid) -> np.ndarray:
    """Values ``(sample, measure)`` of labels ``(sample, *space)``; NaN where a measure is not defined."""
    if not measures:
        return np.empty((len(structures), 0))
    return measure_all([measure.property for measure in measures], structures, grid)[0]


def elongations(structures: np.ndarray, grid: Grid) -> dict[str, np.ndarray]:
    """Elongation ``(sample,)`` of phase 1 by the name of the axis, from -1 to 1; none of lines and continuous fields.

    With P the number of phase boundaries that lines along an axis cross per voxel, it is ``(Q - P) / (Q + P)``, where Q
    is the mean over the other axes: 1 if lines along this axis cross none, 0 for structures without orientation, NaN
    if there are no boundaries. In an image it is the same along y with the other sign, and left out.
    """
    if grid.phases == 1 or grid.ndim == 1 or not len(structures):
        return {}
    solid = structures == 1
    crossings = np.stack(
        [np.diff(solid, axis=axis).reshape(len(solid), -1).mean(1) for axis in range(1, grid.ndim + 1)], axis=1
    )
    others = (crossings.sum(1, keepdims=True) - crossings) / (grid.ndim - 1)
    total = others + crossings
    found = np.divide(others - crossings, total, out=np.full_like(total, np.nan), where=total > 0)
    named = dict(zip(grid.axes or (), found.T, strict=True))
    return {name: named[name] for name in list(named)[-1 if grid.ndim == 2 else 0 :]}
