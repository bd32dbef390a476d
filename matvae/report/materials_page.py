"""The page of `matvae benchmark materials`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .html import render_page
from .page import Page
from .panels.materials import MaterialPictures, data_panel, material_panel, overview_panel


def materials_page(result: Mapping[str, Any], pictures: Mapping[str, MaterialPictures]) -> str:
    """Render the result of the benchmark of materials as a single HTML file.

    Parameters
    ----------
    result : dict
        Result of `matvae.jobs.benchmark_materials`.
    pictures : mapping of str to MaterialPictures
        Material to the structures to show, for the first seed.

    Returns
    -------
    str

    Raises
    ------
    MissingExtraError
        If matplotlib or jinja2 is not installed.
    """
    materials = result["materials"]
    n_seeds = len(result["seeds"])
    return render_page(
        Page(
            title="Real materials",
            lead=(
                f"Windows of {', '.join(materials)} were encoded as {_listed(result['n_components'])} numbers each and "
                "decoded again, by PCA of their 2-point statistics and by matvae. Look at the pictures before you "
                "trust an error: structures with nearly equal statistics may be different materials."
            ),
            remark=f"{n_seeds} seed{'s' if n_seeds > 1 else ''}; training and test windows come from disjoint regions. "
            "All numbers are in `result.json`, `decoded.csv` and `realized.csv` next to this page."
            + (" Quick run with few windows: a first look, no result." if result["quick"] else ""),
            panels=[
                overview_panel(result),
                *(material_panel(result, material, pictures[material]) for material in materials),
                data_panel(result),
            ],
            version=result["version"],
            notes=result["warnings"],
        )
    )


def _listed(numbers: list[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last
