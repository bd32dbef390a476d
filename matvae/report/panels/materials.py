"""Results of the benchmark of materials: tables of errors, and pictures of windows and realizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...grid import Grid
from ..html import embed_picture
from ..page import Block, Command, Definitions, Panel, Picture, PictureTable, Table, VolumeGroup
from ..style import structure_colours
from ..volume import pack_volume

# Name in a row, heading, and format; a factor of 100 turns fractions into points.
DECODED = (
    ("centred_all", "all lags", "{:.3f}", 1),
    ("centred_8", "lags ≤ 8", "{:.3f}", 1),
    ("centred_16", "lags ≤ 16", "{:.3f}", 1),
    ("ratio_all", "all / PCA", "{:.2f}", 1),
    ("ratio_8", "≤ 8 / PCA", "{:.2f}", 1),
    ("surface_error", "surface", "{:.1f} %", 100),
    ("volume_fraction_bias", "fraction, bias", "{:+.2f}", 100),
    ("volume_fraction_largest", "fraction, largest", "{:.1f}", 100),
    ("fit_seconds", "fit / s", "{:.1f}", 1),
)
REALIZED = (
    ("centred_all", "all lags", "{:.3f}", 1),
    ("centred_8", "lags ≤ 8", "{:.3f}", 1),
    ("loss_all", "all / decoded", "{:.2f}", 1),
    ("loss_8", "≤ 8 / decoded", "{:.2f}", 1),
    ("surface_error", "surface", "{:.1f} %", 100),
    ("n_alike", "measures alike", "{:.1f}", 1),
    ("copying", "copying", "{:.3f}", 1),
    ("copying_true", "true windows", "{:.3f}", 1),
    ("diversity", "diversity", "{:.2f}", 1),
    ("seconds", "s each", "{:.2f}", 1),
)
DECODED_HEADER = ("method", "n", *(heading for _, heading, _, _ in DECODED))
REALIZED_HEADER = ("method", "n", "realized by", *(heading for _, heading, _, _ in REALIZED))
WAYS = {"retrieval": "phase retrieval", "examples": "with examples", "decoder": "decoder"}


@dataclass(frozen=True)
class MaterialPictures:
    """Structures of one material and seed, the k-th of each array for the k-th test window.

    Parameters
    ----------
    phases : int
    true : array of uint8 ``(sample, *space)``
        Test windows.
    pca, image_vae, retrieval, examples : array of uint8 ``(sample, *space)``, optional
        Realizations of their latents: of PCA, of the image-space VAE, and of matvae by phase retrieval and with
        examples.
    larger_true : array of uint8 ``(1, *space)``
        A window of twice the size from the training region.
    larger : array of uint8 ``(sample, *space)``, optional
        Realizations of matvae of twice the size.
    """

    phases: int
    true: np.ndarray
    pca: np.ndarray | None
    image_vae: np.ndarray | None
    retrieval: np.ndarray | None
    examples: np.ndarray | None
    larger_true: np.ndarray
    larger: np.ndarray | None


def decoded_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of one row of decoded statistics, in the order of `DECODED_HEADER`; a dash for what does not exist."""
    return (row["method"], _count(row["n_components"]), *_cells(row, DECODED))


