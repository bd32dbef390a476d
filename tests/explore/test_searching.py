"""Thorough searches: the candidates of `matvae optimize`, progress that rises, an end when told, one at a time."""

from __future__ import annotations

import re
import shlex
import time

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.explore import searching
from matvae.explore.explorer import Explorer
from matvae.optimize import optimize_latents

from .test_packed import unpack

TARGETS = {"targets": {"volume_fraction(phase=1)": 0.45}, "n_candidates": 2}
LONG = TARGETS | {"n_candidates": 20}
SECONDS = 120


@pytest.fixture
def searched(texture_model):
    """An explorer of its own, whose search has ended when the test has."""
    explorer = Explorer(texture_model, name="rock.matvae", location="my models/rock.matvae")
    yield explorer
    explorer.searches.close()


def until(explorer, identifier, *states):
    """Ask for a search until it is in one of these states; returns all answers."""
    answers, end = [], time.monotonic() + SECONDS
    while not answers or answers[-1]["state"] not in states:
        assert time.monotonic() < end
        answers.append(explorer.searched(identifier))
        time.sleep(0.005)
    return answers


def test_candidates_are_those_of_optimize_and_progress_rises(searched, texture_model):
    answers = until(searched, searched.search(TARGETS)["id"], "done")
    expected = optimize_latents(texture_model, ["volume_fraction(phase=1)=0.45"], n_candidates=2, random_state=0)
    found = answers[-1]["candidates"]
    assert [candidate["latent"] for candidate in found] == expected.latents.tolist()
    for k, candidate in enumerate(found):
        values = candidate["values"]["volume_fraction(phase=1)"]
        assert values["requested"] == 0.45
        assert values["measured"] == pytest.approx(expected.achieved["volume_fraction_phase_1"][k])
        assert values["spread"] == pytest.approx(expected.spread["volume_fraction_phase_1"][k])
        assert values["predicted"] == pytest.approx(0.45, abs=0.02)
        assert (candidate["reason"] is None) == (expected.reasons[k] is None)
        # What the page shows for it is the structure of the store that `matvae optimize` writes.
        shown = searched.realize({name: candidate[name] for name in ("latent", "seed", "sample")})
        np.testing.assert_array_equal(unpack(shown["structures"][0]), expected.structures[k])
    running = [answer for answer in answers if answer["state"] == "running"]
    realized = [answer["done"] for answer in running if answer["stage"] == "Realizing and measuring candidates"]
    assert realized == sorted(realized)
    assert len(set(realized)) > 1
    assert {answer["total"] for answer in running if answer["stage"] == "Realizing and measuring candidates"} == {6}


def test_the_decoded_structure_of_a_layout_is_shown(layout_explorer):
    target = {
        "volume_fraction(phase=1)": float(np.mean(unpack(layout_explorer.realize({"latent": [0, 0]})["structures"][0])))
    }
    request = {"targets": target, "n_candidates": 1}
    answer = until(layout_explorer, layout_explorer.search(request)["id"], "done")[-1]
    (candidate,) = answer["candidates"]
    assert answer["shown"] == "decoded structure"
    expected = optimize_latents(
        layout_explorer.model, [f"{name}={value:.4g}" for name, value in target.items()], n_candidates=1, random_state=0
    )
    shown = layout_explorer.realize({name: candidate[name] for name in ("latent", "seed", "sample")})
    np.testing.assert_array_equal(unpack(shown["structures"][0]), expected.structures[0])


def test_a_search_that_is_cancelled_ends_soon(searched):
    identifier = searched.search(LONG)["id"]
    until_realizing = time.monotonic() + SECONDS
    while searched.searched(identifier).get("stage") != "Realizing and measuring candidates":
        assert time.monotonic() < until_realizing
        time.sleep(0.01)
    assert searched.cancel(identifier)["state"] == "running"
    begun = time.monotonic()
    assert until(searched, identifier, "cancelled")[-1]["why"] == "The search was cancelled."
    assert time.monotonic() - begun < 5
    # Another one may begin.
    searched.searches._searches[identifier].wait(SECONDS)
    searched.cancel(searched.search(LONG)["id"])


def test_there_is_one_search_at_a_time(searched):
    searched.search(LONG)
    with pytest.raises(searching.BusyError, match=r"A search is running, started from another tab .*cancel it where"):
        searched.search(TARGETS)


def test_a_search_that_nobody_asks_for_ends(searched, monkeypatch):
    monkeypatch.setattr(searching, "ABANDONED_SECONDS", 0.2)
    identifier = searched.search(LONG)["id"]
    searched.searches._searches[identifier].wait(SECONDS)
    assert "had not asked for it for 5 minutes" in searched.searched(identifier)["why"]


def test_few_searches_are_remembered_and_identifiers_cannot_be_guessed(searched, monkeypatch):
    monkeypatch.setattr(searching, "optimize_latents", lambda *_, **__: 1 / 0)
    identifiers = []
    for _ in range(6):
        identifiers.append(searched.search(TARGETS)["id"])
        searched.searches._searches[identifiers[-1]].wait(SECONDS)
    assert len(set(identifiers)) == 6
    assert min(map(len, identifiers)) >= 20
    states = [searched.searched(identifier)["state"] for identifier in identifiers]
    assert states == ["gone"] * 2 + ["failed"] * 4
    assert searched.cancel("another")["state"] == "gone"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InputError("Choose other goals."), r"^Choose other goals\.$"),
        (MemoryError(), "too little memory .* fewer candidates"),
        (KeyError("x"), "the terminal of the server says why"),
    ],
)
def test_errors_are_sentences(searched, monkeypatch, error, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(searching, "optimize_latents", fail)
    answer = until(searched, searched.search(TARGETS)["id"], "failed")[-1]
    assert re.search(message, answer["error"])


def test_the_command_names_the_same_goals_and_number(searched):
    wanted = searched._wanted(
        {"targets": {"volume_fraction(phase=1)": 0.3, "specific_surface(phase=1)": 0.51234}, "n_candidates": 3}
    )
    assert shlex.split(wanted.command("my models/rock.matvae")) == [
        *("matvae", "optimize", "my models/rock.matvae", "--goal", "volume_fraction(phase=1)=0.3"),
        *("--goal", "specific_surface(phase=1)=0.5123", "-k", "3", "-o", "design.zarr"),
    ]
    assert "-k" not in searched._wanted(TARGETS | {"n_candidates": 10}).command("MODEL")


def test_a_target_beyond_reach_is_said_in_the_words_of_the_page(searched):
    wanted = {"targets": {"volume_fraction(phase=1)": 0.99}, "n_candidates": 1}
    (candidate,) = until(searched, searched.search(wanted)["id"], "done")[-1]["candidates"]
    assert candidate["reason"].startswith("volume fraction of phase 1 0.99 was not reached. Structures of the region")
    assert candidate["values"]["volume_fraction(phase=1)"]["measured"] < 0.8


def test_notes_that_differ_in_numbers_are_told_once():
    assert searching.of_each_kind(["1 of 8 is bad.", "Another.", "2 of 8 is bad."]) == ["1 of 8 is bad.", "Another."]


@pytest.mark.parametrize("number", [0, 21, 1.5, "many", None])
def test_numbers_of_candidates_are_checked(searched, number):
    with pytest.raises(InputError, match="n_candidates must be"):
        searched.search(TARGETS | {"n_candidates": number})
