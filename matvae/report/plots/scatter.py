"""Scatter plots: achieved against target values, and samples in latent space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..style import COLOUR_MAP, GREY, INK, SERIES, label_text, remove_frame


def plot_agreement(
    axes: Any,
    target: np.ndarray,
    achieved: np.ndarray,
    *,
    spread: np.ndarray | None = None,
    kinds: Sequence[Any] | None = None,
) -> Any:
    """Draw achieved against target values, with a diagonal on which the two agree.

    Parameters
    ----------
    axes : matplotlib Axes
    target, achieved : array ``(point,)``
        Points that are not finite are omitted.
    spread : array ``(point,)``, optional
        Half-length of the error bar of each point.
    kinds : sequence ``(point,)``, optional
        Group of each point; each group has its own colour and marker.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        If the lengths differ, or no point is finite.
    """
    target, achieved = np.asarray(target, dtype=float), np.asarray(achieved, dtype=float)
    if target.shape != achieved.shape or target.ndim != 1:
        raise InputError(
            f"Two arrays (point,) of equal length are expected, but {target.shape} and {achieved.shape} were given."
        )
    is_finite = np.isfinite(target) & np.isfinite(achieved)
    if not is_finite.any():
        raise InputError("Drawing needs at least one point whose two values are finite, but there is none.")
    values = np.concatenate([target[is_finite], achieved[is_finite]])
    margin = 0.05 * (np.ptp(values) or max(abs(float(values[0])), 1.0))
    limits = (float(values.min()) - margin, float(values.max()) + margin)
    axes.plot(limits, limits, color=GREY, linewidth=0.8)
    for is_member, label, colour, marker in _groups(kinds, len(target)):
        members = is_member & is_finite
        if spread is not None and members.any():
            bars = np.nan_to_num(np.asarray(spread, dtype=float)[members])
            axes.errorbar(target[members], achieved[members], bars, fmt="none", ecolor=colour, elinewidth=1)
        style = {"s": 14, "color": colour, "marker": marker, "alpha": 0.7, "linewidths": 0}
        axes.scatter(target[members], achieved[members], label=label, **style)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    if kinds is not None:
        axes.legend(frameon=False, fontsize=8)
    return remove_frame(axes)


def plot_candidates(
    axes: Any,
    achieved: np.ndarray,
    *,
    spread: np.ndarray | None = None,
    requested: float | None = None,
    known: tuple[float, float] | None = None,
) -> Any:
    """Draw the value that each candidate of a design achieves, and the single value that was requested.

    Parameters
    ----------
    axes : matplotlib Axes
    achieved : array ``(candidate,)``
        Values that are not finite are omitted.
    spread : array ``(candidate,)``, optional
        Half-length of the error bar of each candidate.
    requested : float, optional
        Drawn as a horizontal line.
    known : (float, float), optional
        Range of the training structures, drawn as a band.

    Returns
    -------
    matplotlib Axes
    """
    achieved = np.asarray(achieved, dtype=float)
    bars = None if spread is None else np.nan_to_num(np.asarray(spread, dtype=float))
    style = {"fmt": "o", "markersize": 5, "color": INK, "elinewidth": 1, "capsize": 3}
    axes.errorbar(np.arange(len(achieved)), achieved, bars, **style)
    if known is not None:
        axes.axhspan(*known, color=GREY, alpha=0.2, linewidth=0, zorder=0)
    if requested is not None:
        axes.axhline(requested, color=GREY, linewidth=1, linestyle=(0, (6, 3)))
    axes.set_xlabel("candidate")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return remove_frame(axes)


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
    """Draw samples in two components of their latents, coloured by a property or by group.

    Parameters
    ----------
    axes : matplotlib Axes
    latents : array ``(sample, component)``
        Latents, or PC scores.
    components : (int, int)
        Indices of the two components, from 0; if they are equal, the component is drawn against the sample index.
    values : array ``(sample,)``, optional
        Property that determines the colour; samples without a finite value are grey.
    value_name : str, optional
        Label of the colour bar.
    kinds : sequence ``(sample,)``, optional
        Group of each sample, such as its material, in place of `values`.
    candidates : array ``(candidate, component)``, optional
        Drawn on top as rings.
    called : str
        Axis label, to which the number of the component is appended.

    Returns
    -------
    matplotlib Axes
    """
    first, second = components

    def coordinates(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (np.arange(len(points)) if first == second else points[:, first]), points[:, second]

    x, y = coordinates(latents)
    if values is not None:
        is_finite = np.isfinite(values)
        axes.scatter(x[~is_finite], y[~is_finite], s=10, color="#b0b0b0", linewidths=0)
        cloud = axes.scatter(x[is_finite], y[is_finite], s=10, c=values[is_finite], cmap=COLOUR_MAP, linewidths=0)
        axes.figure.colorbar(cloud, ax=axes, label=label_text(value_name or "property"))
    else:
        for members, label, colour, marker in _groups(kinds, len(latents)):
            style = {"s": 10, "color": colour, "marker": marker, "alpha": 0.7, "linewidths": 0}
            axes.scatter(x[members], y[members], label=label, **style)
        if kinds is not None:
            axes.legend(frameon=False, fontsize=7)
    if candidates is not None:
        axes.scatter(*coordinates(candidates), s=50, facecolors="none", edgecolors=SERIES[1][0], linewidths=1.5)
    axes.set_xlabel("sample" if first == second else f"{called} {first + 1}")
    axes.set_ylabel(f"{called} {second + 1}")
    return remove_frame(axes)


def _groups(kinds: Sequence[Any] | None, n: int) -> list[tuple[np.ndarray, str | None, str, str]]:
    """Mask ``(point,)``, label, colour and marker of each group, in order of first appearance."""
    if kinds is None:
        return [(np.ones(n, dtype=bool), None, INK, "o")]
    labels = [label_text(kind) for kind in kinds]
    return [
        (np.array([other == label for other in labels]), label, *SERIES[i % len(SERIES)])
        for i, label in enumerate(dict.fromkeys(labels))
    ]
