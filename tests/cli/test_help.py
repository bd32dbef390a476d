"""Help pages at the width of a terminal: short, complete, and true."""

from __future__ import annotations

import pytest
import typer

from matvae.cli.app import app
from matvae.cli.help import without_repetition
from matvae.cli.wording import find_command

COMMANDS = [
    *[(name,) for name in ("import", "export", "info", "stats", "fit", "transform", "inverse", "reconstruct")],
    *[(name,) for name in ("evaluate", "compare", "optimize", "report", "representative", "explore")],
    ("dataset", "make"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_is_cut_off_or_repeated_at_80_columns(matvae, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    ran = matvae(*words, "--help")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    # Rich ends what it cuts off with one character.
    assert "\u2026" not in ran.out
    assert "env var" not in ran.out
    # Of --help alone, which is added later.
    assert ran.out.count("<bool>") <= 1
    assert "MATVAE_" + "_".join(words).upper() in ran.out


def test_defaults_and_names_of_parts_are_legible_at_80_columns(matvae, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = matvae("fit", "--help").out
    for word in ("surface_area,", "lineal_path,", "variogram", "resnet152", "convolutional", "volume-fraction"):
        assert word in out


def test_options_of_import_are_grouped_by_what_is_imported(matvae, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    groups = {}
    for line in matvae("import", "--help").out.splitlines():
        if line.startswith("╭─ "):
            options = groups.setdefault(line.strip("╭╮─ "), [])
        elif line.startswith("│ --"):
            options.append(line.split()[1])
    assert groups["Windows"] == ["--region", "--window", "--stride", "--spatial-dims"]
    assert groups["Grey images"] == ["--threshold", "--threshold-per", "--denoise", "--min-size", "--figure"]
    assert groups["Raw binary files"] == ["--shape", "--dtype", "--byteorder", "--offset"]
    assert "--phase-values" in groups["Options"]


def test_the_variable_that_help_names_sets_its_option(matvae, store, tmp_path, monkeypatch):
    command = find_command(without_repetition(typer.main.get_command(app)), ["stats"])
    assert "MATVAE_STATS_OUT for --out" in command.epilog
    monkeypatch.setenv("MATVAE_STATS_OUT", str(tmp_path / "s.zarr"))
    assert matvae("stats", store).code == 0
    assert (tmp_path / "s.zarr").is_dir()


def test_flags_are_still_flags(matvae, store, tmp_path):
    arguments = ("stats", store, "-o", tmp_path / "s.zarr", "--no-periodic", "--cutoff", 2)
    assert "not periodic" in matvae(*arguments).out
    assert matvae(*arguments).code == 3
    assert matvae(*arguments, "--overwrite").code == 0
