"""Checks that structures are of the kind a model was fitted on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data import Structures, open_structures
from ..errors import InputError
from ..estimator.sample_layout import same_phases
from ..given import refuse_mask

logger = logging.getLogger("matvae")


def check_form(estimator: Any, model: str | Path) -> None:
    """Refuse models that were not fitted on structures as a store holds them.

    Raises
    ------
    InputError
        If the model takes statistics, or discretised states.
    """
    if estimator.input != "structures" or estimator.state_axis is not None:
        raise InputError(
            f"Stores contain structures (sample, *space), but the model {model} was fitted on other arrays "
            f"(input={estimator.input!r}, state_axis={estimator.state_axis}). Use it from Python: "
            f"matvae.load({str(model)!r})."
        )


def check_fits(
    estimator: Any, structures: Structures, model: str | Path, data: str | Path, *, masked: bool = False
) -> None:
    """Refuse structures of another size or with other phases; warn of another voxel size.

    Structures with voxels outside a mask are refused unless `masked`.

    Raises
    ------
    InputError
        If shape or phases differ, if the same phase was another value in the file of the structures than in that of the
        training set, if voxels lie outside a mask that is not taken, or if the model does not take structures.
    """
    check_form(estimator, model)
    if not masked:
        refuse_mask(structures.mask, data, "this use of a model")
    fitted, grid = estimator.grid_, structures.grid
    if grid.shape != fitted.shape:
        raise InputError(
            f"The model {model} was fitted on structures of {_size(fitted.shape)} voxels, but those in {data} have "
            f"{_size(grid.shape)}. Cut windows of that size with `matvae import FILE OUT.zarr --window "
            f"{','.join(map(str, fitted.shape))}`."
        )
    if grid.phases > fitted.phases or (grid.phases == 1) != (fitted.phases == 1):
        raise InputError(
            f"The model {model} was fitted on {_phases(fitted.phases)}, but {data} contains {_phases(grid.phases)}. "
            "Import the data with the same phases, or fit a model on them."
        )
    meant, found = estimator.phase_values_, structures.attributes.get("phase_values")
    if meant is not None and found is not None and not same_phases(found, meant):
        raise InputError(
            f"The phases in {data} do not mean the same as those of the model {model}: {_meaning(found)} in the data, "
            f"but {_meaning(meant)} in the model. Import the data again with `matvae import FILE OUT.zarr "
            f"--phase-values-of {model}`, or with `--phase-values {','.join(map(str, meant))}`."
        )
    of_data, of_model = (grid.voxel_size, grid.unit), (fitted.voxel_size, fitted.unit)
    if None not in (*of_data, *of_model) and of_data != of_model:
        logger.warning(
            "%s has voxels of %s %s, but the model was fitted on voxels of %s %s: its lengths are different.",
            data,
            *of_data,
            *of_model,
        )


def known_values(estimator: Any) -> dict[str, Any]:
    """Attributes of structures of a model: the value of each phase in the images that it was fitted on, if known."""
    return {} if estimator.phase_values_ is None else {"phase_values": list(estimator.phase_values_)}


def open_fitting(path: str | Path, estimator: Any, model: str | Path, *, masked: bool = False) -> Structures:
    """Open structures, and check with `check_fits` that they fit a model."""
    structures = open_structures(path)
    check_fits(estimator, structures, model, path, masked=masked)
    return structures


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _meaning(phase_values: Sequence[Any]) -> str:
    """Which value in a file is which phase."""
    return ", ".join(f"phase {phase} is the value {value}" for phase, value in enumerate(phase_values))


def _phases(phases: int) -> str:
    return "a continuous field" if phases == 1 else f"{phases} phases"
