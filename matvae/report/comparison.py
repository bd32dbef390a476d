"""Errors and linkages of several methods against the number of components: one line a method, named at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from .plots import load_matplotlib

Row = Mapping[str, Any]

# Okabe & Ito's colours, which all kinds of colour vision tell apart; markers tell them apart in grey, too.
STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#007a5a", "D"), ("#cc79a7", "^"), ("#5b4b00", "v"))
QUIET = "#5f5f5f"
KINDS = {"polynomial": "-", "gaussian_process": ":"}
COLUMNS = 3
ERROR, R2 = "centred error (1: the set's own mean)", "R² on held-out structures"
# Below this R^2 lines leave the picture: how much worse than the mean they are says little.
WORST_R2 = -0.5


def plot_comparison(rows: Sequence[Row]) -> Any:
    """Draw what `matvae.jobs.compare_methods` found: centred errors, and R^2 of each property, against components.

    Parameters
    ----------
    rows : sequence of dict
        With ``method``, ``n_components`` (None for a reference without components, drawn as a level line),
        ``centred_error``, ``structure_centred_error`` and ``r2``.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig``.

    Raises
    ------
    InputError
        If no row has components.
    MissingExtraError
        If matplotlib is not installed.
    """
    numbered = [row for row in rows if row["n_components"] is not None]
    if not numbered:
        raise InputError("At least one row with a number of components is needed to draw, but none was given.")
    panels: list[tuple[str, str, dict[str, str]]] = [
        ("error of decoded statistics", ERROR, {"centred_error": "-"}),
        ("error of the statistics of decoded structures", ERROR, {"structure_centred_error": "-"}),
    ]
    panels = [panel for panel in panels if any(_value(row, key) is not None for row in numbered for key in panel[2])]
    for name in numbered[0]["r2"]:
        title = f"linkage to {name}\nsolid: polynomial, dotted: Gaussian process"
        panels.append((title, R2, {f"r2/{name}/{kind}": line for kind, line in KINDS.items()}))
    _, figure_class = load_matplotlib()
    wide = min(COLUMNS, len(panels))
    high = math.ceil(len(panels) / wide)
    figure = figure_class(figsize=(4.9 * wide, 3.7 * high), dpi=120, layout="constrained")
    table = figure.subplots(high, wide, squeeze=False).ravel()
    for axes, (title, label, keys) in zip(table, panels, strict=False):
        _draw_panel(axes, rows, keys, is_r2=label == R2)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(label)
    for axes in table[len(panels) :]:
        axes.remove()
    return figure


def plot_errors(axes: Any, rows: Sequence[Row], *, key: str = "centred_error") -> Any:
    """Draw one error of several methods against the number of components: one line a method.

    Parameters
    ----------
    axes : matplotlib Axes
    rows : sequence of dict
        With ``method``, ``n_components`` (None for a level line) and the error; None leaves a row out. At least one has
        components and an error.
    key : str
        Name of the error in the rows.

    Returns
    -------
    matplotlib Axes
    """
    _draw_panel(axes, rows, {key: "-"}, is_r2=False)
    axes.set_ylabel(ERROR if key.endswith("centred_error") else key.replace("_", " "))
    return axes


def _draw_panel(axes: Any, rows: Sequence[Row], keys: Mapping[str, str], *, is_r2: bool) -> None:
    methods = list(dict.fromkeys(row["method"] for row in rows if row["n_components"] is not None))
    components = sorted({row["n_components"] for row in rows if row["n_components"] is not None})
    shown: list[float] = []
    ends: list[tuple[float, str, str]] = []
    first = next(iter(keys))
    for row in rows:
        level = _value(row, first)
        if row["n_components"] is None and level is not None:
            axes.plot([components[0], components[-1]], [level, level], color=QUIET, linewidth=1, linestyle=(0, (6, 3)))
            ends.append((level, row["method"], QUIET))
            shown.append(level)
    for method, (colour, marker) in zip(methods, STYLES * len(methods), strict=False):
        for key, line in keys.items():
            points = [
                (row["n_components"], value)
                for row in rows
                if row["method"] == method and (value := _value(row, key)) is not None
            ]
            if not points:
                continue
            x, y = zip(*sorted(points), strict=True)
            face = colour if line == "-" else "white"
            axes.plot(x, y, line, color=colour, marker=marker, markersize=5, markerfacecolor=face, linewidth=1.6)
            shown.extend(y)
            if key == first:
                ends.append((y[-1], method, colour))
    low, high = _limits(shown, is_r2=is_r2)
    if is_r2 and min(shown) < WORST_R2:
        note = f"values below {WORST_R2:g} are cut off"
        axes.annotate(note, (0.02, 0.02), xycoords="axes fraction", color=QUIET, fontsize=7)
    axes.set_ylim(low, high)
    _name_lines(axes, ends, components[-1], low, high)
    axes.set_xscale("log")
    axes.set_xticks(components, labels=[str(n) for n in components])
    axes.minorticks_off()
    # Room for the names on the right.
    axes.set_xlim(components[0] / 1.15, components[-1] * max(1.6, (components[-1] / components[0]) ** 0.55))
    axes.set_xlabel("number of components")
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _value(row: Row, key: str) -> float | None:
    """Entry of a row, or of a dictionary in it: ``"r2/modulus/polynomial"``; None where it is no finite number."""
    found: Any = row
    for part in _path(key):
        found = found.get(part) if found is not None else None
    return None if found is None or not math.isfinite(found) else float(found)


def _path(key: str) -> list[str]:
    if not key.startswith("r2/"):
        return [key]
    # A property's own name may hold a slash.
    name, kind = key.removeprefix("r2/").rsplit("/", 1)
    return ["r2", name, kind]


def _limits(values: Sequence[float], *, is_r2: bool) -> tuple[float, float]:
    if not is_r2:
        return 0.0, 1.08 * max(*values, 1e-9)
    return max(WORST_R2, min(*values, 0.0)) - 0.05, 1.05


def _name_lines(axes: Any, ends: Sequence[tuple[float, str, str]], x: float, low: float, high: float) -> None:
    """Write each line's name at its end, moved up or down where names would overlap."""
    order = sorted(range(len(ends)), key=lambda i: ends[i][0])
    heights = spread([min(max(ends[i][0], low), high) for i in order], 0.075 * (high - low), high)
    for i, height in zip(order, heights, strict=True):
        _, name, colour = ends[i]
        axes.annotate(
            name, (x, height), xytext=(9, 0), textcoords="offset points", color=colour, va="center", fontsize=9
        )


def spread(heights: Sequence[float], gap: float, most: float) -> list[float]:
    """Rising heights moved apart to at least `gap`, none of them above `most`."""
    placed = np.array(heights, dtype=float)
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], most - gap * (len(placed) - 1 - i))
    return [float(value) for value in placed]
