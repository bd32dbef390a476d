"""Figures and tables of the lines benchmark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matvae.report import embed_figure, result_cells
from matvae.report.panels import lines

from ..benchmark_parts import parts, result


def image(axes):
    return np.asarray(axes.get_images()[0].get_array())


def test_only_percentages_of_the_paper_are_whole_numbers():
    published, pca, _ = result()["rows"]
    assert result_cells(published)[1:4] == ("98 %", "63 %", "17 %")
    assert result_cells({**pca, "orientation": 75.04})[1] == "75.0 %"


def test_the_method_is_drawn_from_left_to_right_on_a_common_scale():
    examples = parts().queries
    table = np.array(lines.method_figure(examples).axes).reshape(2, 5)
    for row, example in zip(table, examples, strict=True):
        expected = (example.original, example.statistics, example.reconstruction, example.reconstructed_statistics)
        for axes, values in zip(row[[0, 1, 3, 4]], expected, strict=True):
            np.testing.assert_array_equal(image(axes), values)
        limits = [axes.get_images()[0].get_clim() for axes in row[[1, 4]]]
        assert limits[0] == limits[1] == (0, example.statistics.max())
        assert [bar.get_height() for bar in row[2].patches] == example.latent.tolist()
    assert [row[0].get_ylabel() for row in table] == ["1 line", "2 lines"]


def test_training_is_drawn_in_minutes_for_the_recorded_terms_only():
    left, right = lines.training_figure(parts().history).axes
    curves = {line.get_label(): line.get_xydata() for line in left.lines}
    assert list(curves) == ["loss, weighted sum", "distance of statistics", "KL divergence"]
    np.testing.assert_allclose(curves["loss, weighted sum"], [[1, 2], [2, 1], [3, 2 / 3]])
    np.testing.assert_allclose(right.lines[0].get_xydata(), [[1, 0.5], [2, 0.25], [3, 0.5 / 3]])
    assert right.get_ylim()[0] == 0


def test_training_without_held_out_structures_is_drawn():
    records = [{name: value for name, value in r.items() if name != "validation_error"} for r in parts().history]
    assert not lines.training_figure(records).axes[1].lines


def test_the_traversal_has_a_row_for_each_component():
    traversal = parts().traversal
    strips = lines.traversal_figure(traversal, phases=2).axes
    assert len(strips) == 2
    for row, axes in enumerate(strips):
        pitch = (image(axes).shape[1] + 1) // 3
        for column in range(3):
            shown = image(axes)[:, column * pitch : column * pitch + 12]
            np.testing.assert_array_equal(shown, traversal.structures[row, column])
    assert [label.get_text() for label in strips[0].get_xticklabels()] == ["-1 s.d.", "start", "+1 s.d."]
    assert [axes.get_ylabel() for axes in strips] == ["component 3", "component 1"]


@pytest.mark.parametrize("n_components", [1, 2, 3])
def test_latents_are_coloured_by_number_of_lines(n_components):
    contents = parts()
    # The colours do not depend on the order of the samples.
    order = np.array([4, 0, 5, 1, 6, 2, 7, 3])
    shuffled = {"lines": contents.lines[order], "latents": contents.latents[order]}
    traversal = replace(contents.traversal, components=np.array([2, 0, 1])[:n_components])
    clouds = lines.latents_figure(replace(contents, traversal=traversal, **shuffled)).axes[0].collections
    assert [cloud.get_label() for cloud in clouds] == ["1 line", "2 lines"]
    expected = contents.latents[4:, [2, 0]]
    if n_components == 1:
        expected = np.column_stack([np.arange(4, 8), contents.latents[4:, 2]])
    np.testing.assert_array_equal(clouds[1].get_offsets(), expected)


def test_means_share_a_scale():
    left, right, registered, _ = lines.means_figure(parts().means).axes
    assert left.get_images()[0].get_clim() == right.get_images()[0].get_clim() == (0, 0.5)
    assert [image(axes).max() for axes in (left, right, registered)] == [0.25, 0.5, 0.375]


def test_volume_fractions_are_drawn_in_percent_with_the_diagonal():
    contents = parts()
    axes = lines.fractions_figure(contents).axes[0]
    np.testing.assert_allclose(axes.collections[0].get_offsets(), 100 * contents.fractions[:4])
    x, y = axes.lines[0].get_data()
    np.testing.assert_array_equal(x, y)


def test_every_figure_can_be_saved():
    contents = parts()
    figures = [
        lines.traversal_figure(contents.traversal, phases=2),
        lines.latents_figure(contents),
        lines.means_figure(contents.means),
        lines.fractions_figure(contents),
    ]
    assert all(embed_figure(figure).startswith("data:image/png;base64,") for figure in figures)
