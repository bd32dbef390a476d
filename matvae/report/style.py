"""Colours, labels and figure settings shared by all plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, MissingExtraError
from ..grid import Grid

FIGURE_FORMATS = (".png", ".pdf", ".svg")
# Paper and ink are distinct under every form of colour vision; for more phases cividis was designed to be.
PAPER, INK = "#f2efe6", "#17324d"
COLOUR_MAP = "cividis"
# Colours of Okabe and Ito, distinct under every form of colour vision; the markers are distinct in greyscale, too.
SERIES = (("#0072b2", "o"), ("#d55e00", "s"), ("#007a5a", "D"), ("#cc79a7", "^"), ("#5b4b00", "v"))
GREY = "#5f5f5f"
# Pixels of an image per pixel of the page, so that figures are crisp on any screen.
DENSITY = 2
LONGEST_LABEL = 48
# Phases with an entry in a legend.
MOST_SWATCHES = 12
UNIT_SYMBOLS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm"}


def load_matplotlib() -> Any:
    """Import matplotlib, without pyplot and its global state.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib
        import matplotlib.colors
        import matplotlib.figure
    except ImportError as error:
        raise MissingExtraError(
            "Drawing a figure needs matplotlib; install it with: pip install 'matvae[plot]'"
        ) from error
    return matplotlib


def new_figure(width: float, height: float, *, dpi: int = 110, layout: Any = "constrained") -> Any:
    """Create a matplotlib figure of the given size in inches.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    load_matplotlib()
    from .figure import ShownFigure

    return ShownFigure(figsize=(width, height), dpi=dpi, layout=layout)


def check_figure_format(path: str | Path) -> None:
    """Check that a figure can be drawn and saved to `path`, before any work is done.

    Raises
    ------
    InputError
        If the file name ends in none of .png, .pdf and .svg.
    MissingExtraError
        If matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in FIGURE_FORMATS:
        raise InputError(
            f"The file name of a figure must end in one of {', '.join(FIGURE_FORMATS)}, but {path} was given. "
            "Choose one of these endings."
        )
    load_matplotlib()


def structure_colours(phases: int) -> dict[str, Any]:
    """Colour arguments of `imshow` for labels of `phases` phases; 1 is a continuous field."""
    if phases == 1:
        return {"cmap": COLOUR_MAP}
    matplotlib = load_matplotlib()
    # From light to dark, so that phase 0 is the background.
    colours = [PAPER, INK] if phases == 2 else matplotlib.colormaps[COLOUR_MAP](np.linspace(1, 0, phases))
    return {"cmap": matplotlib.colors.ListedColormap(colours), "vmin": -0.5, "vmax": phases - 0.5}


def colour_codes(phases: int) -> list[str]:
    """Colours of phases 0 to H-1 as hexadecimal codes, in the order of the labels; none for a continuous field."""
    if phases == 1:
        return []
    to_hex = load_matplotlib().colors.to_hex
    return [to_hex(colour) for colour in structure_colours(phases)["cmap"].colors]


def add_phase_legend(figure: Any, phases: int, names: Sequence[str] = (), *, loc: str = "outside lower center") -> None:
    """Write below a figure which colour each phase has; nothing for a continuous field.

    Parameters
    ----------
    figure : matplotlib Figure or SubFigure
    phases : int
    names : sequence of str, optional
        Of all phases; by default their numbers.
    loc : str
        Position, as in matplotlib; the default needs a constrained layout.
    """
    load_matplotlib()
    from matplotlib.patches import Patch

    labels = [label_text(name) for name in names] or [f"phase {phase}" for phase in range(phases)]
    style: dict[str, Any] = {"edgecolor": GREY, "linewidth": 0.5}
    entries = [
        Patch(facecolor=colour, label=label, **style)
        for colour, label in zip(colour_codes(phases), labels, strict=phases > 1)
    ]
    if len(entries) > MOST_SWATCHES:
        # So many colours can be told apart by their order only.
        entries = [entries[i] for i in np.linspace(0, phases - 1, MOST_SWATCHES).round().astype(int)]
    if entries:
        size = {"fontsize": 8, "handlelength": 1, "handleheight": 1, "columnspacing": 1.2}
        figure.legend(handles=entries, loc=loc, ncols=min(6, len(entries)), frameon=False, **size)


def spatial_axes(grid: Grid) -> tuple[tuple[str, ...], tuple[float, ...], str]:
    """Axis names, voxel size along each axis, and unit; lengths are in voxels if the voxel size is unknown."""
    names = grid.axes or ()
    if grid.voxel_size is None:
        return names, (1.0,) * grid.ndim, "voxel"
    return names, grid.voxel_size, UNIT_SYMBOLS.get(grid.length_unit, grid.length_unit)


def extent_text(grid: Grid) -> str:
    """Describe how large a structure is: ``"32 x 32 voxels (y x)"``, or in units of length."""
    names, sizes, unit = spatial_axes(grid)
    lengths = " x ".join(f"{n * size:.4g}" for n, size in zip(grid.shape, sizes, strict=True))
    return f"{lengths} {'voxels' if unit == 'voxel' else unit} ({' '.join(names)})"


def annotate_slice(axes: Any, text: str) -> None:
    """Write in the upper left corner of an image which slice of a volume it shows."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    axes.annotate(text, (0.02, 0.97), xycoords="axes fraction", va="top", fontsize=7, bbox=box)


def remove_frame(axes: Any) -> Any:
    """Remove the upper and right spines and shrink the tick labels; return the axes."""
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def label_text(name: object, unit: str | None = None) -> str:
    """Format a name from the data as a label: one line, at most 48 characters, no mathematics.

    Parameters
    ----------
    name : object
        Anything; a name in a store may contain line breaks, or dollar signs that matplotlib would read as mathematics.
    unit : str, optional
        Appended after a slash; ``"1"`` means dimensionless and is omitted.

    Returns
    -------
    str
    """
    text = " ".join(str(name).split())
    text = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    if unit and unit != "1":
        text += f" / {' '.join(unit.split())[:LONGEST_LABEL]}"
    return text.replace("$", r"\$")
