"""Errors per phase, under the names of the phases: volume fraction, specific surface and number of pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..data import Structures
from ..errors import InputError
from ..shown import Shown

# Root attribute of a store: one name per phase.
NAMES = "phase_names"
# Measures that errors per phase are computed from.
NEEDED = ("volume_fraction", "specific_surface", "pieces")


def phase_names(structures: Structures, phases: int | None = None) -> list[str]:
    """Names of the phases of structures: those in the attribute ``phase_names``, else ``"phase 0"``, ``"phase 1"``.

    Parameters
    ----------
    structures : Structures
    phases : int, optional
        Number of phases of a model, if it is larger than that of the structures.

    Raises
    ------
    InputError
        If the attribute does not hold one name per phase.
    """
    n = max(structures.grid.phases, phases or 0)
    defaults = [f"phase {phase}" for phase in range(n)]
    names = structures.attributes.get(NAMES)
    if names is None:
        return defaults
    is_list = isinstance(names, list | tuple) and all(isinstance(name, str) and name for name in names)
    if not is_list or len(names) != structures.grid.phases or len(set(names)) < len(names):
        raise InputError(
            f"The attribute {NAMES} of the structures must hold {structures.grid.phases} different names, one per "
            f"phase, but it is {names!r}. Save the structures with such names, or without the attribute."
        )
    return [*names, *defaults[len(names) :]]


@dataclass(frozen=True, repr=False)
class PhaseErrors(Shown):
    """Generated structures and the true ones that they stand for, pair by pair, in one phase.

    Parameters
    ----------
    phase : int
    name : str
    volume_fraction : float
        Mean of the true structures.
    volume_fraction_bias : float
        Mean difference, generated minus true.
    largest_volume_fraction_difference : float
        Largest absolute difference of a pair.
    specific_surface, generated_specific_surface : float
        Means, per voxel.
    surface_error : float or None
        Median of ``|s' - s| / s`` over the pairs whose true structure has an interface; None without any.
    pieces, generated_pieces : float
        Means, clusters per 1000 voxels.
    """

    phase: int
    name: str
    volume_fraction: float
    volume_fraction_bias: float
    largest_volume_fraction_difference: float
    specific_surface: float
    generated_specific_surface: float
    surface_error: float | None
    pieces: float
    generated_pieces: float


def phase_errors(
    generated: Mapping[str, np.ndarray], true: Mapping[str, np.ndarray], names: Sequence[str]
) -> list[PhaseErrors]:
    """Errors of every phase.

    Parameters
    ----------
    generated, true : mapping of str to array ``(sample, phase)``
        Results of `measure_structures` with the measures `NEEDED`, of structures in the same order.
    names : sequence of str
        One per phase.

    Raises
    ------
    InputError
        If the sets differ in size.
    """
    shapes = [values[NEEDED[0]].shape for values in (generated, true)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"Errors per phase compare structures pair by pair, but the shapes (sample, phase) are {shapes[0]} and "
            f"{shapes[1]}. Generate one structure for each true one."
        )
    return [_errors(phase, name, generated, true) for phase, name in enumerate(names)]


def _errors(phase: int, name: str, generated: Mapping[str, np.ndarray], true: Mapping[str, np.ndarray]) -> PhaseErrors:
    fraction, surface, pieces = (true[measure][:, phase] for measure in NEEDED)
    new_fraction, new_surface, new_pieces = (generated[measure][:, phase] for measure in NEEDED)
    has_interface = surface > 0
    errors = np.abs(new_surface - surface)[has_interface] / surface[has_interface]
    return PhaseErrors(
        phase=phase,
        name=name,
        volume_fraction=float(fraction.mean()),
        volume_fraction_bias=float((new_fraction - fraction).mean()),
        largest_volume_fraction_difference=float(np.abs(new_fraction - fraction).max()),
        specific_surface=float(surface.mean()),
        generated_specific_surface=float(new_surface.mean()),
        surface_error=float(np.median(errors)) if len(errors) else None,
        pieces=float(pieces.mean()),
        generated_pieces=float(new_pieces.mean()),
    )
