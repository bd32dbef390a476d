"""Figures of latent space by material and property, and the CSV file of all values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matvae.report import Download, Figure
from matvae.report.panels.latents import MOST_PROPERTIES, latents_panel, traversal_figure, traversal_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


def test_latents_are_drawn_by_material_and_by_property():
    contents = parts()
    panel = latents_panel(contents)
    figures = blocks(panel, Figure)
    assert [figure.title for figure in figures] == ["By material.", "By modulus."]
    assert "Rings are the candidates." in figures[0].caption
    head, *rows = csv_rows(blocks(panel, Download)[0])
    assert head == ["sample", *(f"latent_{i}" for i in range(3)), *(f"pc_{i}" for i in range(4)), "modulus", "material"]
    np.testing.assert_allclose([[float(cell) for cell in row[1:4]] for row in rows], contents.latents, atol=1e-8)
    assert [row[-1] for row in rows] == ["alloy"] * 3 + ["ceramic"] * 3


def test_latents_without_properties_have_one_figure_and_many_properties_few():
    (figure,) = blocks(latents_panel(parts(properties={}, materials=None, candidates=None)), Figure)
    assert figure.title == "All structures."
    assert "Rings" not in figure.caption
    many = {f"p{i}": np.arange(6.0) for i in range(MOST_PROPERTIES + 1)}
    panel = latents_panel(parts(properties=many, materials=None))
    assert len(blocks(panel, Figure)) == MOST_PROPERTIES
    assert blocks(panel, str) == ["The first 4 properties are drawn; the CSV file has all of them."]


def test_components_that_are_omitted_are_counted():
    (figure,) = blocks(traversal_panel(parts((12,))), Figure)
    assert "components" not in figure.caption.partition("scale.")[2]
    (figure,) = blocks(traversal_panel(parts((12,), latents=np.zeros((6, 20)))), Figure)
    assert figure.caption.endswith("3 of 20 components are shown.")


def test_a_traversal_has_strips_of_structures_and_statistics_for_each_component():
    traversal = parts().traversal
    strips = traversal_figure(traversal, phases=2).axes
    assert [axes.get_ylabel() for axes in strips] == [
        *("component 3", "statistics", "component 1", "statistics", "component 2", "statistics")
    ]
    assert [label.get_text() for label in strips[0].get_xticklabels()] == [
        *("-2 s.d.", "-1 s.d.", "start", "+1 s.d.", "+2 s.d.")
    ]
    np.testing.assert_array_equal(strips[2].images[0].get_array()[:, -8:], traversal.structures[1, -1])
    np.testing.assert_array_equal(strips[3].images[0].get_array()[:, -8:], traversal.statistics[1, -1])
    assert len(traversal_figure(replace(traversal, statistics=None), phases=2).axes) == 3
