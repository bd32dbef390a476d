"""What help pages say of every option alike, said once."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup, TyperOption


def without_repetition(command: Any, variable: str = "MATVAE") -> Any:
    """Name the environment variables of options below the help of a command, not beside each, nor the type of flags.

    Parameters
    ----------
    command : click command
        With its commands, if it is a group; changed in place and returned.
    variable : str
        What the names of its environment variables begin with.
    """
    options = [parameter for parameter in command.params if isinstance(parameter, TyperOption)]
    for parameter in command.params:
        parameter.show_envvar = False
    for option in options:
        if option.is_flag:
            option.metavar = ""
    if isinstance(command, TyperGroup):
        for name, subcommand in command.commands.items():
            without_repetition(subcommand, f"{variable}_{name.upper().replace('-', '_')}")
    elif options:
        first = options[0]
        command.epilog = (
            "Options can also be set in a file (--config) or by environment variables, such as "
            f"{variable}_{str(first.name).upper()} for {first.opts[0]}."
        )
    return command
