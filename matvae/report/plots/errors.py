"""Errors and linkage scores of several methods against the number of components: one labelled line per method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InputError
from ..paper import figure_style as style_of
from ..style import GREY, SERIES, new_figure, remove_frame

Row = Mapping[str, Any]

LINKAGE_LINES = {"polynomial": "-", "gaussian_process": ":"}
ERROR_LABEL, R2_LABEL = "centred error (1: mean of the set)", "R² on held-out structures"
# Lower values of R² are cut off: by how much a linkage is worse than the mean is of no interest.
LOWEST_R2 = -0.5


def plot_comparison(rows: Sequence[Row], *, figure_style: str = "screen") -> Any:
    """Draw the result of `matvae.jobs.compare_methods`: centred errors, and R² per property, against components.

    Parameters
    ----------
    rows : sequence of dict
        With ``method``, ``n_components`` (None for a reference without components, drawn as a horizontal line),
        ``centred_error``, ``structure_centred_error`` and ``r2``.
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        As wide as its contents need, or as one or two columns of a journal, with text of 7 points.

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
    plots: list[tuple[str, str, dict[str, str]]] = [
        ("error of decoded statistics", ERROR_LABEL, {"centred_error": "-"}),
        ("error of the statistics of decoded structures", ERROR_LABEL, {"structure_centred_error": "-"}),
    ]
    plots = [plot for plot in plots if any(_value(row, key) is not None for row in numbered for key in plot[2])]
    for name in numbered[0]["r2"]:
        title = f"linkage to {name}\nsolid: polynomial, dotted: Gaussian process"
        plots.append((title, R2_LABEL, {f"r2/{name}/{kind}": line for kind, line in LINKAGE_LINES.items()}))
    style = style_of(figure_style)
    n_columns = min(style.plots, len(plots))
    n_rows = math.ceil(len(plots) / n_columns)
    figure = new_figure(4.9 * n_columns, 3.7 * n_rows, dpi=120)
    table = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes, (title, label, keys) in zip(table, plots, strict=False):
        _draw_lines(axes, rows, keys, is_r2=label == R2_LABEL)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(label)
    for axes in table[len(plots) :]:
        axes.remove()
    return style.fit(figure)


def plot_errors(axes: Any, rows: Sequence[Row], *, key: str = "centred_error") -> Any:
    """Draw one error of several methods against the number of components.

    Parameters
    ----------
    axes : matplotlib Axes
    rows : sequence of dict
        With ``method``, ``n_components`` (None for a horizontal line) and the error; rows whose error is None are
        omitted. At least one row has both components and an error.
    key : str
        Key of the error in the rows.

    Returns
    -------
    matplotlib Axes
    """
    _draw_lines(axes, rows, {key: "-"}, is_r2=False)
    axes.set_ylabel(ERROR_LABEL if key.endswith("centred_error") else key.replace("_", " "))
    return axes


def _draw_lines(axes: Any, rows: Sequence[Row], line_styles: Mapping[str, str], *, is_r2: bool) -> None:
    methods = list(dict.fromkeys(row["method"] for row in rows if row["n_components"] is not None))
    components = sorted({row["n_components"] for row in rows if row["n_components"] is not None})
    drawn: list[float] = []
    labels: list[tuple[float, str, str]] = []
    main_key = next(iter(line_styles))
    for row in rows:
        level = _value(row, main_key)
        if row["n_components"] is None and level is not None:
            axes.plot([components[0], components[-1]], [level, level], color=GREY, linewidth=1, linestyle=(0, (6, 3)))
            labels.append((level, row["method"], GREY))
            drawn.append(level)
    for method, (colour, marker) in zip(methods, SERIES * len(methods), strict=False):
        for key, line_style in line_styles.items():
            points = [
                (row["n_components"], value)
                for row in rows
                if row["method"] == method and (value := _value(row, key)) is not None
            ]
            if not points:
                continue
            x, y = zip(*sorted(points), strict=True)
            fill = colour if line_style == "-" else "white"
            axes.plot(x, y, line_style, color=colour, marker=marker, markersize=5, markerfacecolor=fill, linewidth=1.6)
            drawn.extend(y)
            if key == main_key:
                labels.append((y[-1], method, colour))
    low, high = _limits(drawn, is_r2=is_r2)
    if is_r2 and min(drawn) < LOWEST_R2:
        note = f"values below {LOWEST_R2:g} are cut off"
        axes.annotate(note, (0.02, 0.02), xycoords="axes fraction", color=GREY, fontsize=7)
    axes.set_ylim(low, high)
    _label_lines(axes, labels, components[-1], low, high)
    axes.set_xscale("log")
    axes.set_xticks(components, labels=[str(n) for n in components])
    axes.minorticks_off()
    # Leave room for the labels on the right.
    axes.set_xlim(components[0] / 1.15, components[-1] * max(1.6, (components[-1] / components[0]) ** 0.55))
    axes.set_xlabel("number of components")
    remove_frame(axes)


def _value(row: Row, key: str) -> float | None:
    """Entry of a row, or of a nested dictionary (``"r2/modulus/polynomial"``); None unless it is a finite number."""
    value: Any = row
    for part in _path(key):
        value = value.get(part) if value is not None else None
    return None if value is None or not math.isfinite(value) else float(value)


def _path(key: str) -> list[str]:
    if not key.startswith("r2/"):
        return [key]
    # The name of a property may itself contain a slash.
    name, kind = key.removeprefix("r2/").rsplit("/", 1)
    return ["r2", name, kind]


def _limits(values: Sequence[float], *, is_r2: bool) -> tuple[float, float]:
    if not is_r2:
        return 0.0, 1.08 * max(*values, 1e-9)
    return max(LOWEST_R2, min(*values, 0.0)) - 0.05, 1.05


def _label_lines(axes: Any, labels: Sequence[tuple[float, str, str]], x: float, low: float, high: float) -> None:
    """Write the name of each line at its right end, shifted vertically where names would overlap."""
    order = sorted(range(len(labels)), key=lambda i: labels[i][0])
    heights = separate([min(max(labels[i][0], low), high) for i in order], 0.075 * (high - low), high)
    for i, height in zip(order, heights, strict=True):
        _, name, colour = labels[i]
        axes.annotate(
            name, (x, height), xytext=(9, 0), textcoords="offset points", color=colour, va="center", fontsize=9
        )


def separate(heights: Sequence[float], gap: float, most: float) -> list[float]:
    """Move ascending heights apart to at least `gap`, with none above `most`."""
    separated = np.array(heights, dtype=float)
    for i in range(1, len(separated)):
        separated[i] = max(separated[i], separated[i - 1] + gap)
    for i in reversed(range(len(separated))):
        separated[i] = min(separated[i], most - gap * (len(separated) - 1 - i))
    return [float(height) for height in separated]
