"""Designs: targets within reach are reached, others are missed and it is said."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.estimator import FittedModel
from matvae.explore.design import read_targets


def test_a_target_is_reached_by_the_decoder_of_the_latent(explorer, texture_model):
    found = explorer.designer.reach({"volume_fraction(phase=1)": 0.45})
    decoded = FittedModel.of(texture_model).descriptors(found.latent[None])["volume_fraction"][0, 1]
    assert decoded == pytest.approx(0.45, abs=0.005)
    assert found.predicted["volume_fraction(phase=1)"] == pytest.approx(decoded, abs=1e-4)
    assert found.miss < 0.1


def test_the_latent_stays_where_the_model_is_trustworthy(explorer):
    found = explorer.designer.reach({"volume_fraction(phase=1)": 0.99})
    assert found.miss > 1
    assert float(explorer.known.region.score(torch_row(found.latent))[0]) <= 1.001


def test_a_decoder_of_structures_is_searched_as_well(layout_explorer, layout_model):
    fraction = float(layout_model.inverse_transform(np.float32([[0.8, -0.5]]), as_fractions=True)[0, 1].mean())
    found = layout_explorer.designer.reach({"volume_fraction(phase=1)": fraction})
    again = layout_model.inverse_transform(found.latent[None], as_fractions=True)[0, 1].mean()
    assert again == pytest.approx(fraction, abs=0.005)


def test_predictions_are_those_of_the_decoder(explorer, texture_model):
    latents = explorer.known.latents[:3].astype(np.float32)
    names = ["specific_surface(phase=1)", "volume_fraction(phase=1)"]
    found = explorer.designer.predict(names, latents)
    decoded = texture_model.inverse_descriptors(latents)
    np.testing.assert_allclose(found[:, 1], decoded["volume_fraction"][:, 1], rtol=1e-5)
    assert found.shape == (3, 2)


@pytest.mark.parametrize("targets", [{}, {"strength": 1.0}])
def test_unknown_targets_are_refused(explorer, targets):
    with pytest.raises(InputError, match="Targets are one or more of volume_fraction"):
        read_targets({"targets": targets}, explorer.known.measures)


def torch_row(latent):
    import torch

    return torch.from_numpy(np.asarray(latent, np.float32)[None])
