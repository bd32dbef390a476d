"""Previews: the decoded statistics approximately, and quickly."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import two_point_stats
from matvae.estimator import FittedModel


def test_the_structure_has_nearly_the_decoded_statistics_and_follows_the_latent(explorer, texture_model):
    # Between two windows, so that none has these statistics.
    z = explorer.known.latents[[3, 11]].mean(0)
    shown = explorer.previewer.of(z)
    decoded = FittedModel.of(texture_model).decoded_statistics(z[None])[0]
    assert np.array_equal(shown.statistics, decoded)
    nearest = explorer.known.structures[explorer.previewer.nearest(z)]
    own = two_point_stats(np.stack([shown.structure, nearest]), periodic=False, cutoff=8)
    error, of_nearest = np.linalg.norm((own - decoded).reshape(2, -1), axis=1) / np.linalg.norm(decoded)
    assert error < 0.8 * of_nearest
    moved = explorer.previewer.of(z + np.float32([1.0, 0, 0]))
    assert (moved.structure != shown.structure).mean() > 0.01


def test_predicted_measures_are_those_of_the_decoder(explorer, texture_model):
    z = explorer.known.latents[5]
    shown = explorer.previewer.of(z)
    decoded = FittedModel.of(texture_model).descriptors(z[None])
    assert shown.values[0] == pytest.approx(decoded["volume_fraction"][0, 1], abs=1e-5)
    assert shown.values[1] == pytest.approx(decoded["surface_area"][0, 1] / 0.5, rel=1e-4)
    assert np.isfinite(shown.values[2])


def test_the_nearest_known_structure_is_that_of_the_latent_itself(explorer, layout_explorer):
    assert explorer.previewer.nearest(explorer.known.latents[7]) == 7
    assert layout_explorer.previewer.nearest(np.zeros(2)) is None


def test_a_decoder_of_structures_is_its_own_preview(layout_explorer, layout_model):
    z = np.array([0.5, -1.0], np.float32)
    shown = layout_explorer.previewer.of(z)
    assert np.array_equal(shown.structure, layout_model.inverse_transform(z[None])[0])
    assert shown.values[0] == pytest.approx(shown.structure.mean())
