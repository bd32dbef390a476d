"""Messages of Python in the words of the command line."""

from __future__ import annotations

import numpy as np
import pytest
import typer

from matvae.cli.app import app
from matvae.cli.wording import find_command, reworded, wording_of

COMMANDS = typer.main.get_command(app)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('Choose decoder="convolutional".', "Choose --decoder convolutional."),
        ("Pass periodic=False, and a cutoff.", "Pass --no-periodic, and a cutoff."),
        ("Pass periodic=True or cutoff=16.", "Pass --periodic or --cutoff 16."),
        ("cutoff=(8, 16) asks for more", "--cutoff 8,16 asks for more"),
        ("half=True (--half)", "half=True (--half)"),
        ("cutoff=None was given", "cutoff=None was given"),
        ("half=False", "half=False"),
        ("state_axis=-1 and grid=Grid((8, 8), phases=2)", "state_axis=-1 and grid=Grid((8, 8), phases=2)"),
        ("validation_fraction=0.25", "--validation-fraction 0.25"),
        ("It is cutoff=(8, 16) (command line: --cutoff 8,16).", "It is --cutoff 8,16."),
        ("Use f=G('a', (1, 2)) of matvae.data (command line: matvae x).", "Use matvae x."),
        ("a=(0, float('nan')) or a='auto' (command line: --a 0,nan or auto)", "--a 0,nan or auto"),
        ("Take a larger one (command line: --cutoff).", "Take a larger one (command line: --cutoff)."),
    ],
)
def test_parameters_become_options_of_the_command(message, expected):
    assert reworded(message) == message
    with wording_of(find_command(COMMANDS, ["fit"])):
        assert reworded(message) == expected
    assert reworded(message) == message


def test_of_several_commands_the_first_has_precedence():
    with wording_of(find_command(COMMANDS, ["inverse"]), find_command(COMMANDS, ["fit"])):
        assert reworded('realize="retrieval" or decoder="statistics"') == "--realize retrieval or --decoder statistics"


def test_commands_are_found_in_groups_and_behind_options():
    assert find_command(COMMANDS, ["benchmark", "paper", "--quick"]).name == "paper"
    assert find_command(COMMANDS, ["--config", "x.toml", "stats", "fit"]).name == "stats"
    assert find_command(COMMANDS, []) is COMMANDS


def test_warnings_and_errors_of_a_command_name_its_options(matvae, tmp_path):
    texture = np.random.default_rng(0).random((24, 16, 16)) < 0.5
    np.save(tmp_path / "t.npy", texture)
    options = ("--n-components", 2, "--max-epochs", 1, "--cutoff", 6, "--decoder", "statistics")
    ran = matvae("fit", tmp_path / "t.npy", "-o", tmp_path / "t.matvae", *options)
    assert ran.code == 0, ran.err
    assert "choose a network, such as --decoder convolutional" in ran.err
    np.save(tmp_path / "z.npy", np.zeros((2, 2)))
    arguments = ("inverse", tmp_path / "t.matvae", tmp_path / "z.npy", "-o", tmp_path / "again.zarr", "--realize")
    refused = matvae(*arguments, "decoder")
    assert refused.code == 3
    assert "Choose --realize examples" in refused.err
    followed = matvae(*arguments, "examples")
    assert followed.code == 0, followed.err
