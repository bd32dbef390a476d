"""Results of evaluations print what they found, not the address of an object."""

from __future__ import annotations

import numpy as np

from matvae.evaluate import LineErrors, Scatter, StatisticsError, VolumeFractionError


def test_errors_print_their_values():
    f = np.ones((2, 4, 4, 1))
    errors = StatisticsError()
    errors.add(f, 1.5 * f)
    assert repr(errors).splitlines() == ["StatisticsError", "  samples         2", "  relative error  0.5, 0.5"]
    fractions = VolumeFractionError()
    assert "not defined" in repr(fractions)
    fractions.add(np.ones((1, 4), int), np.array([[1, 1, 1, 0]]))
    assert "25 %" in repr(fractions)
    scatter = Scatter()
    scatter.add(np.array([[[1.0]], [[3.0]]]))
    assert "sum of squared distances from the mean  2" in repr(scatter)


def test_errors_of_lines_print_percentages():
    images = np.zeros((1, 16, 16), int)
    images[0, 4] = 1
    errors = LineErrors(8)
    errors.add(images, images)
    text = repr(errors)
    assert "number       100" in text
    assert "element      8" in text
