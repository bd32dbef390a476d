"""Registries of named parts (readers, encoders, decoders, data sets, ...), built in or added by plugins.

A registry holds ``"module:attribute"`` strings and imports a part only on request: listing the parts is cheap, and a
broken plugin affects only those who use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from .errors import PluginError, did_you_mean


class Registry:
    """Parts of one kind by name.

    Parameters
    ----------
    kind : str
        Kind of the parts, in the singular, for messages: ``"encoder"``.
    group : str
        Entry point group in which plugins register their parts: ``"matvae.encoders"``.
    builtin : mapping of str to str
        Names of the built-in parts, each with its ``"module:attribute"``.
    contract : type, optional
        Base class of every part; `get` refuses parts that are not subclasses of it.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str], contract: type | None = None) -> None:
        self.kind = kind
        self.group = group
        self.builtin = dict(builtin)
        self.contract = contract

    @cached_property
    def targets(self) -> dict[str, str]:
        """Names of all parts, including those of plugins, each with its ``"module:attribute"``.

        Raises
        ------
        PluginError
            If two parts claim the same name.
        """
        targets = dict(self.builtin)
        for point in entry_points(group=self.group):
            if targets.get(point.name, point.value) != point.value:
                raise PluginError(
                    f"The {self.kind} name {point.name!r} is claimed twice: by {targets[point.name]} and by "
                    f"{point.value}. Uninstall one of the two packages."
                )
            targets[point.name] = point.value
        return targets

    def names(self) -> list[str]:
        """Return all names, built-in parts first."""
        return list(self.targets)

    def get(self, name: str) -> Any:
        """Import and return the part called `name`.

        Raises
        ------
        PluginError
            If no part has that name (the message suggests the closest one and the installation of a plugin), or if the
            part cannot be imported or is not a subclass of the contract.
        """
        if name not in self.targets:
            hint = did_you_mean(name, self.names())
            raise PluginError(
                f"There is no {self.kind} called {name!r}; known are {', '.join(sorted(self.names()))}.{hint} "
                "If a plugin provides it, install that package."
            )
        module, _, attribute = self.targets[name].partition(":")
        try:
            part = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"The {self.kind} {name!r} ({self.targets[name]}) cannot be imported: {error}. "
                "Reinstall the package that provides it, or uninstall it."
            ) from error
        if self.contract is not None and not (isinstance(part, type) and issubclass(part, self.contract)):
            raise PluginError(
                f"The {self.kind} {name!r} ({self.targets[name]}) is not a subclass of "
                f"{self.contract.__module__}.{self.contract.__qualname__}. Derive it from that class."
            )
        return part
