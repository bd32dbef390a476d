from __future__ import annotations

import pytest

from matvae import StatsVAETransformer
from matvae.errors import PluginError
from matvae.jobs.benchmark.presets import PAPER, PRESETS, Preset, companions

COMPANION = Preset("third", {}, is_companion=True)


def test_matvae_keeps_the_default_encoder_and_loss_but_uses_the_separable_decoder():
    chosen = StatsVAETransformer(**PRESETS.get("matvae").training(100_000)).get_params()
    default = StatsVAETransformer().get_params()
    assert chosen["decoder"] == "separable"
    kept = ("encoder", "loss", "short_range", "n_components")
    assert {name: chosen[name] for name in kept} == {name: default[name] for name in kept}
    assert not PRESETS.get("matvae").takes_weights
    assert PRESETS.get("paper").takes_weights


def test_companions_from_plugins_accompany_only_the_default_preset(monkeypatch):
    builtin = PRESETS.targets
    assert companions("matvae") == companions("paper") == {}
    monkeypatch.setattr(PRESETS, "targets", {**builtin, "third": f"{__name__}:COMPANION"})
    monkeypatch.setattr(PRESETS, "get", lambda name: COMPANION if name == "third" else PAPER)
    assert companions("matvae") == {"third": COMPANION}
    assert companions("paper") == {}


def test_the_paper_preset_uses_equations_1_and_3_without_additional_terms():
    chosen = StatsVAETransformer(**PRESETS.get("paper").training(100_000)).get_params()
    assert (chosen["encoder"], chosen["decoder"], chosen["loss"]) == ("resnet152", "convolutional", "absolute")
    assert [chosen[name] for name in ("short_range", "mixing", "aligned_fraction")] == [0, 0, 0]
    assert chosen["threshold"] == 0.05


@pytest.mark.parametrize(("n", "share"), [(100_000, 0.002), (2000, 0.1), (50, 0.1)])
def test_the_paper_preset_holds_out_at_most_200_structures(n, share):
    assert PRESETS.get("paper").training(n)["validation_fraction"] == share


def test_presets_consist_of_parameters_of_the_estimator():
    for name in PRESETS.names():
        assert set(PRESETS.get(name).training(100)) <= set(StatsVAETransformer().get_params())


def test_an_unknown_preset_is_refused():
    with pytest.raises(PluginError, match=r"no preset called 'papers'.*Did you mean 'paper'"):
        PRESETS.get("papers")
