"""The card of a model as text: facts for a terminal or a report, and README.md with a front matter for a hub.

Both follow from what a fitted estimator holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ..grid import Grid
from .card import ERRORS, ModelCard

NOT_KNOWN, NOT_MEASURED = "not known", "not measured"
# Licences by the beginning of their name, with the identifiers of the Hugging Face hub.
LICENCES = {
    "cc by 4.0": "cc-by-4.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc by-sa 4.0": "cc-by-sa-4.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc by-nc 4.0": "cc-by-nc-4.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
    "cc0": "cc0-1.0",
    "mit": "mit",
    "apache-2.0": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "bsd-3": "bsd-3-clause",
    "bsd-2": "bsd-2-clause",
}
TAGS = ["matvae", "materials-science", "microstructure", "2-point-statistics"]
HEADINGS = ("decoded, short lags", "decoded, all lags", "structures, short lags", "structures, all lags")


def card_facts(estimator: Any) -> dict[str, str]:
    """Facts of the card of a fitted estimator by name; "not known" and "not measured" where they are not."""
    card, grid = estimator.card_, estimator.grid_
    measured, n_examples = card.measured, len(estimator.module_.examples)
    return {
        "data": card.name or NOT_KNOWN,
        "licence of the data": card.licence or NOT_KNOWN,
        "source": card.source or ", ".join(card.sources) or NOT_KNOWN,
        "citation": card.citation or NOT_KNOWN,
        "training windows": NOT_KNOWN if card.n_windows is None else str(card.n_windows),
        "each": grid.describe(),
        "voxel size": _voxel_size(grid),
        "phases": _phases(card, grid, estimator.phase_values_),
        "region": _region(card),
        "windows in the model": f"{n_examples} training windows, from which structures are realized"
        if n_examples
        else "none",
        "measured on": NOT_MEASURED if measured is None else f"{measured.n_windows} windows of {measured.data}",
        "split": NOT_MEASURED if measured is None else measured.split,
        "errors": NOT_MEASURED if measured is None else measured.summary,
        "use it for": card.uses or _uses(grid),
        "do not use it for": card.limits or _limits(grid, is_measured=measured is not None),
    }


def readme(estimator: Any) -> str:
    """README.md of a fitted estimator, whose front matter the Hugging Face hub understands."""
    card, spec = estimator.card_, estimator.module_.spec
    # JSON is valid YAML, and quotes whatever the texts hold.
    front = {
        "library_name": "matvae",
        "license": _licence(card.licence),
        **({"license_name": card.licence} if _licence(card.licence) == "other" else {}),
        "tags": [*TAGS, f"{len(spec.shape)}d"],
    }
    lines = ["---", *(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items()), "---", ""]
    lines += [
        f"# {_escaped(f'Microstructures of {card.name}' if card.name else 'A model of microstructures')}",
        "",
        f"A matvae model with {spec.n_components} latent components, "
        f"decoder `{spec.decoder}`. The folder holds JSON and safetensors only; loading it runs no code.",
        "",
        "```python",
        "import matvae",
        "",
        'model = matvae.load("FOLDER")  # as matvae pull wrote it',
        "structures = model.inverse_transform([[0.0] * model.n_components])",
        "```",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_escaped(text)} |" for name, text in card_facts(estimator).items()),
        "",
    ]
    return "\n".join([*lines, *_errors(card)])


def error_rows(card: ModelCard) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the table of errors of a card; no cells if nothing has been measured."""
    if card.measured is None:
        return [], []
    header = ["method", "structures by", *HEADINGS]
    return header, [
        [
            str(row["name"]),
            str(row["realize"] or "–"),
            *("–" if row[error] is None else f"{row[error]:.2f}" for error in ERRORS),
        ]
        for row in card.measured.rows
    ]


def _errors(card: ModelCard) -> list[str]:
    header, rows = error_rows(card)
    if card.measured is None:
        return []
    short = "" if card.measured.short is None else f" Short lags are those up to {card.measured.short} voxels."
    realized = f"{card.measured.n_realized} of the {card.measured.n_windows} windows were realized as structures. "
    return [
        "## Errors",
        "",
        "Median error of the 2-point statistics of windows that the model was not fitted on, relative to the distance "
        f"of the window from the training mean: 0 is exact, and 1 the error of always predicting that mean.{short} "
        f"{realized}“Another true window” is the floor: what a different window of the same material would have. "
        f"Measured with matvae {_escaped(card.measured.version)}.",
        "",
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(map(_escaped, row))} |" for row in rows),
        "",
    ]


def _licence(licence: str | None) -> str:
    if licence is None:
        return "unknown"
    return next((name for start, name in LICENCES.items() if licence.lower().startswith(start)), "other")


def _voxel_size(grid: Grid) -> str:
    if grid.voxel_size is None:
        return NOT_KNOWN
    return f"{' x '.join(f'{length:g}' for length in grid.voxel_size)} {grid.unit or '(unit not known)'}"


def _phases(card: ModelCard, grid: Grid, values: Sequence[Any] | None) -> str:
    n = grid.phases
    if n == 1:
        return "none, a continuous field"
    names = [*card.phase_names, *[f"phase {phase}" for phase in range(len(card.phase_names), n)]]
    texts = [f"{phase} = {name}" if card.phase_names else str(phase) for phase, name in enumerate(names)]
    if values is not None:
        texts = [f"{text} (value {value})" for text, value in zip(texts, values, strict=False)]
    return ", ".join(texts) + ("" if card.phase_names else " (names not known)")


def _region(card: ModelCard) -> str:
    if card.region is None:
        return NOT_KNOWN
    ranges = ", ".join(f"{axis} {start}:{stop}" for axis, (start, stop) in card.region.items())
    return f"{ranges} of the images, in voxels"


def _uses(grid: Grid) -> str:
    shape = " x ".join(map(str, grid.shape))
    return (
        f"windows of {shape} voxels of the same material, imaged and segmented in the same way: comparing them, "
        "interpolating between them, and generating structures with their 2-point statistics"
    )


def _limits(grid: Grid, *, is_measured: bool) -> str:
    measured = "" if is_measured else "any conclusion before its errors have been measured; "
    not_known = "" if grid.voxel_size is not None else " (that of the data is not known)"
    return (
        f"{measured}other materials or another voxel size{not_known} without measuring the errors there; properties "
        "that 2-point statistics do not determine, such as transport through a network, without comparing them with "
        "those of true windows"
    )


def _escaped(text: str) -> str:
    """Text of a stranger in Markdown: no links, tables, or HTML of its own."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
