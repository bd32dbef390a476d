"""matvae: microstructures to a few latent numbers and back, true in their 2-point statistics."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .data import Structures, open_structures, save_structures
    from .estimator import StatsVAETransformer, TwoPointPCA, load, load_pretrained
    from .grid import Grid
    from .notebook import plot_statistics, plot_structures
    from .reconstruction import Reconstruction, reconstruct
    from .stats import two_point_stats, volume_fractions

# Public name -> module. Nothing is imported before it is used: torch alone takes over a second.
_HOME = {
    "Grid": "matvae.grid",
    "Reconstruction": "matvae.reconstruction",
    "StatsVAETransformer": "matvae.estimator",
    "Structures": "matvae.data",
    "TwoPointPCA": "matvae.estimator",
    "load": "matvae.estimator",
    "load_pretrained": "matvae.estimator",
    "open_structures": "matvae.data",
    "plot_statistics": "matvae.notebook",
    "plot_structures": "matvae.notebook",
    "reconstruct": "matvae.reconstruction",
    "save_structures": "matvae.data",
    "two_point_stats": "matvae.stats",
    "volume_fractions": "matvae.stats",
}

__all__ = [
    "Grid",
    "Reconstruction",
    "StatsVAETransformer",
    "Structures",
    "TwoPointPCA",
    "load",
    "load_pretrained",
    "open_structures",
    "plot_statistics",
    "plot_structures",
    "reconstruct",
    "save_structures",
    "two_point_stats",
    "volume_fractions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'matvae' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
