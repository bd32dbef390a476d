"""Figures of `plot`: the right structures, axes in units of length, a legend of the phases."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from matvae import Grid, Structures, plot_statistics, plot_structures, reconstruct, save_structures, two_point_stats
from matvae.errors import InputError
from matvae.notebook import plot_pictures
from matvae.pictured import pictures_of

X = np.zeros((6, 8, 12), np.uint8)
X[:, 2:4, 5:] = 1
X[3] = 1 - X[3]


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def test_structures_are_drawn_in_units_of_length_with_a_legend_of_phases():
    figure = Structures(X, Grid((8, 12), voxel_size=(0.5, 0.25), unit="micrometer")).plot(5)
    assert titles(figure) == [f"structure {i}" for i in range(5)]
    axes = figure.axes[3]
    np.testing.assert_array_equal(axes.images[0].get_array(), X[3])
    assert list(axes.images[0].get_extent()) == [0, 3, 4, 0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x / µm", "y / µm")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["phase 0", "phase 1"]


def test_a_volume_is_drawn_as_three_sections():
    volume = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 2
    figure = plot_structures(volume, 1)
    images = [axes.images[0].get_array() for axes in figure.axes]
    for image, section in zip(images, (volume[0, 1], volume[0, :, 2], volume[0, :, :, 2]), strict=True):
        np.testing.assert_array_equal(image, section)


@pytest.mark.parametrize("form", ["array", "structures", "path"])
def test_structures_in_any_form_give_the_same_figure(form, tmp_path):
    given = {"array": X, "structures": Structures(X, Grid((8, 12)))}.get(form)
    if form == "path":
        given = tmp_path / "x.zarr"
        save_structures(given, Structures(X, Grid((8, 12))))
    figure = plot_structures(given)
    assert titles(figure) == [f"structure {i}" for i in range(4)]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), X[3])


def test_voxels_outside_the_mask_are_blank():
    mask = np.ones(X.shape, bool)
    mask[:, :, 0] = False
    figure = plot_structures(Structures(X, Grid((8, 12)), mask=mask), 1)
    drawn = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~mask[0])


def test_a_single_structure_needs_the_number_of_axes():
    with pytest.raises(InputError, match="one dimension"):
        plot_structures(X[0])
    assert titles(plot_structures(X[0], spatial_dims=2)) == ["structure 0"]


def test_a_continuous_field_has_no_legend():
    figure = plot_structures(np.linspace(0, 1, 32).reshape(2, 4, 4))
    assert not figure.legends


@pytest.mark.parametrize("shape", [(8,), (2, 3, 4, 5, 6), (0, 4, 4)])
def test_what_is_no_set_of_structures_is_refused(shape):
    with pytest.raises(InputError, match=r"sample|empty"):
        plot_structures(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (X * 255, r"holds 0, 255\. Relabel it with numpy\.searchsorted\(\[0, 255\], X\)"),
        (2 * X.astype(int) - 1, r"holds -1, 1\. Relabel it"),
        (np.arange(0, 200, 2).reshape(1, 10, 10), r"like those of a grey-scale image: segment it first"),
        ([X[0], X[1, :5]], r"the parts of the list differ: \(5, 12\), \(8, 12\)"),
        (X.astype(str), "has the type <U"),
        (X.astype(object), "has the type object"),
        (X.astype(complex), "has the type complex128"),
        (np.ma.masked_equal(X, 1), r"masked one was given\. Pass matvae\.Structures\(X\.filled\(0\)"),
    ],
    ids=["0/255", "-1/1", "grey", "sizes", "str", "object", "complex", "masked"],
)
def test_what_are_no_labels_is_refused_with_advice(values, message):
    with pytest.raises(InputError, match=message):
        plot_structures(values)


def test_labels_that_do_not_occur_in_those_drawn_are_in_the_legend():
    (legend,) = plot_structures(2 * X).legends
    assert [text.get_text() for text in legend.get_texts()] == ["phase 0", "phase 1", "phase 2"]


def test_colours_are_warned_of():
    with pytest.warns(UserWarning, match="as long as that of colours"):
        plot_structures(np.zeros((2, 24, 32, 3), np.uint8))


def test_statistics_of_one_correlation_share_a_scale():
    grid = Grid((8, 12), voxel_size=(0.5, 0.25), unit="micrometer")
    f = two_point_stats(X, correlations=[(1, 1), (0, 1)])
    figure = plot_statistics(f, 2, grid=grid, correlations=[(1, 1), (0, 1)])
    axes = {each.get_title(): each for each in figure.axes if each.images}
    assert sorted(axes) == [f"structure {i}\nphases {pair}" for i in (0, 1) for pair in ("0 and 1", "1 and 1")]
    image = axes["structure 1\nphases 0 and 1"].images[0]
    np.testing.assert_array_equal(image.get_array(), f[1, ..., 1])
    assert image.get_clim() == (f[:2, ..., 1].min(), f[:2, ..., 1].max())
    assert axes["structure 0\nphases 1 and 1"].get_xlabel() == "lag x / µm"


def test_statistics_of_lines_and_volumes_are_drawn():
    line = plot_statistics(two_point_stats(X[:, 2], spatial_dims=1), 3)
    assert len(line.axes) == 3
    volume = plot_statistics(two_point_stats(X[None, :4]), 1)
    assert volume.axes[0].get_xlabel() == "lag x / voxel"


def test_statistics_that_do_not_fit_the_grid_or_the_pairs_are_refused():
    f = two_point_stats(X)
    with pytest.raises(InputError, match="3 axes of lags"):
        plot_statistics(f, grid=Grid((4, 4, 4)))
    with pytest.raises(InputError, match="there are 1, but 2"):
        plot_statistics(f, correlations=[(1, 1), (0, 1)])
    with pytest.raises(InputError, match="one to three axes of lags"):
        plot_statistics(f[0, 0, :1])


def test_a_reconstruction_draws_its_structures_with_their_errors():
    found = reconstruct(two_point_stats(X[:2]), grid=Grid((8, 12)), max_iter=5, random_state=0)
    figure = found.plot()
    assert titles(figure) == [f"structure {i}: error {100 * found.error[i]:.2g} %" for i in (0, 1)]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), found.structures[1])


def test_a_notebook_shows_figures_at_twice_the_resolution():
    figure = Structures(X, Grid((8, 12))).plot(2)
    png, size = figure._repr_png_()
    width = int.from_bytes(png[16:20], "big")
    assert png[:4] == b"\x89PNG"
    assert width == 2 * size["width"]


def test_a_figure_is_saved_at_twice_the_resolution_unless_another_is_given(tmp_path):
    figure = Structures(X, Grid((8, 12))).plot(2)
    on_screen = figure.get_size_inches() * figure.dpi
    figure.savefig(tmp_path / "figure.png")
    figure.savefig(tmp_path / "coarse.png", dpi=figure.dpi)
    assert Image.open(tmp_path / "figure.png").size == tuple((2 * on_screen).astype(int))
    assert Image.open(tmp_path / "coarse.png").size == tuple(on_screen.astype(int))


@pytest.mark.parametrize("style", ["screen", "single", "double"])
@pytest.mark.parametrize(
    "shape", [(1, 32, 32, 32), (1, 8, 40, 90), (2, 16, 16, 16), (4, 32, 32), (3, 20, 60), (1, 60, 20), (5, 40)]
)
def test_no_title_or_label_is_cut_off(shape, style):
    labels = np.random.default_rng(0).integers(0, 2, shape).astype(np.uint8)
    figure = plot_structures(labels, 9, spatial_dims=len(shape) - 1, figure_style=style)
    figure.draw_without_rendering()
    contents, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(contents.x0, contents.y0, width - contents.x1, height - contents.y1) >= 0


def test_long_names_are_wrapped_so_that_titles_do_not_overlap():
    names = "candidate 0: volume_fraction 0.3663, specific_surface 0.2782 1/voxel"
    figure = plot_pictures(pictures_of(X, Grid((8, 12)), [names]))
    (title,) = titles(figure)
    assert len(title.splitlines()) == 2
    assert title.startswith("candidate 0: volume_fraction\n0.3663")
