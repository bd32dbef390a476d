"""The reference model shipped with the plugin: size, and accuracy as stated on its page."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import load
from matvae.data.datasets.lines import Lines
from matvae.evaluate import LineErrors, VolumeFractionError, line_element
from matvae_boxes import REFERENCE


@pytest.fixture(scope="module")
def unseen():
    """Images, and numbers of horizontal and vertical lines, from a seed used neither in training nor for the page."""
    generator, rng = Lines(), np.random.default_rng(5)
    images, properties = zip(*(generator.sample(rng) for _ in range(64)), strict=True)
    return np.stack(images), np.array([[p["n_horizontal"], p["n_vertical"]] for p in properties])


def test_the_model_is_smaller_than_20_mb():
    assert sum(file.stat().st_size for file in REFERENCE.iterdir()) < 20e6


def test_errors_are_as_small_as_the_page_states(unseen):
    X, numbers = unseen
    model = load(REFERENCE)
    reconstructions = model.inverse_transform(model.transform(X))
    lines, fractions = LineErrors(line_element(X.shape[1:])), VolumeFractionError()
    lines.add(X, reconstructions, numbers)
    fractions.add(X, reconstructions)
    # A proportion of 98 % of 64 images has a standard error of 2 %. PCA with as many components has an error of 0.48.
    assert lines.summary()["number"] > 92
    assert lines.summary()["orientation"] > 95
    assert fractions.percent < 2
    assert model.score(X) > -0.05


def test_reconstructions_have_no_line_in_common(unseen):
    X = unseen[0]
    model = load(REFERENCE)
    reconstructions = model.inverse_transform(model.transform(X))
    # A voxel common to all reconstructions would have a mean of 1.
    assert reconstructions.mean(0).max() < 2 * X.mean(0).max()
