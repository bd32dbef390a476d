"""A decoder of a plugin can be fitted, saved, loaded, searched and reported without changes to the core."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest
from torch import nn

import matvae
from matvae.grid import Grid
from matvae.jobs import report_model
from matvae.model import DECODERS, Decoder
from matvae.optimize import optimize_latents, reach

from ..structures import blobs


class LinearDecoder(Decoder):
    """One linear layer from the latent to all voxels."""

    @classmethod
    def plan(cls, spec, batches):
        return {"sharpness": 2.0 if spec.phases == 2 else 1.0}

    def __init__(self, spec):
        super().__init__()
        self.shape, self.sharpness = (spec.channels, *spec.shape), spec.decoder_options["sharpness"]
        self.layer = nn.Linear(spec.n_components, int(np.prod(self.shape)))

    def forward(self, z, factors=None):
        return self.sharpness * self.layer(z).view(-1, *self.shape)


@pytest.fixture
def _installed(monkeypatch):
    """Register the decoder as if its package were installed."""
    point = EntryPoint("linear", f"{__name__}:LinearDecoder", "matvae.decoders")
    monkeypatch.setattr("matvae.registry.entry_points", lambda group: [point] if group == point.group else [])
    monkeypatch.setattr(DECODERS, "targets", type(DECODERS)(DECODERS.kind, DECODERS.group, DECODERS.builtin).targets)


@pytest.mark.usefixtures("_installed")
def test_a_decoder_of_a_plugin_works_in_every_step(tmp_path):
    fractions = np.random.default_rng(0).uniform(0.2, 0.8, 80)
    X = blobs(80, (12, 12), width=1.0, volume_fraction=fractions)
    matvae.save_structures(tmp_path / "x.zarr", X, grid=Grid((12, 12)))
    model = matvae.StatsVAETransformer(n_components=2, decoder="linear", width=16, max_epochs=20, random_state=0).fit(X)
    assert isinstance(model.module_.decoder, LinearDecoder)

    model.save(tmp_path / "m.matvae")
    loaded = matvae.load(tmp_path / "m.matvae")
    assert loaded.module_.spec.decoder_options == {"sharpness": 2.0}
    Z = model.transform(X)
    np.testing.assert_array_equal(loaded.transform(X), Z)
    np.testing.assert_array_equal(loaded.inverse_transform(Z), model.inverse_transform(Z))

    candidates = optimize_latents(loaded, reach("volume_fraction", 0.4), n_candidates=2, random_state=0)
    np.testing.assert_allclose(candidates.structures.mean((1, 2)), 0.4, atol=0.05)

    result = report_model(tmp_path / "m.matvae", tmp_path / "x.zarr", tmp_path / "report.html")
    assert np.isfinite(result["relative_error"])
    assert "linear" in (tmp_path / "report.html").read_text()
