"""The preview of a segmentation shows the image, its phases and their histogram, without voxels outside the mask."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.report import plot_segmentation

GREY = np.arange(600.0).reshape(20, 30) % 200
LABELS = (GREY > 60).astype(np.uint8) + (GREY > 120)


def preview(values, mask=None, grey=GREY, labels=LABELS):
    counts = np.full(len(values), 3)
    return plot_segmentation(grey, labels, phases=3, values=values, counts=counts, thresholds=(60, 120), mask=mask).axes


@pytest.mark.parametrize(
    "values", [np.arange(200.0), np.arange(0.0, 65536, 7), np.linspace(0, 1, 4096), np.array([2.0])]
)
def test_the_histogram_holds_every_voxel_and_the_thresholds(values):
    _, _, histogram = preview(values)
    assert sum(bar.get_height() for bar in histogram.patches) == 3 * len(values)
    assert len(histogram.patches) <= 258
    assert [line.get_xdata()[0] for line in histogram.lines] == [60, 120]
    widths = {round(bar.get_width(), 6) for bar in histogram.patches}
    assert len(widths) == 1


def test_both_pictures_show_the_image_and_its_fractions():
    before, after, _ = preview(np.arange(200.0))
    np.testing.assert_array_equal(before.images[0].get_array(), GREY)
    np.testing.assert_array_equal(after.images[0].get_array(), LABELS)


def test_the_legend_says_which_colour_stands_for_which_grey_values_and_their_share():
    after = preview(np.arange(200.0))[1]
    (legend,) = after.figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    shares = [f"{100 * share:.1f} %" for share in np.bincount(LABELS.ravel()) / LABELS.size]
    assert names == [
        f"phase 0: grey values below 60, {shares[0]}",
        f"phase 1: grey values 60 to 120, {shares[1]}",
        f"phase 2: grey values above 120, {shares[2]}",
    ]
    colours = [patch.get_facecolor() for patch in legend.get_patches()]
    image = after.images[0]
    np.testing.assert_allclose(colours, image.cmap(image.norm(np.arange(3))), atol=1 / 255)


def test_voxels_outside_the_mask_are_blank_and_do_not_count():
    mask = GREY > 60
    before, after, _ = preview(np.arange(200.0), mask)
    for axes in (before, after):
        np.testing.assert_array_equal(np.ma.getmaskarray(axes.images[0].get_array()), ~mask)
    assert after.figure.legends[0].get_texts()[0].get_text() == "phase 0: grey values below 60, 0.0 %"


def test_a_line_is_drawn_as_a_band():
    before, _, _ = preview(np.arange(200.0), grey=GREY[0], labels=LABELS[0])
    assert before.images[0].get_array().shape == (1, 30)