def realized_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells of one row of realized structures, in the order of `REALIZED_HEADER`."""
    return (row["method"], _count(row["n_components"]), WAYS[row["realize"]], *_cells(row, REALIZED))


def overview_panel(result: Mapping[str, Any]) -> Panel:
    """All materials at one number of components."""
    n = result["realized_at"]
    rows = [row for row in result["decoded"] if row["n_components"] in (None, n)]
    seeds = len(result["seeds"])
    spread = f"; means over {seeds} seeds ± standard deviation" if seeds > 1 else ""
    return Panel(
        "overview",
        f"All materials, {n} components",
        [
            Table(
                ("material", *DECODED_HEADER),
                [(row["material"], *decoded_cells(row)) for row in rows],
                f"Statistics decoded from {n} components of windows from a region that was not trained on{spread}.",
            ),
            *_realized_table(result, None),
            Definitions(
                [
                    (
                        "all lags, lags ≤ 8, lags ≤ 16",
                        "median over the test windows of `‖g − f‖ / ‖f − mean‖`, with the true statistics f and those "
                        "decoded, or of the realized structure, g: 0 is exact, 1 is predicting the mean of the "
                        "training windows",
                    ),
                    ("all / PCA, ≤ 8 / PCA", "these errors relative to those of PCA with as many components"),
                    (
                        "surface",
                        "median relative error of the specific surface, as decoded or of the realized structure",
                    ),
                    ("fraction", "decoded minus true volume fraction, in points: mean, and largest difference"),
                    ("all / decoded, ≤ 8 / decoded", "errors of the structures relative to those of what was decoded"),
                    (
                        "measures alike",
                        "of six measures (specific surface, mean chord length, lineal path, cluster function, "
                        "percolating share, pieces), those in which the set is inside one standard deviation of the "
                        "test windows or as near to them as the windows of another true region are, for all phases and "
                        "axes",
                    ),
                    (
                        "copying, true windows",
                        "share of voxels that are equal in the most similar training window, at the best shift: mean "
                        "over the realized structures, and over held-out true windows",
                    ),
                    ("diversity", "share of different voxels between realized structures relative to true windows"),
                    (
                        "another true window",
                        "the error of taking another true window for this one: a window differs from its material by "
                        "chance, so that errors far below this measure compression, not knowledge of the material",
                    ),
                ]
            ),
        ],
    )


def material_panel(result: Mapping[str, Any], material: str, pictures: MaterialPictures) -> Panel:
    """Pictures and all rows of one material."""
    content: list[Block] = [_picture_table(material, pictures, result["realized_at"])]
    if pictures.true.ndim == 4:
        content.append(_volumes(pictures))
    rows = [decoded_cells(row) for row in result["decoded"] if row["material"] == material]
    content.append(Table(DECODED_HEADER, rows, f"Decoded statistics of {material}."))
    content += _realized_table(result, material)
    return Panel(
        f"material-{material}",
        material,
        content,
        good="realizations cannot be told from true windows: phases are connected or isolated as in the material, "
        "interfaces are as smooth, features as wide, and no two pictures are alike.",
    )


def data_panel(result: Mapping[str, Any]) -> Panel:
    """Numbers of windows, and the command."""
    rows = [
        (
            run["material"],
            str(run["seed"]),
            run["held_out"],
            " × ".join(map(str, run["shape"])),
            str(run["cutoff"]),
            str(run["n_training"]),
            f"{run['independent_windows']:.0f}",
            str(run["n_validation"]),
            str(run["n_test"]),
            f"{run['seconds']:.0f}",
        )
        for run in result["runs"]
    ]
    header = ("material", "seed", "held out", "window", "largest lag", "training", "independent", "validation", "test")
    return Panel(
        "data",
        "Windows",
        [
            "The picture of each material is divided into a part for training and a held-out side, half of which is "
            "for validation and half for test. These parts share no voxel, but windows within a part may overlap: "
            "“independent” is the number of windows without overlap that would show as much material as the training "
            "windows do. Differences of a few percent mean nothing where only a handful of windows are independent.",
            Table((*header, "seconds"), rows, "Windows of each run, and the seconds that it took."),
            Command(result["command"]),
        ],
    )


def _cells(row: Mapping[str, Any], columns: Sequence[tuple[str, str, str, int]]) -> list[str]:
    return [_cell(row, name, template, factor) for name, _, template, factor in columns]


def _cell(row: Mapping[str, Any], name: str, template: str, factor: int) -> str:
    if row.get(name) is None:
        return "–"
    text, unit, _ = template.partition(" %")
    spread = row.get(f"{name}_spread")
    margin = "" if spread is None else f" ± {text.replace('+', '').format(factor * spread)}"
    # A number, its spread and its unit stay on one line.
    return (text.format(factor * row[name]) + margin + unit).replace(" ", "\N{NO-BREAK SPACE}")


def _count(n: int | None) -> str:
    return "–" if n is None else str(n)


def _realized_table(result: Mapping[str, Any], material: str | None) -> list[Block]:
    """Table of realized structures of one material or, with their names, of all; nothing if there are none."""
    rows = [row for row in result["realized"] if material in (None, row["material"])]
    if not rows:
        return []
    names = ("material",) if material is None else ()
    cells = [(*([row["material"]] if names else []), *realized_cells(row)) for row in rows]
    of = "Structures" if material is None else f"Structures of {material}"
    return [
        Table((*names, *REALIZED_HEADER), cells, f"{of} realized from {result['n_realized']} held-out latents at most.")
    ]


def _picture_table(material: str, pictures: MaterialPictures, n: int) -> PictureTable:
    rows = [
        ("true test windows", pictures.true),
        (f"matvae, {n} components\nwith examples", pictures.examples),
        (f"matvae, {n} components\nphase retrieval", pictures.retrieval),
        (f"PCA, {n} components\nphase retrieval", pictures.pca),
        (f"image-space VAE, {n} components", pictures.image_vae),
        ("true window of twice the size\n(training region)", pictures.larger_true),
        ("matvae with examples\ntwice the size", pictures.larger),
    ]
    is_volume = pictures.true.ndim == 4
    return PictureTable(
        f"pictures-{material}",
        ("", *(f"test window {k + 1}" for k in range(len(pictures.true)))),
        [
            (heading, _row(f"{material}, {heading}".replace("\n", ", "), structures, pictures.phases))
            for heading, structures in rows
            if structures is not None
        ],
        f"{material}: true windows, and realizations of the latents of these windows. Each column belongs to one test "
        "window of the first seed; structures of twice the size are drawn at half the scale."
        + (" Central sections of volumes." if is_volume else ""),
    )


def _row(described: str, structures: np.ndarray, phases: int) -> list[Picture]:
    return [Picture(_uri(labels, phases), f"{described}, number {k + 1}") for k, labels in enumerate(structures)]


def _volumes(pictures: MaterialPictures) -> VolumeGroup:
    named = [
        ("True test window", pictures.true),
        ("matvae, with examples", pictures.examples),
        ("matvae, phase retrieval", pictures.retrieval),
        ("matvae with examples, twice the size", pictures.larger),
    ]
    return VolumeGroup(
        [
            pack_volume(structures[0], title, grid=Grid(structures.shape[1:], phases=pictures.phases))
            for title, structures in named
            if structures is not None
        ]
    )


def _uri(structure: np.ndarray, phases: int) -> str:
    image = structure[len(structure) // 2] if structure.ndim == 3 else structure
    colours = structure_colours(phases)
    return embed_picture(image, colours["cmap"], low=colours["vmin"], high=colours["vmax"])
