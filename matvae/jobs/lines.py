"""Whether the lines of reconstructions can be counted, and what is known of those of the originals."""

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
# In so many percent of the originals the counter has to find what the store says.
TRUSTED = 99.5


def choose_line_errors(
    structures: Structures, wanted: bool | None, data: str | Path
) -> tuple[LineErrors | None, str | None]:
    """What counts lines, or the reason why nothing does.

    Parameters
    ----------
    structures : Structures
    wanted : bool, optional
        True to count, False not to; by default lines are counted where the store knows how many there are.
    data : path
        Where the structures come from, for messages.

    Returns
    -------
    (LineErrors or None, str or None)
        One of the two.

    Raises
    ------
    InputError
        If lines are wanted in structures that cannot have them.
    """
    if wanted is False:
        return None, "they were not asked for"
    if wanted is None and any(name not in structures.properties for name in NUMBERS):
        return None, f"{data} has no properties {' and '.join(NUMBERS)}"
    grid = structures.grid
    try:
        if grid.ndim != 2 or grid.phases == 1:
            kind = "continuous fields" if grid.phases == 1 else "structures"
            raise InputError(f"Lines are counted in 2-D images of phases, but {data} holds {grid.ndim}-D {kind}.")
        true_numbers(structures)
        return LineErrors(line_element(grid.shape, **_parameters(structures)), periodic=grid.periodic), None
    except InputError as error:
        if wanted:
            raise
        return None, str(error)


def true_numbers(structures: Structures) -> np.ndarray | None:
    """Numbers of horizontal and of vertical lines ``(sample, 2)`` that the store knows; None where it knows none.

    Raises
    ------
    InputError
        If they are no numbers of lines.
    """
    if any(name not in structures.properties for name in NUMBERS):
        return None
    numbers = np.stack([structures.properties[name] for name in NUMBERS], axis=1)
    if not np.array_equal(numbers, np.abs(np.round(numbers))):
        raise InputError(
            f"The properties {' and '.join(NUMBERS)} must be numbers of lines, but some are negative, broken or NaN. "
            "Save the structures with other names for these properties."
        )
    return numbers.astype(np.int64)


def line_summary(errors: LineErrors, data: str | Path) -> dict[str, Any]:
    """The errors as a dictionary; warns where the counter does not find what the store says of the originals."""
    summary = errors.summary()
    if summary["originals"] < TRUSTED:
        logger.warning(
            "The counter finds the lines that %s has by its properties in %.1f %% of the originals only, so what is "
            "said of lines means little. Are they windows of larger images, or no lines like those of the data set?",
            data,
            summary["originals"],
        )
    return summary


def _parameters(structures: Structures) -> dict[str, Any]:
    """Parameters the lines were drawn with, as the data set writes them beside them."""
    record = structures.attributes.get("dataset", {})
    known = record.get("parameters", {}) if record.get("name") == "lines" else {}
    return {name: known[name] for name in ("n_lines", "thickness", "length") if name in known}
