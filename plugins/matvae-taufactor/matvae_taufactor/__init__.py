"""Effective diffusivity and tortuosity of a phase, computed by TauFactor, as properties for matvae."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .percolation import percolating
    from .properties import EffectiveDiffusivity, Tortuosity

__version__ = version("matvae-taufactor")

# Public name -> module, imported on first use: TauFactor takes seconds to import.
_MODULES = {
    "EffectiveDiffusivity": "matvae_taufactor.properties",
    "Tortuosity": "matvae_taufactor.properties",
    "percolating": "matvae_taufactor.percolation",
}

__all__ = ["EffectiveDiffusivity", "Tortuosity", "percolating"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'matvae_taufactor' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
