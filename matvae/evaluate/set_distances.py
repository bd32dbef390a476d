"""Compare a set of generated structures with true ones, by the distributions of measures of the material.

A generated structure is not the copy of a certain true one, so that sets are compared, not pairs. How near is near
enough is read off a second set of true structures, from another region of the material.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import validate
from ..errors import InputError
from ..shown import Shown
from .energy_distance import EnergyDistance, energy_distance
from .material_measures import MEASURES, lazy_labels, measure_structures

INSIDE, AS_NEAR = "inside 1 z", "as near as another true region"
OUTSIDE, ABSENT = "outside", "absent from both"


@dataclass(frozen=True, repr=False)
class MeasureComparison(Shown):
    """One measure of one phase in both sets.

    Parameters
    ----------
    measure, unit : str
        Name in `MEASURES`, and unit of means, standard deviations and energy distances.
    phase : int
    axis : int or None
        Spatial axis, for a measure that has one value per axis.
    n_generated, n_true : int
        Structures that have a value: a structure without chords has no mean chord length.
    generated_mean, true_mean : list of float
        Mean of a number, or mean curve. Empty where no structure has a value.
    generated_std, true_std : list of float
        Standard deviations over the structures, with n-1 in the denominator. Empty for fewer than two structures.
    z : float or None
        Difference between the means in standard deviations of the true structures; for curves,
        ``||mean difference|| / sqrt(mean ||x - mean||^2)`` over the true curves x, which is not negative. None where
        true structures have all the same value and the generated mean is another.
    energy_distance : EnergyDistance or None
        Between generated and true structures. None where a set has fewer than two values.
    other_z, floor
        The same for the structures of another true region in place of the generated ones; None without them.
    """

    measure: str
    unit: str
    phase: int
    axis: int | None
    n_generated: int
    n_true: int
    generated_mean: list[float]
    generated_std: list[float]
    true_mean: list[float]
    true_std: list[float]
    z: float | None
    energy_distance: EnergyDistance | None
    other_z: float | None
    floor: EnergyDistance | None

    @property
    def verdict(self) -> str:
        """``"inside 1 z"``, else ``"as near as another true region"``, else ``"outside"``; or ``"absent from both"``.

        A negative floor counts as zero. A mean inside 1 z says nothing about the spread: compare the standard
        deviations, too.
        """
        if self.n_generated == self.n_true == 0:
            return ABSENT
        if self.z is not None and abs(self.z) <= 1:
            return INSIDE
        if self.energy_distance is not None and self.floor is not None:
            return AS_NEAR if self.energy_distance.value <= max(0.0, self.floor.value) else OUTSIDE
        return OUTSIDE

    @property
    def distinguishable(self) -> bool | None:
        """Whether the whole interval of the energy distance lies above the floor, and above zero; None without it.

        This is stricter than the verdict where sets are large: a mean inside 1 z may differ beyond doubt.
        """
        if self.energy_distance is None or self.energy_distance.interval is None:
            return None
        return self.energy_distance.interval[0] > max(0.0, self.floor.value if self.floor is not None else 0.0)

    @property
    def spread(self) -> float | None:
        """Standard deviation of the generated over that of the true structures (of curves: of their norms)."""
        scale = _norm(self.true_std)
        return _norm(self.generated_std) / scale if self.generated_std and scale > 0 else None


@dataclass(frozen=True, repr=False)
class SetComparison(Shown):
    """All measures of all phases in both sets.

    Parameters
    ----------
    rows : tuple of MeasureComparison
        Measure by measure; phase by phase, and axis by axis where a measure has one value per axis.
    n_generated, n_true, n_other : int
        Structures in the sets; `n_other` is 0 without another true region.
    """

    rows: tuple[MeasureComparison, ...]
    n_generated: int
    n_true: int
    n_other: int

    def shown_rows(self) -> dict[str, str]:
        """The verdict on every measure."""
        other = f", {self.n_other} of another true region" if self.n_other else ""
        return {
            "sets": f"{self.n_generated} generated structures, {self.n_true} true ones{other}",
            "outside": f"{self.n_outside} of {len(self.rows)} measures",
            **{
                f"{row.measure}, phase {row.phase}{'' if row.axis is None else f', axis {row.axis}'}": row.verdict
                for row in self.rows
            },
        }

    @property
    def n_outside(self) -> int:
        """Number of rows with the verdict ``"outside"``."""
        return sum(row.verdict == OUTSIDE for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold."""
        rows = [
            asdict(row) | {"spread": row.spread, "distinguishable": row.distinguishable, "verdict": row.verdict}
            for row in self.rows
        ]
        sizes = {"n_generated": self.n_generated, "n_true": self.n_true, "n_other": self.n_other}
        return {**sizes, "n_outside": self.n_outside, "rows": rows}


