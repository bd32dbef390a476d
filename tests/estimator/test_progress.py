"""Progress of a fit: lines in a terminal, one bar in a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import IPython.display
import pytest

from matvae.estimator.progress import epoch_text, in_notebook, progress_of

RECORDS = [
    {"epoch": n, "progress": n / 4, "seconds": 0.5 * n, "loss": 1 / n, "validation_error": 0.25} for n in range(1, 5)
]


@pytest.fixture
def notebook(monkeypatch) -> list[tuple[str, object]]:
    """Pretend to run for a notebook, and record what it shows."""
    shown: list[tuple[str, object]] = []

    def display(content, display_id):
        assert display_id is True
        shown.append(("new", content))
        return SimpleNamespace(update=lambda content: shown.append(("update", content)))

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", display)
    return shown


def test_elsewhere_every_epoch_is_a_line(capsys):
    show = progress_of(True)
    for record in RECORDS:
        show(record)
    assert capsys.readouterr().out.splitlines() == [epoch_text(record) for record in RECORDS]
    assert epoch_text(RECORDS[1]) == "epoch    2   50%      1.0 s  loss 0.5000  held-out error 0.2500"
    without = {name: value for name, value in RECORDS[1].items() if name != "validation_error"}
    assert epoch_text(without) == "epoch    2   50%      1.0 s  loss 0.5000"


def test_a_notebook_shows_one_bar_that_is_replaced(notebook, capsys):
    show = progress_of(True)
    for record in RECORDS:
        show(record)
    assert [kind for kind, _ in notebook] == ["new", "update", "update", "update"]
    assert capsys.readouterr().out == ""
    last = notebook[-1][1]
    assert 'value="1.0000"' in last._repr_html_()
    assert "held-out error 0.2500" in last._repr_html_()
    assert repr(last) == epoch_text(RECORDS[-1])


def test_two_fits_have_a_bar_each(notebook):
    for _ in range(2):
        progress_of(True)(RECORDS[0])
    assert [kind for kind, _ in notebook] == ["new", "new"]


def test_a_function_is_called_and_false_shows_nothing(capsys):
    records: list[object] = []
    progress_of(records.append)(RECORDS[0])
    progress_of(False)(RECORDS[0])
    assert records == [RECORDS[0]]
    assert capsys.readouterr().out == ""


def test_a_terminal_is_not_a_notebook(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=None))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
