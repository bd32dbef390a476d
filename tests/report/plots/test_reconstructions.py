"""Figures of reconstructions show structures and statistics on common scales."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, two_point_stats
from matvae.errors import InputError
from matvae.report import plot_reconstructions


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize(("shape", "phases"), [((20,), 2), ((8, 12), 2), ((8, 12), 3), ((6, 8, 10), 2)])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_statistics_of_a_row_share_a_scale(shape, phases, periodic, difference):
    rng = np.random.default_rng(0)
    X, Y = rng.integers(0, phases, size=(2, 3, *shape)).astype(np.uint8)
    options = {"spatial_dims": len(shape), "phases": phases, "periodic": periodic}
    f, g = (two_point_stats(structures, **options) for structures in (X, Y))
    grid = Grid(shape, phases=phases, voxel_size=0.5, unit="micrometer")
    figure = plot_reconstructions(X, Y, f, g, grid=grid, correlations=[(1, 1)], difference=difference)
    columns = 5 if difference else 4
    table = np.array(figure.axes[: 3 * columns]).reshape(3, columns)
    assert [axes.get_title() for axes in table[0]] == [
        "original",
        "reconstruction",
        "statistics of\nthe original (1, 1)",
        "statistics of\nthe reconstruction (1, 1)",
        "difference",
    ][:columns]
    for row in range(3):
        relative = np.linalg.norm(f[row] - g[row]) / np.linalg.norm(f[row])
        assert f"structure {row}\nerror {100 * relative:.0f} %" in table[row, 0].get_ylabel()
        if len(shape) == 1:
            assert table[row, 2].get_ylim() == table[row, 3].get_ylim()
        else:
            left, right = table[row, 2].images[0], table[row, 3].images[0]
            assert left.get_clim() == right.get_clim()
            assert left.get_clim()[1] >= max(f[row, ..., 0].max(), g[row, ..., 0].max())
    assert "µm" in table[0, 0].get_xlabel()
    figure.canvas.draw()


def test_the_difference_is_reconstruction_minus_original():
    f, g = np.random.default_rng(0).random((2, 1, 4, 4, 1))
    X = np.zeros((1, 4, 4), dtype=np.uint8)
    difference = plot_reconstructions(X, X, f, g, names=["a"], difference=True).axes[4]
    np.testing.assert_allclose(difference.images[0].get_array(), (g - f)[0, ..., 0])


def test_different_numbers_of_samples_are_rejected():
    with pytest.raises(InputError, match=r"they hold \(2, 1, 2, 2\) samples"):
        plot_reconstructions(*(np.zeros((n, 4, 4)) for n in (2, 1, 2, 2)))
