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


def test_the_sampling_error_of_the_structures_is_said_where_it_is_known():
    sentence = "The error of the decoded statistics is 0.5 times the sampling error of one window."
    assert sentence in blocks(about_panel(parts(sampling=sentence)), str)
    assert len(blocks(about_panel(parts()), str)) + 1 == len(blocks(about_panel(parts(sampling=sentence)), str))


def test_the_card_of_the_model_is_shown_where_there_is_one():
    card = {"licence of the data": "MIT", "errors": "not measured"}
    tables = blocks(about_panel(parts(card=card)), Table)
    assert list(tables[1].rows) == list(card.items())
    assert len(tables) == 4
