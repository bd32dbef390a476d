"""A sentence on how near a set of generated structures is to the true ones."""

from __future__ import annotations

from collections.abc import Sequence

from .set_distances import ABSENT, AS_NEAR, INSIDE, OUTSIDE, MeasureComparison, SetComparison

# Measures of which two phases have the same value, or complements.
SHARED = ("volume_fraction", "specific_surface")
# Measures outside that a sentence names.
MOST_NAMED = 3
# Differences of means, in percent, that are named even inside one standard deviation if they are certain.
NOTICEABLE = 5.0


def distinct_rows(comparison: SetComparison) -> list[MeasureComparison]:
    """Rows that are present in a set; of two phases' surfaces, and of their volume fractions, the second one only."""
    two_phases = max(row.phase for row in comparison.rows) == 1
    return [
        row
        for row in comparison.rows
        if row.verdict != ABSENT and not (two_phases and row.measure in SHARED and row.phase == 0)
    ]


def verdict(comparison: SetComparison, names: Sequence[str], axes: Sequence[str] = ("z", "y", "x")) -> str:
    """State how many measures are near to those of the true structures, and which are not.

    Parameters
    ----------
    comparison : SetComparison
    names : sequence of str
        Of the phases.
    axes : sequence of str
        Names of the spatial axes.

    Returns
    -------
    str
        One sentence.
    """
    rows = distinct_rows(comparison)
    near = sum(row.verdict in (INSIDE, AS_NEAR) for row in rows)
    nearness = "within one standard deviation of the held-out structures"
    if comparison.n_other:
        nearness += ", or as near to them as another true region is"
    differing = sorted(
        (row for row in rows if row.verdict == OUTSIDE or _differs(row)),
        key=lambda row: (row.verdict == OUTSIDE, _distance(row)),
        reverse=True,
    )
    named = [f"{label(row, names, axes)} {_deviation(row)}" for row in differing[:MOST_NAMED]]
    if len(differing) > MOST_NAMED:
        n_more = len(differing) - MOST_NAMED
        named.append(f"{n_more} more measure{'s differ' if n_more > 1 else ' differs'}")
    worst = max((row for row in rows if percent(row) is not None), key=lambda row: abs(percent(row) or 0), default=None)
    if not differing and worst is not None:
        named = [f"the largest deviation of a mean: {label(worst, names, axes)} {_deviation(worst)}"]
    return f"{near} of {len(rows)} measures are {nearness}{'; ' if named else ''}{_joined(named)}."


def label(row: MeasureComparison, names: Sequence[str], axes: Sequence[str]) -> str:
    """Name of a measure of a phase in a sentence."""
    along = "" if row.axis is None else f" along {axes[row.axis]}"
    plural = {"pieces": "number of pieces", "chord_lengths": "chord length distribution"}
    return f"the {plural.get(row.measure, row.measure.replace('_', ' '))} of {names[row.phase]}{along}"


def percent(row: MeasureComparison) -> float | None:
    """Difference between the mean numbers in percent of the true one; None for curves, and where that is zero."""
    if len(row.true_mean) != 1 or len(row.generated_mean) != 1 or row.true_mean[0] == 0:
        return None
    return 100 * (row.generated_mean[0] / row.true_mean[0] - 1)


def _deviation(row: MeasureComparison) -> str:
    difference = percent(row)
    if difference is not None:
        share = f"{abs(difference):.0f}" if abs(difference) >= 1 or difference == 0 else f"{abs(difference):.1g}"
        return f"is {share} % too {'large' if difference > 0 else 'small'}"
    if len(row.true_mean) == len(row.generated_mean) == 1:
        return f"is {row.generated_mean[0]:.3g} instead of {row.true_mean[0]:.3g}"
    if row.z is not None:
        return f"differs by {abs(row.z):.1f} standard deviations"
    return "differs"


def _differs(row: MeasureComparison) -> bool:
    """Whether a mean inside one standard deviation differs noticeably and beyond the scatter of the sets."""
    difference = percent(row)
    return bool(row.distinguishable) and difference is not None and abs(difference) >= NOTICEABLE


def _distance(row: MeasureComparison) -> float:
    """Absolute z; where true structures have all the same value, infinite unless the difference is minute."""
    if row.z is not None:
        return abs(row.z)
    difference = percent(row)
    return 0.0 if difference is not None and abs(difference) < 1 else float("inf")


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
