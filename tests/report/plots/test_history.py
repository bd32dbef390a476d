"""Plots of the training history."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from matvae.errors import InputError
from matvae.report import plot_history

HISTORY = [
    {"seconds": 30.0, "loss": 2.0, "validation_error": 0.5},
    {"seconds": 60.0, "loss": 1.0},
    {"seconds": 90.0, "loss": 0.5, "validation_error": 0.25},
]


def test_loss_and_held_out_error_are_drawn_against_epochs():
    axes = Figure().subplots()
    assert plot_history(axes, HISTORY) is axes
    loss, error = axes.lines
    assert (list(loss.get_xdata()), list(loss.get_ydata())) == ([1, 2, 3], [2.0, 1.0, 0.5])
    assert (list(error.get_xdata()), list(error.get_ydata())) == ([1, 3], [0.5, 0.25])
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "epoch"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "error of held-out structures"]


def test_time_is_in_minutes_and_a_linear_scale_starts_at_zero():
    axes = plot_history(Figure().subplots(), HISTORY, keys={"loss": "loss"}, minutes=True, scale="linear")
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[0.5, 2.0], [1.0, 1.0], [1.5, 0.5]])
    assert axes.get_xlabel() == "minutes of training"
    assert axes.get_xlim()[0] == 0
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > 2


def test_other_keys_are_drawn_and_records_may_be_empty():
    axes = plot_history(Figure().subplots(), [{"kl": 3.0}], keys={"kl": "divergence"})
    assert [line.get_label() for line in axes.lines] == ["divergence"]
    assert not plot_history(Figure().subplots(), [{"epoch": 1}]).lines


def test_an_unknown_scale_is_rejected():
    with pytest.raises(InputError, match="scale must be one of 'log', 'linear', but 'square' was given"):
        plot_history(Figure().subplots(), HISTORY, scale="square")
