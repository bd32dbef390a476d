"""PyMKS together with matvae: the working parts of PyMKS on current scientific Python, and replacements for others."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conventions import check_statistics, to_matvae_statistics
    from .elastic import solve_fe
    from .multiphase import generate_multiphase
    from .originals import LegendreTransformer, TwoPointCorrelation
    from .pipelines import pca_pipeline, vae_pipeline
    from .stiffness import Stiffness
    from .transformers import FlattenTransformer, PrimitiveTransformer, ReshapeTransformer

__version__ = version("matvae-pymks")

# Public name -> module, imported on first use: PyMKS alone takes seconds.
_MODULES = {
    "FlattenTransformer": "matvae_pymks.transformers",
    "LegendreTransformer": "matvae_pymks.originals",
    "PrimitiveTransformer": "matvae_pymks.transformers",
    "ReshapeTransformer": "matvae_pymks.transformers",
    "Stiffness": "matvae_pymks.stiffness",
    "TwoPointCorrelation": "matvae_pymks.originals",
    "check_statistics": "matvae_pymks.conventions",
    "generate_multiphase": "matvae_pymks.multiphase",
    "pca_pipeline": "matvae_pymks.pipelines",
    "solve_fe": "matvae_pymks.elastic",
    "to_matvae_statistics": "matvae_pymks.conventions",
    "vae_pipeline": "matvae_pymks.pipelines",
}

__all__ = [
    "FlattenTransformer",
    "LegendreTransformer",
    "PrimitiveTransformer",
    "ReshapeTransformer",
    "Stiffness",
    "TwoPointCorrelation",
    "check_statistics",
    "generate_multiphase",
    "pca_pipeline",
    "solve_fe",
    "to_matvae_statistics",
    "vae_pipeline",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'matvae_pymks' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
