"""The card as text: facts that a hub and a person understand, and nothing that a stranger's text could break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml

from matvae import Grid, StatsVAETransformer, Structures
from matvae.estimator import ModelCard
from matvae.estimator.card_page import card_facts, error_rows, readme

from ..structures import blobs
from .test_card import MEASURED


@pytest.fixture(scope="module")
def model() -> StatsVAETransformer:
    """A model of windows of 16 x 20 voxels, whose phases have names and values, with few windows in it."""
    attributes = {"dataset": {"name": "rock"}, "phase_names": ["pore", "solid"], "phase_values": [0, 255]}
    grid = Grid((16, 20), voxel_size=(0.5, 2), unit="micrometer")
    X = Structures(blobs(30, (16, 20), width=1.0), grid, attributes=attributes)
    return StatsVAETransformer(n_components=2, decoder="statistics", periodic=False, cutoff=4, random_state=0).fit(X)


def with_card(model: StatsVAETransformer, **changes: object) -> StatsVAETransformer:
    changed = StatsVAETransformer()
    changed.__dict__.update(model.__dict__)
    changed.card_ = replace(model.card_, **changes)
    return changed


def front_matter(text: str) -> dict:
    _, front, _ = text.split("---\n", 2)
    return yaml.safe_load(front)


def test_facts_are_those_of_the_training_windows(model) -> None:
    facts = card_facts(model)
    assert facts["data"] == "rock"
    assert facts["training windows"] == "30"
    assert facts["voxel size"] == "0.5 x 2 micrometer"
    assert facts["phases"] == "0 = pore (value 0), 1 = solid (value 255)"
    assert facts["windows in the model"].startswith("27 training windows")
    assert facts["use it for"].startswith("windows of 16 x 20 voxels")
    assert [facts[name] for name in ("licence of the data", "source", "citation", "region")] == ["not known"] * 4
    assert [facts[name] for name in ("measured on", "split", "errors")] == ["not measured"] * 3
    assert facts["do not use it for"].startswith("any conclusion before its errors have been measured")


def test_what_was_measured_and_said_takes_the_place_of_what_is_not_known(model) -> None:
    said = with_card(model, measured=MEASURED, uses="Rocks.", limits="Metals.", phase_names=())
    facts = card_facts(said)
    assert (facts["use it for"], facts["do not use it for"]) == ("Rocks.", "Metals.")
    assert (facts["measured on"], facts["errors"]) == ("7 windows of rock", "Good.")
    assert facts["phases"] == "0 (value 0), 1 (value 255) (names not known)"
    assert "| matvae (2), lag metric | – | 0.25 | 0.50 | – | – |" in readme(said)
    assert "those up to 4 voxels" in readme(said)
    assert "3 of the 7 windows were realized as structures" in readme(said)
    assert error_rows(model.card_) == ([], [])
    assert "## Errors" not in readme(model)


@pytest.mark.parametrize(
    ("licence", "identifier"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("MIT (licence of the repository that distributes it)", "mit"),
        ("mine alone", "other"),
        (None, "unknown"),
    ],
)
def test_the_front_matter_is_what_the_hub_reads(model, licence, identifier, tmp_path) -> None:
    from huggingface_hub import ModelCard as HubCard

    text = readme(with_card(model, licence=licence))
    front = front_matter(text)
    assert (front["license"], front["library_name"]) == (identifier, "matvae")
    assert front.get("license_name") == (licence if identifier == "other" else None)
    assert front["tags"][-1] == "2d"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert HubCard.load(tmp_path / "README.md").data.license == identifier


def test_texts_of_strangers_stay_texts(model) -> None:
    hostile = 'x: [1]" | <img src=x> [a](http://b) ---'
    text = readme(with_card(model, licence=hostile, name=hostile, uses=hostile))
    assert front_matter(text)["license_name"] == hostile
    assert "<img" not in text.split("---\n", 2)[2].replace("\\<img", "")
    assert r"\[a\](http://b)" in text
    # Two columns: the bars of the text are escaped.
    row = next(line for line in text.splitlines() if line.startswith("| data |"))
    assert row.replace(r"\|", "").count("|") == 3


def test_a_model_without_a_card_says_that_nothing_is_known(model) -> None:
    bare = with_card(model)
    bare.card_ = ModelCard()
    assert card_facts(bare)["data"] == card_facts(bare)["training windows"] == "not known"
    assert "# A model of microstructures" in readme(bare)


def test_a_field_has_no_phases(tiny) -> None:
    X = np.random.default_rng(0).random((8, 6, 6))
    assert card_facts(tiny(max_epochs=1).fit(X))["phases"] == "none, a continuous field"
