"""What a page asks for: a latent, and how structures are to be realized from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..errors import InputError
from ..grid import Grid

# A page has to stay responsive: larger and more structures are for `matvae inverse`.
MOST_REALIZATIONS = 9
MOST_VOXELS = 1 << 18
LEAST_SIDE = 4
MOST_SEED, MOST_SAMPLE = 2**31 - 1, 999


@dataclass(frozen=True)
class State:
    """A state of the page.

    Parameters
    ----------
    latent : tuple of float
    seed : int
        Of the realizations.
    n_realizations : int
    shape : tuple of int
        Of the realizations.
    sample : int
        Number of the latent among those that are realized with the seed: candidates of a search are not the first.
    """

    latent: tuple[float, ...]
    seed: int
    n_realizations: int
    shape: tuple[int, ...]
    sample: int = 0

    @classmethod
    def read(cls, given: Any, n_components: int, grid: Grid) -> State:
        """Read a state from JSON: ``latent`` and, optionally, ``seed``, ``n_realizations``, ``shape``, ``sample``.

        Raises
        ------
        InputError
            If a value is missing or out of range.
        """
        given = mapping_of(given)
        shape = given.get("shape")
        sides = grid.shape if shape is None else _sides(shape, grid)
        return cls(
            read_latent(given.get("latent"), n_components),
            validate.integer("seed", given.get("seed", 0), 0, MOST_SEED),
            validate.integer("n_realizations", given.get("n_realizations", 1), 1, MOST_REALIZATIONS),
            sides,
            validate.integer("sample", given.get("sample", 0), 0, MOST_SAMPLE),
        )

    @property
    def array(self) -> np.ndarray:
        """Latent ``(component,)``."""
        return np.array(self.latent, np.float32)


def mapping_of(given: Any) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises
    ------
    InputError
        If it is another JSON value.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"A JSON object is expected, but a value of the type {type(given).__name__} was given.")
    return given


def read_latent(given: Any, n_components: int) -> tuple[float, ...]:
    """Return a latent ``(component,)`` from JSON.

    Raises
    ------
    InputError
        If it does not hold one finite number per component.
    """
    is_list = isinstance(given, list) and len(given) == n_components
    if not is_list or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in given):
        raise InputError(
            f"latent must be a list of {n_components} numbers, one per component of this model. The link may be that "
            "of another model: move a slider to start again."
        )
    if not all(math.isfinite(v) and abs(v) < 1e6 for v in given):
        raise InputError("The numbers of a latent must be finite and below a million. Move a slider to start again.")
    return tuple(float(v) for v in given)


def _sides(shape: Any, grid: Grid) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) != grid.ndim:
        raise InputError(f"shape must be a list of {grid.ndim} numbers of voxels, but {shape!r:.100} was given.")
    sides = tuple(validate.integer("shape", side, LEAST_SIDE, MOST_VOXELS) for side in shape)
    if math.prod(sides) > MOST_VOXELS:
        raise InputError(
            f"The explorer realizes structures of up to {MOST_VOXELS} voxels, but {' x '.join(map(str, sides))} was "
            "asked for. Use `matvae inverse MODEL LATENTS -o OUT.zarr --shape N` for larger ones."
        )
    return sides
