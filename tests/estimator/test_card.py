"""A card says what is recorded, nothing more, and refuses what a stranger's file may hold instead."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.data import windows
from matvae.errors import InputError
from matvae.estimator import ModelCard
from matvae.estimator.card import DISJOINT, OVERLAPPING, UNKNOWN_SPLIT, MeasuredErrors
from matvae.given import given

ROW = {
    "name": "matvae (2), lag metric",
    "realize": None,
    "decoded_short": 0.25,
    "decoded_all": 0.5,
    "realized_short": None,
    "realized_all": None,
}
MEASURED = MeasuredErrors("rock", 7, 3, DISJOINT, "4", (ROW,), "Good.", "1.0")


@pytest.fixture
def image() -> Structures:
    """One image of 12 x 20 voxels with all that a store may record."""
    labels = (np.arange(240).reshape(1, 12, 20) % 3 == 0).astype(np.uint8)
    attributes = {
        "dataset": {"name": "rock", "url": "https://example.org/rock.tif"},
        "licence": "CC BY 4.0",
        "citation": "A. Author,\n  Journal 1 (2018)",
        "sources": ["rock.tif"],
        "phase_names": ["pore", "solid"],
    }
    return Structures(labels, Grid((12, 20)), attributes=attributes)


def card_of(X) -> ModelCard:
    return ModelCard.of_data(given(X))


def test_what_a_store_records_is_on_the_card(image) -> None:
    card = card_of(windows(image, (4, 6), stride=(2, 3), region=((2, 12), (5, 20))))
    assert card == ModelCard(
        name="rock",
        licence="CC BY 4.0",
        citation="A. Author, Journal 1 (2018)",
        source="https://example.org/rock.tif",
        sources=("rock.tif",),
        n_windows=16,
        # Corners at y = 2, 4, 6, 8 and x = 5, 8, 11, 14.
        region={"y": (2, 12), "x": (5, 20)},
        phase_names=("pore", "solid"),
    )


def test_what_is_not_recorded_is_not_known(image) -> None:
    assert card_of(np.zeros((3, 4, 5), np.uint8)) == ModelCard(n_windows=3)
    named = replace(image, attributes={"sources": ["a.tif", "b.tif"], "licence": 4, "dataset": "x", "phase_names": 2})
    assert card_of(named) == ModelCard(name="a.tif, b.tif", sources=("a.tif", "b.tif"), n_windows=1)


def test_the_split_follows_from_the_regions(image) -> None:
    left = card_of(windows(image, 4, region=((0, 12), (0, 10))))
    right = card_of(windows(image, 4, region=((0, 12), (10, 20))))
    across = card_of(windows(image, 4, region=((0, 12), (7, 20))))
    assert left.split_from(right) == right.split_from(left) == DISJOINT
    assert left.split_from(across) == left.split_from(left) == OVERLAPPING
    other = replace(image, attributes={"dataset": {"name": "another rock"}})
    assert left.split_from(card_of(windows(other, 4))) == UNKNOWN_SPLIT
    assert left.split_from(card_of(image)) == UNKNOWN_SPLIT
    nameless = replace(image, attributes={})
    assert card_of(windows(nameless, 4)).split_from(card_of(windows(nameless, 4))) == UNKNOWN_SPLIT


def test_a_card_survives_json(image) -> None:
    card = replace(card_of(windows(image, 4)), uses="Rocks.", limits="Metals.", measured=MEASURED)
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    assert ModelCard.from_dict({}) == ModelCard()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "\x1b[2J"}, "name on a card"),
        ({"licence": "a\nb"}, "licence on a card"),
        ({"uses": 3}, "uses on a card"),
        ({"citation": "a" * 2001}, "citation on a card"),
        ({"sources": "rock"}, "sources on a card"),
        ({"phase_names": [1]}, "phase_names on a card"),
        ({"n_windows": True}, "n_windows on a card"),
        ({"region": {"y": [1]}}, "region on a card"),
        ({"region": {"y": ["0", "8"]}}, "region on a card"),
        ({"measured": {**MEASURED.__dict__, "rows": [ROW], "n_realized": -1}}, "n_realized on a card"),
        ({"measured": {**MEASURED.__dict__, "rows": "many"}}, "rows of a card"),
        ({"measured": {**MEASURED.__dict__, "rows": [{**ROW, "decoded_all": "0"}]}}, "decoded_all on a card"),
    ],
)
def test_texts_and_numbers_of_strangers_are_checked(changes, message) -> None:
    with pytest.raises(InputError, match=message):
        ModelCard.from_dict({**ModelCard().to_dict(), **changes})
