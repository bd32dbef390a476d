from __future__ import annotations

import pytest

from matvae import StatsVAETransformer
from matvae.errors import PluginError
from matvae.jobs.benchmark.presets import PAPER, PRESETS, Preset, companions

COMPANION = Preset("third", {}, is_companion=True)


def test_matvae_keeps_the_default_parts_and_loss():
    chosen = StatsVAETransformer(**PRESETS.get("matvae").training(100_000)).get_params()
    default = StatsVAETransformer().get_params()
    kept = ("encoder", "decoder", "loss", "short_range", "n_components")
    assert {name: chosen[name] for name in kept} == {name: default[name] for name in kept}
    assert not PRESETS.get("matvae").takes_weights
    assert PRESETS.get("paper").takes_weights


def test_companions_of_plugins_go_with_the_default_preset_only(monkeypatch):
    builtin = PRESETS.targets
    assert companions("matvae") == companions("paper") == {}
    monkeypatch.setattr(PRESETS, "targets", {**builtin, "third": f"{__name__}:COMPANION"})
    monkeypatch.setattr(PRESETS, "get", lambda name: COMPANION if name == "third" else PAPER)
    assert companions("matvae") == {"third": COMPANION}
    assert companions("paper") == {}


def test_the_paper_is_equation_1_and_3_and_nothing_beside():
    chosen = StatsVAETransformer(**PRESETS.get("paper").training(100_000)).get_params()
    assert (chosen["encoder"], chosen["decoder"], chosen["loss"]) == ("resnet152", "convolutional", "absolute")
    assert [chosen[name] for name in ("short_range", "mixing", "aligned_fraction")] == [0, 0, 0]
    assert chosen["threshold"] == 0.05


@pytest.mark.parametrize(("n", "share"), [(100_000, 0.002), (2000, 0.1), (50, 0.1)])
def test_no_more_than_200_are_held_out_from_a_training_that_takes_seconds_a_sample(n, share):
    assert PRESETS.get("paper").training(n)["validation_fraction"] == share


def test_every_preset_is_of_known_parameters():
    for name in PRESETS.names():
        assert set(PRESETS.get(name).training(100)) <= set(StatsVAETransformer().get_params())


def test_an_unknown_preset_is_refused():
    with pytest.raises(PluginError, match=r"no preset called 'papers'.*Did you mean 'paper'"):
        PRESETS.get("papers")
