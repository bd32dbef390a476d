"""Entry points of the plugin, and loading of models that were saved when its parts belonged to matvae."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import matvae
from matvae.errors import PluginError
from matvae.model import DECODERS, ENCODERS
from matvae_boxes.decoder import BoxesDecoder
from matvae_boxes.encoder import PursuitEncoder

WRITTEN = Path(__file__).with_name("version_0_1")


def test_parts_are_found_by_name():
    assert ENCODERS.get("pursuit") is PursuitEncoder
    assert DECODERS.get("boxes") is BoxesDecoder


def test_a_model_of_version_0_1_gives_the_same_results():
    model, expected = matvae.load(WRITTEN / "pursuit_boxes.matvae"), np.load(WRITTEN / "pursuit_boxes.npz")
    assert model.module_.spec.decoder_options == {"boxes": 2}
    np.testing.assert_allclose(model.transform(expected["X"]), expected["latents"], atol=1e-3)
    assert np.mean(model.inverse_transform(expected["latents"]) == expected["structures"]) > 0.99
    np.testing.assert_allclose(model.inverse_statistics(expected["latents"]), expected["statistics"], atol=1e-4)


def test_loading_without_the_plugin_names_the_missing_encoder(monkeypatch):
    for registry in (ENCODERS, DECODERS):
        monkeypatch.setattr(registry, "targets", registry.builtin)
    with pytest.raises(
        PluginError, match=r"no encoder called 'pursuit'.*If a plugin provides it, install that package\."
    ):
        matvae.load(WRITTEN / "pursuit_boxes.matvae")
