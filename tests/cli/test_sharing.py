"""The commands card, push and pull, and pretrained models wherever a model is expected."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import StatsVAETransformer

from ..jobs.hub_server import TOKEN, serving


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).integers(0, 2, (12, 8, 8), dtype=np.uint8)
    fitted = StatsVAETransformer(n_components=2, decoder="dense", width=8, max_epochs=1, random_state=0).fit(X)
    fitted.save("m.matvae")
    return "m.matvae"


def test_a_card_is_corrected_and_shown(matvae, model):
    assert "licence of the data   not known" in matvae("card", model).out
    ran = matvae("card", model, "--licence", "CC BY 4.0", "--limits", "Metals.")
    assert ran.code == 0, ran.err
    assert "licence of the data   CC BY 4.0" in ran.out
    shown = matvae("info", model).out
    assert "do not use it for     Metals." in shown
    assert json.loads(matvae("card", model, "--json").out)["sha256"] in shown


def test_the_command_that_push_prints_pulls_the_same_model(matvae, model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with serving() as hub:
        pushed = matvae("push", model, "me/m", "--public", "--endpoint", hub.endpoint)
        assert pushed.code == 0, pushed.err
        assert hub.private == {"me/m": False}
        assert "states no licence" in pushed.err
        words = pushed.out.splitlines()[-1].split()
        assert words[:2] == ["matvae", "pull"]
        pulled = matvae(*words[1:], "--out", "again.matvae", "--endpoint", hub.endpoint)
        assert pulled.code == 0, pulled.err
        assert pulled.out.splitlines()[-1] == pushed.out.splitlines()[-1]
        refused = matvae("pull", "me/m", "-o", "no.matvae", "--endpoint", hub.endpoint, "--sha256", "0" * 64)
        assert (refused.code, refused.out) == (3, "")
        assert "is not the expected one" in refused.err


def test_pretrained_models_are_named_where_a_model_is_expected(matvae, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "CC BY 4.0" in matvae("info", "pretrained:alloy").out
    np.savetxt("z.csv", np.zeros((1, 5)), delimiter=",", header="z0,z1,z2,z3,z4", comments="")
    ran = matvae("inverse", "pretrained:alloy", "z.csv", "-o", "out.zarr")
    assert ran.code == 0, ran.err
    assert "64 x 64 voxels" in ran.out
    wrong = matvae("info", "pretrained:granite")
    assert wrong.code == 2
    assert "no pretrained model 'granite'; known are alloy" in wrong.err
    missing = matvae("card", "missing.matvae")
    assert missing.code == 2
    assert "'missing.matvae' does not exist" in missing.err
