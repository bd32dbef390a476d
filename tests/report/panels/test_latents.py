"""One picture for the material and one a property; the table has every number."""

from __future__ import annotations

import numpy as np

from matvae.report.panels.latents import MOST_PROPERTIES, latents_panel, traversal_panel

from ..reading import rows_of
from ..report import parts


def test_pictures_by_material_and_property():
    one = parts()
    panel = latents_panel(one)
    assert [figure.title for figure in panel.figures] == ["By material.", "By modulus."]
    assert "Rings are the candidates." in panel.figures[0].caption
    head, *rows = rows_of(panel.data[0])
    assert head == ["sample", *(f"latent_{i}" for i in range(3)), *(f"pc_{i}" for i in range(4)), "modulus", "material"]
    np.testing.assert_allclose([[float(cell) for cell in row[1:4]] for row in rows], one.latents, atol=1e-8)
    assert [row[-1] for row in rows] == ["alloy"] * 3 + ["ceramic"] * 3


def test_structures_without_properties_and_too_many_properties():
    plain = latents_panel(parts(properties={}, materials=None, candidates=None))
    assert [figure.title for figure in plain.figures] == ["All structures."]
    assert "Rings" not in plain.figures[0].caption
    many = {f"p{i}": np.arange(6.0) for i in range(MOST_PROPERTIES + 1)}
    panel = latents_panel(parts(properties=many, materials=None))
    assert len(panel.figures) == MOST_PROPERTIES
    assert panel.text == ("The 4 first properties are drawn; the table has all of them.",)


def test_components_that_are_left_out_are_counted():
    assert "components" not in traversal_panel(parts((12,))).figures[0].caption.partition("scale.")[2]
    panel = traversal_panel(parts((12,), latents=np.zeros((6, 20))))
    assert panel.figures[0].caption.endswith("Of 20 components 3 are shown.")
