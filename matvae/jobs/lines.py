"""Decide whether the lines of reconstructions can be counted, and what is known of those of the originals."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Structures
from ..errors import InputError
from ..evaluate import LineErrors, line_element

logger = logging.getLogger("matvae")
NUMBERS = ("n_horizontal", "n_vertical")
# Percentage of the originals in which the counter must agree with the store.
TRUSTED = 99.5


def choose_line_errors(
    structures: Structures, count: bool | None, data: str | Path
) -> tuple[LineErrors | None, str | None]:
    """Create the counter of lines, or give the reason why none are counted.

    Parameters
    ----------
    structures : Structures
    count : bool, optional
        True to count lines, False not to; by default they are counted where the store holds their true numbers.
    data : path
        Where the structures come from, for messages.

    Returns
    -------
    (LineErrors or None, str or None)
        Exactly one of the two.

    Raises
    ------
    InputError
        If lines are asked for in structures that are not 2-D images of phases, are too small for lines, or have true
        numbers that are not numbers of lines.
    """
    if count is False:
        return None, "they were not asked for"
    if count is None and any(name not in structures.properties for name in NUMBERS):
        return None, f"{data} has no properties {' and '.join(NUMBERS)}"
    grid = structures.grid
    try:
        if grid.ndim != 2 or grid.phases == 1:
            kind = "continuous fields" if grid.phases == 1 else "structures"
            raise InputError(f"Lines are counted in 2-D images of phases, but {data} holds {grid.ndim}-D {kind}.")
        true_numbers(structures)
        return LineErrors(line_element(grid.shape, **_parameters(structures)), periodic=grid.periodic), None
    except InputError as error:
        if count:
            raise
        return None, str(error)


def true_numbers(structures: Structures) -> np.ndarray | None:
    """Numbers of horizontal and vertical lines ``(sample, 2)`` as the store holds them; None where it holds none.

    Raises
    ------
    InputError
        If they are not numbers of lines.
    """
    if any(name not in structures.properties for name in NUMBERS):
        return None
    numbers = np.stack([structures.properties[name] for name in NUMBERS], axis=1)
    if not np.array_equal(numbers, np.abs(np.round(numbers))):
        raise InputError(
            f"The properties {' and '.join(NUMBERS)} must be numbers of lines, but some are negative, fractional or "
            "NaN. Save the structures with other names for these properties."
        )
    return numbers.astype(np.int64)


def line_summary(errors: LineErrors, data: str | Path) -> dict[str, Any]:
    """Summarise the errors; warns where the counter disagrees with what the store holds of the originals."""
    summary = errors.summary()
    if summary["originals"] < TRUSTED:
        logger.warning(
            "In only %.1f %% of the originals does the counter find the lines that %s has by its properties, so the "
            "figures on lines mean little. Are the images windows of larger ones, or other than those of the data set "
            "lines?",
            summary["originals"],
            data,
        )
    return summary


def _parameters(structures: Structures) -> dict[str, Any]:
    """Parameters the lines were drawn with, as the data set stores them alongside."""
    record = structures.attributes.get("dataset", {})
    parameters = record.get("parameters", {}) if record.get("name") == "lines" else {}
    return {name: parameters[name] for name in ("n_lines", "thickness", "length") if name in parameters}
