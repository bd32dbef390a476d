"""Write docs/generated/materials.md and docs/images/materials.png: ``python docs/examples/materials.py OUT [OUT ...]``.

Each OUT is the folder of a finished ``matvae benchmark materials ... -o OUT``; the first one has the materials of the
figure.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from matvae.report import plot_structure
from matvae.report.style import DENSITY, add_phase_legend

DOCS = Path(__file__).resolve().parents[1]
MATERIALS = ("alloy", "copolymer", "ceramics", "hsla_steel", "berea")
WINDOWS = 3
WAYS = {"retrieval": "phase retrieval", "examples": "with examples", "decoder": "decoder", "": ""}
DECODED = """---
orphan: true
---

Decoded statistics: median centred errors at all lags and at short ones (up to a quarter of the largest), median error
of the specific surface, and largest difference of the volume fraction in percentage points; means over the seeds
(`matvae benchmark materials --data FOLDER --n-realized 8 --image-vae 0`; volumes with `--n-components 5`):

| material | method | n | all lags | short lags | all / PCA | short / PCA | surface | fraction, largest |
|---|---|---|---|---|---|---|---|---|
"""
REALIZED = """
Structures realized from five components of at most eight held-out latents per seed: error relative to that of the
decoded statistics; error of the specific surface; how many of six measures, on which no method is trained, are alike
(within one standard deviation of the true windows, or as near as another true region); agreement with the most similar
training window beside that of true windows; and diversity (1 is that of true windows).

| material | method | realized by | all / decoded | short / decoded | surface | alike | copying / true | diversity |
|---|---|---|---|---|---|---|---|---|
"""


def main(folders: list[Path]) -> None:
    """Write the tables of all folders and the figure of the first one."""
    decoded = [row for folder in folders for row in read(folder / "decoded.csv")]
    realized = [row for folder in folders for row in read(folder / "realized.csv")]
    lines = [DECODED, *map(decoded_line, decoded), REALIZED, *map(realized_line, realized)]
    (DOCS / "generated" / "materials.md").write_text("".join(lines), encoding="utf-8")
    draw(folders[0]).savefig(DOCS / "images" / "materials.png")


def read(file: Path) -> list[dict[str, str]]:
    """Rows of a table that the benchmark wrote."""
    with open(file, newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def decoded_line(row: Mapping[str, str]) -> str:
    """One row of the table of decoded statistics."""
    cells = [
        row["material"],
        row["method"],
        row["n_components"] or "–",
        *(spread(row, name, "{:.2f}") for name in ("centred_all", "centred_8", "ratio_all", "ratio_8")),
        spread(row, "surface_error", "{:.1f}", 100, " %"),
        spread(row, "volume_fraction_largest", "{:.1f}", 100),
    ]
    return f"| {' | '.join(cells)} |\n"


def realized_line(row: Mapping[str, str]) -> str:
    """One row of the table of structures."""
    cells = [
        row["material"],
        row["method"],
        WAYS[row["realize"]],
        *(spread(row, name, "{:.2f}") for name in ("loss_all", "loss_8")),
        spread(row, "surface_error", "{:.0f}", 100, " %"),
        spread(row, "n_alike", "{:.1f}"),
        f"{float(row['copying']):.2f} / {float(row['copying_true']):.2f}",
        spread(row, "diversity", "{:.2f}"),
    ]
    return f"| {' | '.join(cells)} |\n"


def spread(row: Mapping[str, str], name: str, form: str, factor: float = 1, unit: str = "") -> str:
    """Mean and standard deviation over the seeds, or a dash."""
    if not row[name]:
        return "–"
    mean, deviation = (form.format(factor * float(row[column])) for column in (name, f"{name}_spread"))
    return f"{mean} ± {deviation}{unit}"


def draw(folder: Path) -> Figure:
    """Draw true windows, realizations of the latents of such windows, and a larger realization of each material."""
    figure = Figure(figsize=(9.6, 1.42 * len(MATERIALS)), layout="constrained", dpi=110 * DENSITY)
    grid = figure.subplots(len(MATERIALS), 2 * WINDOWS + 1, squeeze=False)
    for row, name in zip(grid, MATERIALS, strict=True):
        with np.load(folder / "runs" / f"{name}-0.npz") as kept:
            structures = [*kept["true"][:WINDOWS], *kept["matvae/examples"][:WINDOWS], kept["larger"][0]]
        for axes, structure in zip(row, structures, strict=True):
            plot_structure(axes, structure)
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="", title="")
        row[0].set_ylabel(name.replace("_", " "), fontsize=8)
    grid[0][WINDOWS // 2].set_title("true windows", fontsize=9)
    grid[0][WINDOWS + WINDOWS // 2].set_title("realizations of five latents", fontsize=9)
    grid[0][-1].set_title("128 x 128", fontsize=9)
    add_phase_legend(figure, 2)
    return figure


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
