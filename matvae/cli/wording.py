"""Messages in the words of the command line: ``name=value``, as Python takes it, becomes an option of the command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from typer.core import TyperGroup, TyperOption

# A parameter and a value that can be typed as one, but not None, which stands for an option that is left out.
_ARGUMENT = re.compile(r"""\b([a-z_]+)=("[^"]*"|'[^']*'|\([^()]*\)|\[[^\[\]]*\]|True|False|-?\d+(?:\.\d+)?)""")
# The same in Python, followed by what is typed instead.
_IN_PYTHON = r"""[a-z_]+=(?:"[^"]*"|'[^']*'|(?:[A-Za-z_.]+)?\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\]|[\w.]+)"""
_IN_BOTH = re.compile(rf"\b{_IN_PYTHON}(?: or {_IN_PYTHON})*(?: of [\w.]+)? \(command line: ([^()]*)\)")


# Options by the names of their parameters, while a command runs.
_options: ContextVar[dict[str, TyperOption]] = ContextVar("options")


@contextmanager
def wording_of(*commands: Any) -> Iterator[None]:
    """Let messages name the options of these commands, of which the first is the one that runs."""
    options: dict[str, TyperOption] = {}
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, TyperOption) and parameter.name is not None:
                options.setdefault(parameter.name, parameter)
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


def reworded(message: str) -> str:
    """Put the parameters that a message names into the words of the command line.

    Parameters
    ----------
    message : str
        For example ``'Choose decoder="dense", or pass periodic=False.'``

    Returns
    -------
    str
        ``"Choose --decoder dense, or pass --no-periodic."``; parameters that no command in `wording_of` has remain as
        they are, and so do those whose option the message names itself. Of ``phase_values=(0, 255) (command line:
        --phase-values 0,255)``, only what is typed remains.
    """
    options = _options.get({})

    def as_typed(match: re.Match[str]) -> str:
        name, value = match.groups()
        option = options.get(name)
        return match[0] if option is None or option.opts[0] in message else _typed(option, value) or match[0]

    return _ARGUMENT.sub(as_typed, _IN_BOTH.sub(r"\1", message) if options else message)


def find_command(command: Any, words: Sequence[str]) -> Any:
    """Return the command, or the command of a group, that the arguments of the program name."""
    subcommands = command.commands if isinstance(command, TyperGroup) else {}
    named = next((word for word in words if word in subcommands), None)
    return command if named is None else find_command(subcommands[named], words[words.index(named) + 1 :])


def _typed(option: TyperOption, value: str) -> str | None:
    """Return an option with its value as a user types it, or None if it cannot take this value."""
    if value in ("True", "False"):
        flags = option.opts if value == "True" else option.secondary_opts
        return flags[0] if option.is_flag and flags else None
    if value == "(...)":
        return f"{option.opts[0]} ..."
    try:
        parsed = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return None
    entries = parsed if isinstance(parsed, list | tuple) else [parsed]
    if not all(isinstance(entry, str | int | float) for entry in entries):
        return None
    return f"{option.opts[0]} {','.join(map(str, entries))}"
