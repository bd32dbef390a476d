"""Tables of metadata."""

from __future__ import annotations

from matvae.report import Table
from matvae.report.panels.about import about_panel

from ..reading import blocks
from ..report_parts import parts


def test_metadata_of_model_data_and_training_are_shown():
    model, data, settings = blocks(about_panel(parts()), Table)
    assert list(model.rows) == [("name", "rock.matvae"), ("weights", "1,234")]
    assert list(data.rows) == [("name", "test.zarr"), ("structures", "6")]
    assert list(settings.rows) == [("beta", "0.0001")]
    assert [table.folded for table in (model, data, settings)] == [False, False, True]
