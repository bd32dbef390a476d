"""What was requested stands beside what was achieved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matvae.report.panels.candidates import achieved_names, candidates_panel

from ..reading import rows_of
from ..report import parts


def test_requested_and_achieved_with_their_spread():
    panel = candidates_panel(parts())
    assert panel.tables[0].header == ["candidate", "requested modulus / GPa", "achieved modulus / GPa"]
    assert panel.tables[0].rows == [("0", "1.5", "1.25 ± 0.12"), ("1", "2.5", "2.5 ± 0.25"), ("2", "3.5", "–")]
    assert [figure.title for figure in panel.figures] == ["Requested and achieved.", "Candidates."]
    head, *rows = rows_of(panel.data[0])
    assert head == ["candidate", "latent_0", "latent_1", "latent_2", "requested_modulus", "modulus", "modulus_spread"]
    assert rows[0][4:] == ["1.5", "1.25", "0.125"]


def test_what_was_made_as_large_as_possible_has_no_target():
    one = parts()
    found = replace(one.candidates, properties={"k": np.ones(3), "k_spread": np.ones(3), "source": np.zeros(3)})
    panel = candidates_panel(replace(one, candidates=found))
    assert panel.tables[0].header == ["candidate", "achieved k"]
    assert [figure.title for figure in panel.figures] == ["Requested and achieved.", "Candidates."]
    assert achieved_names(replace(found, properties={"a": np.ones(3)})) == ["a"]


def test_values_that_nobody_could_measure_are_not_drawn():
    one = parts()
    found = replace(one.candidates, properties={"k": np.full(3, np.nan), "k_spread": np.full(3, np.nan)})
    panel = candidates_panel(replace(one, candidates=found))
    assert [figure.title for figure in panel.figures] == ["Candidates."]
    assert panel.tables[0].rows[0] == ("0", "–")


def test_what_a_search_says_of_each_candidate_stands_beside_it():
    one = parts()
    values = {"k": np.ones(3), "k_spread": np.ones(3), "out_of_distribution": np.array([0.5, 0.75, 1.25])}
    found = replace(one.candidates, properties=values, reasons=[None, "too far <away>", None])
    found = replace(found, region="Latents stay in the prior.")
    panel = candidates_panel(replace(one, candidates=found))
    assert panel.tables[0].header[2:] == ["out of distribution", "as asked"]
    assert [row[2:] for row in panel.tables[0].rows] == [("0.5", "yes"), ("0.75", "too far <away>"), ("1.25", "yes")]
    assert panel.text[1].endswith("beyond it. Latents stay in the prior.")


def test_without_candidates_it_is_said_how_to_give_them():
    assert "--candidates" in candidates_panel(parts(candidates=None)).left_out
