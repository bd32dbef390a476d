"""Clouds of points: what was wanted against what was reached, and structures by their latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .comparison import QUIET, STYLES
from .plots import INK, MAP
from .words import label_text


def plot_agreement(
    axes: Any,
    wanted: np.ndarray,
    reached: np.ndarray,
    *,
    spread: np.ndarray | None = None,
    kinds: Sequence[Any] | None = None,
) -> Any:
    """Draw what was reached against what was wanted; exact ones lie on the diagonal.

    Parameters
    ----------
    axes : matplotlib Axes
    wanted, reached : array ``(point,)``
        Points that are not finite are left out.
    spread : array ``(point,)``, optional
        Half the length of an error bar at each point.
    kinds : sequence ``(point,)``, optional
        What each point belongs to; each kind has its own colour and marker.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If the lengths differ, or no point is finite.
    """
    wanted, reached = np.asarray(wanted, dtype=float), np.asarray(reached, dtype=float)
    if wanted.shape != reached.shape or wanted.ndim != 1:
        raise InputError(f"Two arrays (point,) are expected, but {wanted.shape} and {reached.shape} were given.")
    there = np.isfinite(wanted) & np.isfinite(reached)
    if not there.any():
        raise InputError("At least one point with two finite numbers is needed to draw, but there is none.")
    both = np.concatenate([wanted[there], reached[there]])
    margin = 0.05 * (np.ptp(both) or max(abs(float(both[0])), 1.0))
    ends = (float(both.min()) - margin, float(both.max()) + margin)
    axes.plot(ends, ends, color=QUIET, linewidth=0.8)
    for here, called, colour, marker in _groups(kinds, len(wanted)):
        chosen = here & there
        if spread is not None and chosen.any():
            bars = np.nan_to_num(np.asarray(spread, dtype=float)[chosen])
            axes.errorbar(wanted[chosen], reached[chosen], bars, fmt="none", ecolor=colour, elinewidth=1)
        style = {"s": 14, "color": colour, "marker": marker, "alpha": 0.7, "linewidths": 0}
        axes.scatter(wanted[chosen], reached[chosen], label=called, **style)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    if kinds is not None:
        axes.legend(frameon=False, fontsize=8)
    return bare(axes)


def plot_candidates(
    axes: Any, achieved: np.ndarray, *, spread: np.ndarray | None = None, requested: float | None = None
) -> Any:
    """Draw what each candidate of a design achieved, beside the one value that was requested.

    Parameters
    ----------
    axes : matplotlib Axes
    achieved : array ``(candidate,)``
        Candidates that are not finite are left out.
    spread : array ``(candidate,)``, optional
        Half the length of an error bar at each.
    requested : float, optional
        Drawn as a line.

    Returns
    -------
    matplotlib Axes
    """
    achieved = np.asarray(achieved, dtype=float)
    bars = None if spread is None else np.nan_to_num(np.asarray(spread, dtype=float))
    style = {"fmt": "o", "markersize": 5, "color": INK, "elinewidth": 1, "capsize": 3}
    axes.errorbar(np.arange(len(achieved)), achieved, bars, **style)
    if requested is not None:
        axes.axhline(requested, color=QUIET, linewidth=1, linestyle=(0, (6, 3)))
    axes.set_xlabel("candidate")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return bare(axes)


def plot_latents(
    axes: Any,
    latents: np.ndarray,
    *,
    components: tuple[int, int] = (0, 1),
    values: np.ndarray | None = None,
    value_name: str | None = None,
    kinds: Sequence[Any] | None = None,
    candidates: np.ndarray | None = None,
    called: str = "component",
) -> Any:
    """Draw structures by two of their latent numbers, coloured by a property or by what they are.

    Parameters
    ----------
    axes : matplotlib Axes
    latents : array ``(sample, component)``
        Latents, or scores.
    components : (int, int)
        Which two, counted from 0; equal ones draw a single component against the number of the sample.
    values : array ``(sample,)``, optional
        A property: points have a scale of colours; those without a finite number are grey.
    value_name : str, optional
        What stands at the scale.
    kinds : sequence ``(sample,)``, optional
        What each sample is, such as its material, in place of `values`.
    candidates : array ``(candidate, component)``, optional
        Drawn above the others as rings.
    called : str
        What one latent number is called.

    Returns
    -------
    matplotlib Axes
    """
    one, other = components

    def place(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (np.arange(len(points)) if one == other else points[:, one]), points[:, other]

    x, y = place(latents)
    if values is not None:
        known = np.isfinite(values)
        axes.scatter(x[~known], y[~known], s=10, color="#b0b0b0", linewidths=0)
        drawn = axes.scatter(x[known], y[known], s=10, c=values[known], cmap=MAP, linewidths=0)
        axes.figure.colorbar(drawn, ax=axes, label=label_text(value_name or "property"))
    else:
        for here, name, colour, marker in _groups(kinds, len(latents)):
            axes.scatter(x[here], y[here], s=10, color=colour, marker=marker, alpha=0.7, linewidths=0, label=name)
        if kinds is not None:
            axes.legend(frameon=False, fontsize=7)
    if candidates is not None:
        axes.scatter(*place(candidates), s=50, facecolors="none", edgecolors="#d55e00", linewidths=1.5)
    axes.set_xlabel("sample" if one == other else f"{called} {one + 1}")
    axes.set_ylabel(f"{called} {other + 1}")
    return bare(axes)


def _groups(kinds: Sequence[Any] | None, n: int) -> list[tuple[np.ndarray, str | None, str, str]]:
    """Members ``(point,)``, name, colour and marker of each kind, in order of first appearance."""
    if kinds is None:
        return [(np.ones(n, dtype=bool), None, INK, "o")]
    names = [label_text(kind) for kind in kinds]
    return [
        (np.array([name == kind for name in names]), kind, *STYLES[place % len(STYLES)])
        for place, kind in enumerate(dict.fromkeys(names))
    ]


def bare(axes: Any) -> Any:
    """The axes with small numbers and without a frame."""
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
