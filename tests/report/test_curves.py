"""The numbers of a training, one point a record."""

from __future__ import annotations

from matplotlib.figure import Figure

from matvae.report import plot_history


def test_loss_and_held_out_error_are_drawn_against_passes():
    axes = Figure().subplots()
    history = [{"loss": 2.0, "validation_error": 0.5}, {"loss": 1.0}, {"loss": 0.5, "validation_error": 0.25}]
    assert plot_history(axes, history) is axes
    loss, held_out = axes.lines
    assert (list(loss.get_xdata()), list(loss.get_ydata())) == ([1, 2, 3], [2.0, 1.0, 0.5])
    assert (list(held_out.get_xdata()), list(held_out.get_ydata())) == ([1, 3], [0.5, 0.25])
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "error of held-out structures"]


def test_other_numbers_and_none_at_all():
    axes = plot_history(Figure().subplots(), [{"kl": 3.0}], keys={"kl": "divergence"})
    assert [line.get_label() for line in axes.lines] == ["divergence"]
    assert not plot_history(Figure().subplots(), [{"epoch": 1}]).lines
