"""Figures of a benchmark draw the numbers they are given, each where it belongs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matvae.report import benchmark_figures as figures
from matvae.report import embed_figure

from .benchmark import parts


def image(axes):
    return np.asarray(axes.get_images()[0].get_array())


def test_the_method_goes_from_left_to_right_on_one_scale():
    examples = parts().queries
    table = np.array(figures.plot_method(examples).axes).reshape(2, 5)
    for row, one in zip(table, examples, strict=True):
        expected = (one.original, one.statistics, one.reconstruction, one.reconstructed_statistics)
        for axes, values in zip(row[[0, 1, 3, 4]], expected, strict=True):
            np.testing.assert_array_equal(image(axes), values)
        limits = [axes.get_images()[0].get_clim() for axes in row[[1, 4]]]
        assert limits[0] == limits[1] == (0, one.statistics.max())
        assert [bar.get_height() for bar in row[2].patches] == one.latent.tolist()
    assert [row[0].get_ylabel() for row in table] == ["1 line", "2 lines"]


def test_history_is_in_minutes_and_only_of_terms_that_are_there():
    left, right = figures.plot_history(parts().history).axes
    drawn = {line.get_label(): line.get_xydata() for line in left.lines}
    assert list(drawn) == ["loss, weighed sum", "distance of statistics", "KL divergence"]
    np.testing.assert_allclose(drawn["loss, weighed sum"], [[1, 2], [2, 1], [3, 2 / 3]])
    np.testing.assert_allclose(right.lines[0].get_xydata(), [[1, 0.5], [2, 0.25], [3, 0.5 / 3]])
    assert right.get_ylim()[0] == 0


def test_a_history_without_held_out_structures_is_drawn():
    records = [{name: value for name, value in r.items() if name != "validation_error"} for r in parts().history]
    assert not figures.plot_history(records).axes[1].lines


def test_the_walk_has_a_row_for_each_component():
    given = parts()
    table = np.array(figures.plot_walk(given).axes).reshape(2, 3)
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(image(table[index]), given.traversal.structures[index])
    assert [axes.get_title() for axes in table[0]] == ["-1 s.d.", "start", "+1 s.d."]
    assert [row[0].get_ylabel() for row in table] == ["component 3", "component 1"]


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_latents_are_drawn_by_number_of_lines(n_components):
    given = parts()
    given = replace(given, traversal=replace(given.traversal, components=np.array([2, 0, 1])[:n_components]))
    drawn = figures.plot_latents(given).axes[0].collections
    assert [one.get_label() for one in drawn] == ["1 line", "2 lines"]
    columns = [2, [2, 0, 0][n_components - 1]]
    np.testing.assert_array_equal(drawn[1].get_offsets(), given.latents[4:, columns])


def test_means_have_one_scale():
    left, right, moved, _ = figures.plot_means(parts()).axes
    assert left.get_images()[0].get_clim() == right.get_images()[0].get_clim() == (0, 0.5)
    assert [image(axes).max() for axes in (left, right, moved)] == [0.25, 0.5, 0.375]


def test_volume_fractions_are_in_percent_beside_the_diagonal():
    given = parts()
    axes = figures.plot_fractions(given).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_offsets(), 100 * given.fractions[:4])
    x, y = axes.lines[0].get_data()
    np.testing.assert_array_equal(x, y)


def test_every_figure_can_be_saved():
    given = parts()
    for make in (figures.plot_walk, figures.plot_latents, figures.plot_means, figures.plot_fractions):
        assert embed_figure(make(given)).startswith("data:image/png;base64,")
