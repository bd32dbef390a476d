"""Models that matvae brings along: small, sound, measured on windows they have not seen, under a free licence."""

from __future__ import annotations

import numpy as np
import pytest

import matvae
from matvae import load, load_pretrained
from matvae.data import windows
from matvae.data.datasets import load_card
from matvae.data.datasets.measured import bundled_file
from matvae.errors import PluginError
from matvae.estimator.card import DISJOINT
from matvae.estimator.card_page import readme
from matvae.estimator.pretrained import FOLDER, is_pretrained, model_folder, pretrained_names

MOST_BYTES = 3_000_000


def test_there_are_models_of_images_and_of_volumes_and_all_are_small() -> None:
    assert {load_pretrained(name).grid_.ndim for name in pretrained_names()} == {2, 3}
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) < MOST_BYTES


@pytest.mark.parametrize("name", pretrained_names())
def test_every_model_states_its_origin_and_what_was_measured(name) -> None:
    model = load_pretrained(name)
    card = model.card_
    assert card.licence is not None
    assert card.licence.startswith(("CC BY 4.0", "MIT"))
    assert None not in (card.name, card.citation, card.source, card.n_windows, card.region)
    assert card.measured is not None
    assert card.measured.split == DISJOINT
    assert card.measured.n_realized >= 8
    methods = {row["name"].partition(" (")[0] for row in card.measured.rows}
    assert methods == {"training mean", "PCA", "matvae", "another true window"}
    own = next(row for row in card.measured.rows if row["name"].startswith("matvae"))
    assert own["decoded_all"] < 0.6
    assert (FOLDER / f"{name}.matvae" / "README.md").read_text(encoding="utf-8") == readme(model)


def test_the_error_on_the_card_is_what_is_found_again() -> None:
    """The alloy is part of matvae, so that its row can be measured: median error relative to the training mean."""
    model = load_pretrained("alloy")
    image = matvae.open_structures(bundled_file(load_card("alloy")), spatial_dims=2)
    held_out = windows(image, 64, stride=8, region=((0, 256), (160, 256)))
    assert model.card_.measured is not None
    assert model.card_.measured.n_windows == len(held_out)
    true = np.asarray(model.statistics(held_out)).reshape(len(held_out), -1)
    decoded = np.asarray(model.inverse_statistics(model.transform(held_out.data.compute()))).reshape(len(held_out), -1)
    mean = model.module_.statistics_decoder.mean.numpy()
    errors = np.linalg.norm(decoded - true, axis=1) / np.linalg.norm(true - mean, axis=1)
    row = next(row for row in model.card_.measured.rows if row["name"].startswith("matvae"))
    assert np.median(errors) == pytest.approx(row["decoded_all"], rel=0.02)


def test_a_pretrained_model_makes_structures() -> None:
    model = load("pretrained:alloy")
    structures = model.inverse_transform(np.zeros((1, 5)), random_state=0)
    assert structures.shape == (1, 64, 64)
    assert structures.mean() == pytest.approx(
        model.inverse_descriptors(np.zeros((1, 5)))["volume_fraction"][0, 1], abs=0.02
    )


def test_wrong_names_are_answered_with_those_there_are() -> None:
    with pytest.raises(
        PluginError, match=r"no pretrained model 'aloy'; known are alloy, .* Did you mean pretrained:alloy"
    ):
        load_pretrained("aloy")
    assert model_folder("m.matvae").name == "m.matvae"
    assert (is_pretrained("pretrained:x"), is_pretrained("x")) == (True, False)
    with pytest.raises(PluginError):
        load_pretrained("../pretrained/alloy")
