"""Settings from a TOML file: one table per command; the environment and flags take precedence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

NOT_SETTINGS = ("config", "help", "version")


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take the defaults of a command, or of all of them, from a file; the callback of ``--config``.

    Raises
    ------
    typer.BadParameter
        If the file is not TOML, or contains tables or keys that no command knows.
    """
    if path is None or context.resilient_parsing:
        return path
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} is not TOML: {error}.") from error
    defaults = _defaults_of(context.find_root().command, tables, str(path))
    for name in _names_below_root(context):
        defaults = defaults.get(name, {})
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def _names_below_root(context: typer.Context) -> list[str]:
    names: list[str] = []
    at: Any = context
    while at.parent is not None:
        names.insert(0, at.info_name)
        at = at.parent
    return names


def _defaults_of(command: Any, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Defaults by parameter name, of a command or, nested, of the commands of a group."""
    commands = getattr(command, "commands", None)
    if commands is None:
        return _parameters_of(command, table, where)
    defaults = {}
    for name, inner in table.items():
        if name not in commands or not isinstance(inner, Mapping):
            raise typer.BadParameter(
                f"{where} contains {name!r}, but a table for one of the commands {', '.join(sorted(commands))} "
                "is expected."
            )
        defaults[name] = _defaults_of(commands[name], inner, f"{where} [{name}]")
    return defaults


def _parameters_of(command: Any, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = {}
    for parameter in command.params:
        if parameter.name in NOT_SETTINGS:
            continue
        known[parameter.name] = parameter
        known.update({flag[2:].replace("-", "_"): parameter for flag in parameter.opts if flag.startswith("--")})
    defaults: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in known:
            raise typer.BadParameter(
                f"{where} sets {key!r}; the settings of this command are {', '.join(sorted(known))}."
            )
        defaults[known[name].name] = _as_text(value, repeatable=_is_repeatable(known[name]))
    return defaults


def _is_repeatable(parameter: Any) -> bool:
    return bool(getattr(parameter, "multiple", False)) or parameter.nargs == -1


def _as_text(value: Any, *, repeatable: bool) -> Any:
    """Write a value as on the command line: [64, 64] as 64,64 and [[1, 2]] as 1:2."""
    if repeatable and isinstance(value, Mapping):
        return [f"{key}={_as_text(inner, repeatable=False)}" for key, inner in value.items()]
    if repeatable:
        return [str(entry) for entry in (value if isinstance(value, list) else [value])]
    if isinstance(value, list):
        return ",".join(":".join(map(str, entry)) if isinstance(entry, list) else str(entry) for entry in value)
    return value if isinstance(value, bool) else str(value)
