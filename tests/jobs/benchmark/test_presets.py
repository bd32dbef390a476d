from __future__ import annotations

import pytest

from matvae import StatsVAETransformer
from matvae.errors import InputError
from matvae.jobs.benchmark.presets import PRESETS, get_preset


def test_matvae_keeps_the_default_loss_and_finds_boxes():
    chosen = StatsVAETransformer(**get_preset("matvae").training(100_000)).get_params()
    default = StatsVAETransformer().get_params()
    kept = ("loss", "short_range", "n_components", "threshold", "latent_steps")
    assert {name: chosen[name] for name in kept} == {name: default[name] for name in kept}
    assert (chosen["encoder"], chosen["decoder"]) == ("pursuit", "boxes")
    assert not get_preset("matvae").takes_weights
    assert get_preset("paper").takes_weights


def test_the_paper_is_equation_1_and_3_and_nothing_beside():
    chosen = StatsVAETransformer(**get_preset("paper").training(100_000)).get_params()
    assert (chosen["encoder"], chosen["decoder"], chosen["loss"]) == ("resnet152", "convolutional", "absolute")
    assert [chosen[name] for name in ("short_range", "mixing", "aligned_fraction")] == [0, 0, 0]
    assert chosen["threshold"] == 0.05


@pytest.mark.parametrize(("n", "share"), [(100_000, 0.002), (2000, 0.1), (50, 0.1)])
def test_no_more_than_200_are_held_out_from_a_training_that_takes_seconds_a_sample(n, share):
    assert get_preset("paper").training(n)["validation_fraction"] == share


def test_every_preset_is_of_known_parameters():
    for preset in PRESETS.values():
        assert set(preset.training(100)) <= set(StatsVAETransformer().get_params())


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match="'matvae' and 'paper', but 'papers' was given"):
        get_preset("papers")
