"""Settings of a benchmark: values that are refused before any work, and the notes on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from matvae import memory
from matvae.errors import InputError, PluginError
from matvae.jobs.benchmark.presets import PRESETS
from matvae.jobs.benchmark.settings import BenchmarkSettings

GOOD = BenchmarkSettings(
    preset="matvae",
    size=64,
    n=1000,
    n_test=1000,
    n_components=9,
    max_time=60.0,
    seed=0,
    weights=None,
    batch_size=None,
    device="cpu",
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "best"}, "preset must be one of 'matvae', 'paper'"),
        ({"size": 15}, "at least 16 pixels"),
        ({"size": 64.0}, "size must be an integer"),
        ({"n": 49}, "n must be an integer of at least 50"),
        ({"n_test": 9}, "n_test must be an integer of at least 10"),
        ({"n_test": True}, "n_test must be an integer"),
        ({"n_components": 0}, "n_components must be an integer of at least 1"),
        ({"n": 50, "n_components": 51}, "PCA gives at most 50 components"),
        ({"max_time": 0}, "max_time must be a number above 0"),
        ({"max_time": None}, "a benchmark needs a time limit"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"batch_size": 0}, "batch_size must be an integer of at least 1"),
        ({"weights": "some/weights"}, "does not start from trained weights"),
        ({"device": "gpu"}, "device must be"),
    ],
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises((InputError, PluginError), match=message):
        replace(GOOD, **changes)


def test_the_settings_complete_the_preset():
    preset = PRESETS.get("matvae").training(GOOD.n)
    assert GOOD.parameters == {**preset, "n_components": 9, "max_time": 60.0, "device": "cpu"}
    paper = replace(GOOD, preset="paper", weights="folder", batch_size=4)
    assert paper.parameters["batch_size"] == 4
    assert paper.parameters["encoder_weights"] == "folder"
    assert replace(GOOD, preset="paper").parameters["batch_size"] == 16


def test_the_table_and_the_notes_state_that_the_encoder_is_untrained():
    assert (GOOD.method, GOOD.notes) == ("matvae (9)", [])
    paper = replace(GOOD, preset="paper")
    assert paper.method == "architecture of the paper, untrained encoder (9)"
    assert len(paper.notes) == 1
    assert "random weights, not from pretrained ones as in the paper" in paper.notes[0]
    trained = replace(paper, weights="folder")
    assert trained.method == "architecture of the paper, pretrained encoder (9)"
    assert trained.notes == []


def test_a_small_test_set_is_noted_with_its_standard_error():
    """A proportion of one half among n structures has a standard error of 50 / sqrt(n) percent."""
    assert "Only 100 structures are held out" in replace(GOOD, n_test=100).notes[0]
    assert "up to 5.0 points" in replace(GOOD, n_test=100).notes[0]
    assert replace(GOOD, n_test=2000).notes == []


def test_too_little_memory_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda device: 4_000_000_000)
    GOOD.check_machine()
    paper = replace(GOOD, preset="paper", size=224)
    with pytest.raises(InputError, match=r"'paper' at 224 x 224 pixels with batches of 16 needs about 8\.12 GB"):
        paper.check_machine()
    replace(paper, batch_size=2).check_machine()


def test_missing_weights_are_refused(tmp_path, monkeypatch):
    from matvae.model.encoders.pretrained import ResNet152Encoder

    monkeypatch.setattr(ResNet152Encoder, "sizes", {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8})
    before = torch.get_rng_state()
    with pytest.raises(InputError, match="No weights were found"):
        replace(GOOD, preset="paper", weights=str(tmp_path / "none")).check_machine()
    assert torch.equal(before, torch.get_rng_state())


def test_images_too_small_for_a_resnet_are_refused():
    with pytest.raises(InputError, match="needs 33 pixels"):
        replace(GOOD, preset="paper", size=32).check_machine()


def test_settings_survive_json():
    values = GOOD.to_dict()
    assert values["benchmark"] == "paper"
    assert BenchmarkSettings(**{name: value for name, value in values.items() if name != "benchmark"}) == GOOD
