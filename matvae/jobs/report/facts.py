"""Facts of a model and its data, as words for a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...data import Structures
from ...grid import Grid

# Parameters that say nothing about how a model was trained.
NOT_SETTINGS = {"checkpoint", "verbose", "warm_start", "sample_shape", "state_axis", "input", "n_components"}


def model_facts(estimator: Any, path: str | Path) -> dict[str, str]:
    """What the model is and what it was trained on."""
    last: Mapping[str, Any] = estimator.history_[-1] if estimator.history_ else {}
    weights = sum(weight.numel() for weight in estimator.module_.parameters())
    return {
        "name": Path(path).name,
        "latent numbers a structure": str(estimator.n_components),
        "trained on structures of": grid_words(estimator.grid_),
        "weights": f"{weights:,}",
        "passes over the data": str(estimator.n_iter_),
        **({"time of training": duration(last["seconds"])} if last.get("seconds") else {}),
        **({"last loss": f"{last['loss']:.4g}"} if last.get("loss") is not None else {}),
        **(
            {"last error of held-out structures": f"{last['validation_error']:.4g}"}
            if last.get("validation_error") is not None
            else {}
        ),
    }


def data_facts(
    structures: Structures, path: str | Path, train: str | Path | None, training: Structures | None
) -> dict[str, str]:
    """What the structures are, and those that the model was trained on."""
    facts = {
        "name": Path(path).name,
        "structures": str(len(structures)),
        "each": grid_words(structures.grid),
        "properties": ", ".join(structures.properties) or "none",
    }
    if training is not None and train is not None:
        facts["training structures"] = f"{len(training)}, from {Path(train).name}"
    sources = structures.attributes.get("sources")
    if isinstance(sources, list):
        facts["cut from"] = ", ".join(map(str, sources))
    return facts


def setting_facts(estimator: Any) -> dict[str, str]:
    """Parameters of the training."""
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in sorted(estimator.get_params(deep=False).items())
        if name not in NOT_SETTINGS
    }


def materials_of(structures: Structures) -> list[str] | None:
    """Name of the source of each structure, where they come from several; None else."""
    names, source = structures.attributes.get("sources"), structures.properties.get("source")
    if source is None or not isinstance(names, list):
        return None
    return [str(names[int(i)]) if 0 <= i < len(names) else f"source {i:g}" for i in source]


def grid_words(grid: Grid) -> str:
    """What one structure is, in words."""
    parts = [f"{' x '.join(map(str, grid.shape))} voxels ({' '.join(grid.axes or ())})"]
    parts.append("continuous field" if grid.phases == 1 else f"{grid.phases} phases")
    parts.append("periodic" if grid.periodic else "not periodic")
    if grid.voxel_size:
        parts.append(f"voxels of {' x '.join(f'{size:g}' for size in grid.voxel_size)} {grid.unit or ''}".rstrip())
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
