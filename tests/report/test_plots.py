"""Pictures show the right voxels and lags, on shared colours, with lengths in the grid's unit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from matvae import Grid, two_point_stats
from matvae.errors import InputError, MissingExtraError
from matvae.report import check_figure_format, plot_reconstructions, plot_statistics, plot_structure


@pytest.fixture
def axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.mark.parametrize(("shape", "phases"), [((20,), 2), ((8, 12), 2), ((8, 12), 3), ((6, 8, 10), 2)])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_figure_has_four_columns_on_common_limits(shape, phases, periodic):
    rng = np.random.default_rng(0)
    X, Y = rng.integers(0, phases, size=(2, 3, *shape)).astype(np.uint8)
    f, g = (two_point_stats(a, phases=phases, periodic=periodic) for a in (X, Y))
    grid = Grid(shape, phases=phases, voxel_size=0.5, unit="micrometer")
    figure = plot_reconstructions(X, Y, f, g, grid=grid, correlations=[(1, 1)])
    table = np.array(figure.axes[: 3 * 4]).reshape(3, 4)
    assert [a.get_title() for a in table[0]] == [
        "original",
        "reconstruction",
        "statistics of the original (1, 1)",
        "statistics of the reconstruction (1, 1)",
    ]
    for row in range(3):
        relative = np.linalg.norm(f[row] - g[row]) / np.linalg.norm(f[row])
        assert f"error {100 * relative:.0f} %" in table[row, 0].get_ylabel()
        if len(shape) == 1:
            assert table[row, 2].get_ylim() == table[row, 3].get_ylim()
        else:
            left, right = table[row, 2].images[0], table[row, 3].images[0]
            assert left.get_clim() == right.get_clim()
            assert left.get_clim()[1] >= max(f[row, ..., 0].max(), g[row, ..., 0].max())
    assert "µm" in table[0, 0].get_xlabel()
    figure.canvas.draw()


def test_zero_lag_is_at_zero_and_lengths_are_in_units(axes):
    f = np.zeros((8, 5))
    f[4, 2] = 1
    image = plot_statistics(axes, f, grid=Grid((8, 5), voxel_size=(2.0, 0.5), unit="nanometer"))
    left, right, bottom, top = image.get_extent()
    assert (left, right) == (-1.25, 1.25)
    assert (top, bottom) == (-9.0, 7.0)
    assert axes.get_xlabel() == "lag x / nm"
    assert axes.get_ylabel() == "lag y / nm"


def test_plots_of_structures_give_their_axes(axes):
    assert plot_structure(axes, np.array([[0, 1]])) is axes
    assert plot_structure(axes, np.array([0, 1])) is axes


def test_volumes_show_their_middle_slice(axes):
    volume = np.zeros((5, 4, 6), np.uint8)
    volume[2, 1, 3] = 1
    plot_structure(axes, volume, grid=Grid(volume.shape))
    np.testing.assert_array_equal(axes.images[0].get_array(), volume[2])
    assert axes.texts[0].get_text() == "z = 2 voxel"


def test_a_line_is_drawn_as_steps_and_lags(axes):
    plot_structure(axes, np.array([0, 1, 1, 0], np.uint8))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0, 1, 1, 0])
    plot_statistics(axes, np.array([0.1, 0.2, 0.5, 0.2]))
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [-2, -1, 0, 1])


def test_a_continuous_field_keeps_its_values(axes):
    field = np.random.default_rng(0).normal(size=(4, 4))
    plot_structure(axes, field)
    np.testing.assert_array_equal(axes.images[0].get_array(), field)


def test_counts_and_endings_are_checked():
    with pytest.raises(InputError, match=r"they hold \(2, 1, 2, 2\) samples"):
        plot_reconstructions(*(np.zeros((n, 4, 4)) for n in (2, 1, 2, 2)))
    with pytest.raises(InputError, match=r"picture\.doc"):
        check_figure_format("picture.doc")
    check_figure_format("picture.PDF")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[plot\]'"):
        check_figure_format("a.png")
