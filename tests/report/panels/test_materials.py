"""Tables have the values with their spreads, and pictures are those of the right windows."""

from __future__ import annotations

from matvae.report import (
    DECODED_HEADER,
    REALIZED_HEADER,
    PictureTable,
    Table,
    VolumeGroup,
    decoded_cells,
    realized_cells,
)
from matvae.report.panels.materials import _uri, data_panel, material_panel, overview_panel

from ..materials_result import pictures, result
from ..reading import blocks


def spaced(cells):
    """Cells with breaking spaces."""
    return tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in cells)


def test_cells_have_units_and_spreads():
    floor, *_, matvae = result()["decoded"][:4]
    assert spaced(decoded_cells(floor))[:3] == ("another true window", "–", "1.500 ± 0.010")
    cells = dict(zip(DECODED_HEADER, spaced(decoded_cells(matvae)), strict=True))
    assert (cells["n"], cells["lags ≤ 8"], cells["all / PCA"], cells["surface"]) == ("5", "0.250", "–", "12.5 %")
    # Points of volume fraction, with their sign.
    assert (cells["fraction, bias"], cells["fraction, largest"]) == ("-1.25 ± 0.50", "5.0")
    cells = dict(zip(REALIZED_HEADER, spaced(realized_cells(result()["realized"][1])), strict=True))
    assert (cells["realized by"], cells["surface"], cells["measures alike"]) == ("with examples", "4.0 ± 1.0 %", "5.5")


def test_the_overview_has_one_number_of_components():
    decoded, realized = blocks(overview_panel(result()), Table)
    assert [row[:3] for row in decoded.rows] == [
        (material, method, n)
        for material in ("alloy", "berea_3d")
        for method, n in (("another true window", "–"), ("PCA", "5"), ("matvae", "5"))
    ]
    assert [row[0] for row in realized.rows] == ["alloy", "alloy"]
    assert "2 seeds ± standard deviation" in decoded.caption
    assert len(blocks(overview_panel({**result(), "realized": []}), Table)) == 1


def test_a_material_has_its_rows_and_pictures():
    shown = pictures()["alloy"]
    panel = material_panel(result(), "alloy", shown)
    decoded, realized = blocks(panel, Table)
    assert [row[1] for row in decoded.rows] == ["–", "2", "5", "5"]
    assert len(realized.rows) == 2
    (table,) = blocks(panel, PictureTable)
    headings = [heading.splitlines()[0] for heading, _ in table.rows]
    assert headings[:2] == ["true test windows", "matvae, 5 components"]
    assert [len(row) for _, row in table.rows] == [4, 4, 4, 4, 4, 1, 2]
    assert table.rows[1][1][2].uri == _uri(shown.examples[2], 3)
    assert table.rows[3][1][0].uri == _uri(shown.pca[0], 3)


def test_volumes_are_shown_as_sections_and_surfaces():
    shown = pictures()["berea_3d"]
    panel = material_panel(result(), "berea_3d", shown)
    (table,) = blocks(panel, PictureTable)
    # Neither PCA, an image-space VAE nor larger structures exist.
    assert [len(row) for _, row in table.rows] == [4, 4, 4, 1]
    assert table.rows[0][1][0].uri == _uri(shown.true[0][4], 3)
    (group,) = blocks(panel, VolumeGroup)
    assert [volume.title for volume in group.volumes] == [
        "True test window",
        "matvae, with examples",
        "matvae, phase retrieval",
    ]


def test_windows_are_counted():
    (table,) = blocks(data_panel(result()), Table)
    assert list(table.rows)[1] == ("berea_3d", "0", "end of x", "8 × 8 × 8", "4", "30", "9", "4", "5", "12")
