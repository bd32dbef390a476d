"""Facts are shown as they are given."""

from __future__ import annotations

from matvae.report.panels.about import about_panel

from ..report import parts


def test_facts_of_model_data_and_settings():
    model, data, settings = about_panel(parts()).tables
    assert list(model.rows) == [("name", "rock.matvae"), ("weights", "1,234")]
    assert list(data.rows) == [("name", "test.zarr"), ("structures", "6")]
    assert list(settings.rows) == [("beta", "0.0001")]
    assert [one.folded for one in (model, data, settings)] == [False, False, True]
