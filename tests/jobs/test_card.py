"""The card of a saved model is corrected, and gets the errors that were measured, without a change of the weights."""

from __future__ import annotations

import json
import shutil

import pytest

from matvae import load, open_structures, save_structures
from matvae.data import windows
from matvae.errors import InputError, StoreError
from matvae.estimator.card import DISJOINT, UNKNOWN_SPLIT
from matvae.estimator.card_page import readme
from matvae.jobs import describe, edit_card, evaluate_model, fit_model

from ..structures import blobs


@pytest.fixture
def model(trained, tmp_path):
    """A copy of the model, which tests may change."""
    shutil.copytree(trained / "m.matvae", tmp_path / "m.matvae")
    return tmp_path / "m.matvae"


def test_a_card_is_shown_and_corrected(model) -> None:
    before, weights = edit_card(model), (model / "weights.safetensors").read_bytes()
    assert before["facts"]["licence of the data"] == "not known"
    after = edit_card(model, licence="MIT", name="stripes", uses="Tests.")
    assert after["facts"]["licence of the data"] == "MIT"
    assert after["sha256"] != before["sha256"]
    json.dumps(after, allow_nan=False)
    loaded = load(model)
    assert (loaded.card_.licence, loaded.card_.name, loaded.card_.n_windows) == ("MIT", "stripes", 40)
    assert (model / "weights.safetensors").read_bytes() == weights
    assert (model / "README.md").read_text(encoding="utf-8") == readme(loaded)
    described = describe(model)
    assert (described["sha256"], described["card"]) == (after["sha256"], after["facts"])


def test_texts_that_are_no_line_are_refused_and_change_nothing(model) -> None:
    before = (model / "estimator.json").read_bytes()
    with pytest.raises(InputError, match="licence on a card must be one printable line"):
        edit_card(model, licence="a\nb")
    assert (model / "estimator.json").read_bytes() == before


def test_errors_are_written_on_request_only(model, trained) -> None:
    result = evaluate_model(model, trained / "test.zarr", train=trained / "train.zarr", n_realized=0)
    assert (result["card"], load(model).card_.measured) == (False, None)
    result = evaluate_model(model, trained / "test.zarr", train=trained / "train.zarr", n_realized=0, card=True)
    assert result["card"]
    measured = load(model).card_.measured
    assert measured is not None
    assert (measured.data, measured.n_windows, measured.n_realized) == ("test.zarr", 21, 0)
    assert measured.split == UNKNOWN_SPLIT
    assert [row["name"] for row in measured.rows] == [row["method"] for row in result["rows"]]
    own, expected = measured.rows[-1], result["rows"][-1]
    assert own["realized_all"] == expected["realized"]["all"]["centred"]
    assert (own["decoded_all"], expected["decoded"]) == (None, None)


def test_the_split_is_known_where_windows_record_where_they_were_cut(tmp_path) -> None:
    save_structures(tmp_path / "image.zarr", blobs(1, (32, 96), width=1.0), attributes={"dataset": {"name": "rock"}})
    for name, region in (("train", ((0, 32), (0, 64))), ("test", ((0, 32), (64, 96)))):
        cut = windows(open_structures(tmp_path / "image.zarr"), 16, stride=2, region=region)
        save_structures(tmp_path / f"{name}.zarr", cut)
    fit_model(tmp_path / "train.zarr", tmp_path / "m.matvae", n_components=2, cutoff=5, decoder="statistics", seed=0)
    result = evaluate_model(tmp_path / "m.matvae", tmp_path / "test.zarr", n_realized=0, card=True)
    card = load(tmp_path / "m.matvae").card_
    assert card.region == {"y": (0, 32), "x": (0, 64)}
    assert card.measured is not None
    assert (card.measured.data, card.measured.split, card.measured.summary) == ("rock", DISJOINT, result["summary"])
    own = next(row for row in card.measured.rows if row["name"].startswith("matvae"))
    expected = next(row for row in result["rows"] if row["method"].startswith("matvae"))["decoded"]
    shortest = next(lags for lags in expected if lags != "all")
    assert card.measured.short == shortest
    assert own["decoded_short"] == expected[shortest]["centred"]
    assert own["decoded_all"] == expected["all"]["centred"]


def test_a_card_that_cannot_be_written_is_refused_before_anything_is_measured(model, trained, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreError, match="not writable"):
        evaluate_model(model, trained / "test.zarr", card=True)
    with pytest.raises(StoreError, match="not writable"):
        edit_card(model, licence="MIT")
