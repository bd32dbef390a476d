from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matvae.report import plot_window_sizes
from matvae.report.style import new_figure


def test_values_are_drawn_in_order_of_size_with_theory_and_the_whole():
    axes = new_figure(4, 3).subplots()
    plot_window_sizes(
        axes,
        [32.0, 8.0, 16.0],
        {"x": [1.0, 4.0, None]},
        expected={"x": [1.1, 4.1, 2.1]},
        whole={"x": 0.5},
        chosen=16.0,
        unit="µm",
        log=True,
    )
    measured, theory, whole, chosen = axes.lines[0], *axes.lines[-3:]
    np.testing.assert_array_equal(measured.get_xdata(), [8, 16, 32])
    np.testing.assert_array_equal(measured.get_ydata(), [4, np.nan, 1])
    np.testing.assert_array_equal(theory.get_ydata(), [4.1, 2.1, 1.1])
    assert set(whole.get_ydata()) == {0.5}
    assert set(chosen.get_xdata()) == {16.0}
    assert axes.get_xlabel() == "edge of a window / µm"
    assert axes.get_yscale() == "log"
