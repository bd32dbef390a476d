"""Pictures in a terminal, with colours and without."""

from __future__ import annotations

import sys

from matvae.cli.picture import show_picture

PICTURE = {"pixels": [[0.0, 1.0, None], [0.0, 0.0, None]], "normal": "z"}


def test_without_colours_characters_tell_dark_from_bright(capsys):
    show_picture(PICTURE)
    assert capsys.readouterr().out == " =?\nsection through the centre, normal to z\n"


def test_with_colours_a_character_shows_two_pixels(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show_picture({**PICTURE, "normal": None})
    out = capsys.readouterr().out
    assert out.count("▀") == 3
    assert "38;2;255;255;255" in out
    assert "48;2;0;0;0" in out
    assert not sys.stdout.isatty()
