"""CSV files of a page, and detection of volumes."""

from __future__ import annotations

import numpy as np

from matvae.report import Figure, Page, Panel, VolumeGroup, csv_download, embed_figure
from matvae.report.style import new_figure

from .reading import csv_rows


def test_csv_files_contain_the_values():
    download = csv_download("a.csv", ("name", "value"), [['with "quotes", and comma', 1], ["ß", 0.1], ["", np.nan]])
    assert download.name == "a.csv"
    assert csv_rows(download) == [["name", "value"], ['with "quotes", and comma', "1"], ["ß", "0.1"], ["", "nan"]]


def test_single_precision_is_preserved_by_csv_files():
    value = np.float32(1) / np.float32(3)
    assert np.float32(csv_rows(csv_download("a.csv", ("x",), [[float(value)]]))[1][0]) == value


def test_only_a_page_with_volumes_needs_the_viewer():
    panels = [Panel("a", "A", ["text"]), Panel("b", "B", [VolumeGroup([])])]
    assert [Page("t", "lead", panels[:n], "0").has_volumes for n in (1, 2)] == [False, True]


def test_a_figure_knows_the_width_at_which_its_text_has_its_size():
    uri = embed_figure(new_figure(3, 2, dpi=100))
    assert Figure("a", uri, "b", "c", "d").width == 300
    assert Figure("a", "data:image/svg+xml,<svg/>", "b", "c", "d").width is None