def compare_sets(
    generated: Any,
    true: Any,
    other_true: Any = None,
    *,
    phases: int,
    measures: Sequence[str] | None = None,
    periodic: bool = False,
    cutoff: int | None = None,
    connectivity: int = 1,
    n_bootstrap: int = 500,
    random_state: int = 0,
) -> SetComparison:
    """Compare generated with true structures by the distributions of measures of the material.

    Parameters
    ----------
    generated, true : Structures or array ``(sample, *space)``
        Labels; two or more structures of equal shape in each set. Arrays are read block by block.
    other_true : Structures or array ``(sample, *space)``, optional
        Structures from another region of the material, which share no voxel with `true`. Their distance from `true` is
        the floor: what the material itself differs by from place to place.
    phases, measures, periodic, cutoff, connectivity
        As in `measure_structures`, alike for all sets.
    n_bootstrap, random_state
        As in `energy_distance`.

    Returns
    -------
    SetComparison

    Raises
    ------
    InputError
        As in `measure_structures`, or if shapes differ or a set has fewer than two structures.
    """
    sets = [lazy_labels(X) for X in (generated, true, other_true) if X is not None]
    shapes = [tuple(data.shape[1:]) for data in sets]
    if len(set(shapes)) > 1:
        raise InputError(
            f"Sets of structures of equal shape are expected, but the shapes are {', '.join(map(str, shapes))}. "
            "Cut windows of one size: measures of windows depend on it."
        )
    measured = [
        measure_structures(
            data, phases=phases, measures=measures, periodic=periodic, cutoff=cutoff, connectivity=connectivity
        )
        for data in sets
    ]
    return compare_measured(*measured, n_bootstrap=n_bootstrap, random_state=random_state)


def compare_measured(
    generated: Mapping[str, np.ndarray],
    true: Mapping[str, np.ndarray],
    other_true: Mapping[str, np.ndarray] | None = None,
    *,
    n_bootstrap: int = 500,
    random_state: int = 0,
) -> SetComparison:
    """Compare sets that have been measured: as `compare_sets`, where several sets are compared with the same true one.

    Parameters
    ----------
    generated, true, other_true : mapping of str to array
        Results of `measure_structures` with the same options.
    n_bootstrap, random_state
        As in `energy_distance`.

    Returns
    -------
    SetComparison

    Raises
    ------
    InputError
        If the measures differ, or a set has fewer than two structures.
    """
    sets = [values for values in (generated, true, other_true) if values is not None]
    validate.integer("n_bootstrap", n_bootstrap, 0)
    layouts = [{name: array.shape[1:] for name, array in values.items()} for values in sets]
    if not layouts[0] or any(layout != layouts[0] for layout in layouts):
        raise InputError(
            f"Sets measured alike are expected, but their measures and shapes per structure are {layouts}. "
            "Pass the same options to measure_structures."
        )
    sizes = [len(next(iter(values.values()))) for values in sets]
    if min(sizes) < 2:
        raise InputError(
            f"Two or more structures are needed in each set to compare distributions, but the numbers are {sizes}. "
            "Generate more, or cut smaller windows."
        )
    rows = []
    for name, array in true.items():
        per_axis = MEASURES[name].coordinate == "axis"
        for phase in range(array.shape[-1]):
            for axis in range(array.shape[1]) if per_axis else (None,):
                columns = [_column(values[name], phase, axis) for values in sets]
                rows.append(_compare(name, phase, axis, columns, n_bootstrap, random_state))
    return SetComparison(tuple(rows), sizes[0], sizes[1], sizes[2] if len(sizes) == 3 else 0)


def _column(values: np.ndarray, phase: int, axis: int | None) -> np.ndarray:
    """Numbers or curves ``(sample, coordinate)`` of one phase, of the structures that have them."""
    column = values[..., phase] if axis is None else values[:, axis, phase]
    column = column.reshape(len(column), -1)
    return column[np.isfinite(column).all(axis=1)]


def _compare(
    name: str, phase: int, axis: int | None, columns: list[np.ndarray], n_bootstrap: int, random_state: int
) -> MeasureComparison:
    generated, true, *other = columns

    def distance(values: np.ndarray) -> EnergyDistance | None:
        if min(len(values), len(true)) < 2:
            return None
        return energy_distance(values, true, n_bootstrap=n_bootstrap, random_state=random_state)

    return MeasureComparison(
        measure=name,
        unit=MEASURES[name].unit,
        phase=phase,
        axis=axis,
        n_generated=len(generated),
        n_true=len(true),
        generated_mean=_mean(generated),
        generated_std=_std(generated),
        true_mean=_mean(true),
        true_std=_std(true),
        z=_z(generated, true),
        energy_distance=distance(generated),
        other_z=_z(other[0], true) if other else None,
        floor=distance(other[0]) if other else None,
    )


def _z(values: np.ndarray, true: np.ndarray) -> float | None:
    """Difference of the means in standard deviations of the true values; see `MeasureComparison`."""
    if len(values) == 0 or len(true) < 2:
        return None
    difference = values.mean(axis=0) - true.mean(axis=0)
    scale = _norm(_std(true))
    if scale == 0:
        return None if difference.any() else 0.0
    return float(difference[0] / scale) if len(difference) == 1 else _norm(difference) / scale


def _norm(values: Any) -> float:
    return math.sqrt(float(np.square(values).sum()))


def _mean(values: np.ndarray) -> list[float]:
    return values.mean(axis=0).tolist() if len(values) else []


def _std(values: np.ndarray) -> list[float]:
    return values.std(axis=0, ddof=1).tolist() if len(values) > 1 else []
