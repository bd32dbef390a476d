"""Requested and achieved values are shown side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matvae.report import Download, Figure, Remark, Table
from matvae.report.panels.candidates import achieved_names, candidates_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def panel_of(**changes):
    contents = parts()
    return candidates_panel(replace(contents, candidates=replace(contents.candidates, **changes)))


def test_requested_and_achieved_values_are_shown_with_their_spread():
    panel = candidates_panel(parts())
    (table,) = blocks(panel, Table)
    assert table.header == ["candidate", "requested modulus / GPa", "achieved modulus / GPa"]
    assert table.rows == [("0", "1.5", "1.25 ± 0.12"), ("1", "2.5", "2.5 ± 0.25"), ("2", "3.5", "–")]
    assert [figure.title for figure in blocks(panel, Figure)] == ["Requested and achieved.", "Candidates."]
    head, *rows = csv_rows(blocks(panel, Download)[0])
    assert head == ["candidate", "latent_0", "latent_1", "latent_2", "requested_modulus", "modulus", "modulus_spread"]
    assert rows[0][4:] == ["1.5", "1.25", "0.125"]


def test_a_property_that_was_maximised_has_no_requested_value():
    properties = {"k": np.ones(3), "k_spread": np.ones(3), "source": np.zeros(3)}
    panel = panel_of(properties=properties)
    assert blocks(panel, Table)[0].header == ["candidate", "achieved k"]
    assert [figure.title for figure in blocks(panel, Figure)] == ["Requested and achieved.", "Candidates."]
    assert achieved_names(replace(parts().candidates, properties={"a": np.ones(3)})) == ["a"]


def test_a_property_without_finite_values_is_not_drawn():
    panel = panel_of(properties={"k": np.full(3, np.nan), "k_spread": np.full(3, np.nan)})
    assert [figure.title for figure in blocks(panel, Figure)] == ["Candidates."]
    assert blocks(panel, Table)[0].rows[0] == ("0", "–")


def test_the_remarks_of_the_search_on_each_candidate_are_shown():
    panel = panel_of(
        properties={"k": np.ones(3), "k_spread": np.ones(3), "out_of_distribution": np.array([0.5, 0.75, 1.25])},
        reasons=[None, "too far <away>", None],
        region="Latents stay in the prior.",
    )
    (table,) = blocks(panel, Table)
    assert table.header[2:] == ["out of distribution", "as requested"]
    assert [row[2:] for row in table.rows] == [("0.5", "yes"), ("0.75", "too far <away>"), ("1.25", "yes")]
    assert blocks(panel, str)[1].endswith("beyond it. Latents stay in the prior.")


def test_without_candidates_the_option_is_named():
    assert "--candidates" in blocks(candidates_panel(parts(candidates=None)), Remark)[0].text


def test_ranges_of_training_windows_are_shown_beside_the_values():
    properties = {
        "k": np.array([1.0, 2.0, 4.0]),
        "k_spread": np.ones(3),
        "least_training_k": np.full(3, 0.5),
        "largest_training_k": np.full(3, 3.0),
        "pieces": np.array([2.0, 3.0, 9.0]),
        "least_training_pieces": np.full(3, 1.0),
        "largest_training_pieces": np.full(3, 5.0),
        "differing": np.full(3, 0.25),
        "believable": np.array([1.0, 1.0, 0.0]),
        "beats_training": np.array([0.0, 0.0, 1.0]),
    }
    panel = panel_of(properties=properties, units={"k": "GPa", "pieces": "1/(1000 voxels)"})
    (table,) = blocks(panel, Table)
    assert table.header == [
        "candidate",
        "achieved k / GPa (training 0.5 to 3)",
        "pieces / 1/(1000 voxels) (training 1 to 5)",
        "share of voxels in which realizations differ",
    ]
    assert table.rows[2] == ("2", "4 ± 1", "9", "0.25")
    text = " ".join(blocks(panel, str))
    assert "1 of 3 candidates beat the best of the training windows that meet the constraints." in text
    assert "1 of 3 candidates have pieces or surface outside" in text
    properties |= {"believable": np.ones(3), "beats_training": np.zeros(3)}
    text = " ".join(blocks(panel_of(properties=properties), str))
    assert "No candidate beats" in text
    assert "all candidates are within the range" in text
