"""Effective diffusivity and tortuosity of a phase, by TauFactor, as properties that matvae can design for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .percolation import percolating
    from .properties import EffectiveDiffusivity, Tortuosity

__version__ = "0.1.0"

# Public name -> module. TauFactor, which takes seconds to import, waits until something is measured.
_HOME = {
    "EffectiveDiffusivity": "matvae_taufactor.properties",
    "Tortuosity": "matvae_taufactor.properties",
    "percolating": "matvae_taufactor.percolation",
}

__all__ = ["EffectiveDiffusivity", "Tortuosity", "percolating"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'matvae_taufactor' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
