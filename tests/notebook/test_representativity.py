"""The figure on sizes of windows: its points are the measured values, in units of length."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.data.datasets.grf import gaussian_field
from matvae.evaluate import representative_windows


@pytest.fixture(scope="module")
def found():
    field = gaussian_field(np.random.default_rng(0).standard_normal((96, 128)), (2, 4))
    grid = Grid((96, 128), voxel_size=(0.5, 0.25), unit="micrometer", periodic=False)
    return representative_windows(Structures((field > 0.3).astype(np.uint8)[None], grid), tolerance=0.1)


def test_the_figure_shows_the_spread_of_windows_against_their_edge(found):
    fractions, errors, lengths = found.plot().axes
    assert fractions.get_xlabel() == "edge of a window / µm"
    assert lengths.get_ylabel() == "correlation length / µm"
    (points, *_) = fractions.containers[0]
    expected = {
        (size.shape[0] * 0.5 * size.shape[1] * 0.25) ** 0.5: size.phases[0].volume_fraction.sd for size in found.sizes
    }
    np.testing.assert_allclose(points.get_xdata(), sorted(expected))
    np.testing.assert_allclose(points.get_ydata(), [expected[edge] for edge in sorted(expected)])
    assert [text.get_text() for text in errors.get_legend().get_texts()] == [
        "specific surface, lines along y",
        "specific surface, lines along x",
        "2-point statistics",
    ]


def test_what_follows_for_the_windows_is_printed(found):
    text = repr(found)
    window = " x ".join(map(str, found.recommended.window))
    assert f"window               {window} voxels" in text
    assert f"{found.recommended.n_needed} for volume fractions to 10 %" in text
    assert "None" not in text
    assert "micrometer" in text
