"""Small specifications of models, and structures for them, with which encoders and decoders are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..model import ModelSpec
from ..stats import default_correlations
from .check import require


def small_spec(shape: tuple[int, ...], phases: int = 2, **values: Any) -> ModelSpec:
    """Specification of a small model; any field can be given."""
    defaults = {
        "pairs": default_correlations(phases),
        "periodic": True,
        "cutoff": None,
        "n_components": 3,
        "encoder": "statistics",
        "decoder": "dense",
        "width": 16,
    }
    return ModelSpec(shape=shape, phases=phases, **{**defaults, **values})


# One to three dimensions, several phases, a continuous field, and a window with a cutoff.
SPECS = (
    small_spec((16,)),
    small_spec((12, 10)),
    small_spec((8, 6, 4)),
    small_spec((12, 12), phases=3),
    small_spec((12, 12), phases=1),
    small_spec((12, 12), periodic=False, cutoff=(4, 4)),
)


def structures_for(spec: ModelSpec, n: int = 12) -> Tensor:
    """Random structures ``(sample, *space)``: labels of type uint8, or a field."""
    generator = torch.Generator().manual_seed(0)
    if spec.phases == 1:
        return torch.randn(n, *spec.shape, generator=generator)
    return torch.randint(spec.phases, (n, *spec.shape), generator=generator, dtype=torch.uint8)


def latents_for(spec: ModelSpec, n: int = 5) -> Tensor:
    """Random latents ``(sample, component)``."""
    return torch.randn(n, spec.n_components, generator=torch.Generator().manual_seed(1))


def applicable(build: Callable[[ModelSpec], Any], specs: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Specifications that can be built; an InputError declares that a part does not support one.

    Raises
    ------
    AssertionError
        If none can be built, so that nothing would be checked.
    """
    supported = []
    for spec in specs:
        try:
            build(spec)
        except InputError:
            continue
        supported.append(spec)
    require(supported, "No specification can be built. Pass specifications of models that the part supports.")
    return supported
