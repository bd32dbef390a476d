"""Figures as files: checked before any work, with text that can be edited, and twice the pixels of a screen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from matvae.errors import InputError
from matvae.jobs.files.figures import check_figure, save_figure
from matvae.report.style import new_figure


@pytest.fixture
def figure():
    drawn = new_figure(3, 2, dpi=100)
    drawn.subplots().set_xlabel("lag / voxel")
    return drawn


def test_text_in_vector_graphics_stays_text(figure, tmp_path):
    save_figure(figure, tmp_path / "a.svg")
    assert ">lag / voxel</text>" in (tmp_path / "a.svg").read_text()
    save_figure(figure, tmp_path / "a.pdf")
    # Type 42 fonts are TrueType; those of type 3 cannot be edited.
    assert b"/Type3" not in (tmp_path / "a.pdf").read_bytes()


def test_an_image_has_twice_the_pixels_of_a_screen(figure, tmp_path):
    save_figure(figure, tmp_path / "a.png")
    assert int.from_bytes((tmp_path / "a.png").read_bytes()[16:20], "big") == 600


@pytest.mark.parametrize(("name", "style", "match"), [("a.doc", "single", r"\.png"), ("a.png", "poster", "'single'")])
def test_endings_and_styles_are_checked_before_any_work(tmp_path, name, style, match):
    with pytest.raises(InputError, match=match):
        check_figure(tmp_path / name, [], style=style)


def test_a_style_is_checked_even_where_no_figure_is_asked_for():
    assert check_figure(None, []) is None
    with pytest.raises(InputError, match="figure_style"):
        check_figure(None, [], style="poster")


def test_without_a_figure_nothing_slow_is_imported():
    code = "from matvae.jobs.files.figures import check_figure; check_figure(None, []); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout.split()
