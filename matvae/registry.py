"""Named parts (readers, encoders, decoders, data sets): built-in ones and those plugins add by entry point.

A registry holds ``"module:attribute"`` strings and imports a part only when it is asked for, so listing what
there is costs nothing and a broken plugin harms nobody who does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from .errors import PluginError


class Registry:
    """Parts of one kind by name.

    Parameters
    ----------
    kind : str
        What the parts are, in the singular, for messages: ``"encoder"``.
    group : str
        Entry point group in which plugins add to it: ``"matvae.encoders"``.
    builtin : mapping of str to str
        Name to ``"module:attribute"`` of the parts matvae brings itself.
    contract : type, optional
        Class that every part has to be a subclass of.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str], contract: type | None = None) -> None:
        self.kind = kind
        self.group = group
        self.builtin = dict(builtin)
        self.contract = contract

    @cached_property
    def targets(self) -> dict[str, str]:
        """Name to ``"module:attribute"`` of every part, plugins included.

        Raises
        ------
        PluginError
            If two parts claim one name.
        """
        found = dict(self.builtin)
        for point in entry_points(group=self.group):
            if found.get(point.name, point.value) != point.value:
                raise PluginError(
                    f"The {self.kind} name {point.name!r} is claimed twice: by {found[point.name]} and by "
                    f"{point.value}. Uninstall one of the two packages."
                )
            found[point.name] = point.value
        return found

    def names(self) -> list[str]:
        """All names, built-in ones first."""
        return list(self.targets)

    def get(self, name: str) -> Any:
        """Import and return the part called `name`.

        Raises
        ------
        PluginError
            If there is none of that name (the message offers the closest one), or if it cannot be imported.
        """
        if name not in self.targets:
            close = get_close_matches(str(name), self.names(), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise PluginError(
                f"There is no {self.kind} called {name!r}; known are {', '.join(sorted(self.names()))}.{hint}"
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
