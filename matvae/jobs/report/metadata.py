"""Metadata of a model and its data, as text for a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...data import Structures
from ...evaluate.measure import decodes_statistics
from ..metadata import count_weights, training_parameters


def model_metadata(estimator: Any, path: str | Path) -> dict[str, str]:
    """Describe the model and what it was trained on."""
    last: Mapping[str, Any] = estimator.history_[-1] if estimator.history_ else {}
    return {
        "name": Path(path).name,
        "latent components": str(estimator.n_components),
        "decoder": estimator.module_.spec.decoder,
        **({"reason for the decoder": estimator.module_.spec.reason} if estimator.module_.spec.reason else {}),
        "metric of the lags": estimator.module_.spec.metric,
        "trained on structures of": estimator.grid_.describe(),
        "weights": f"{count_weights(estimator):,}",
        "rounds of the fit" if decodes_statistics(estimator) else "passes over the data": str(estimator.n_iter_),
        **({"training time": duration(last["seconds"])} if last.get("seconds") else {}),
        **({"final loss": f"{last['loss']:.4g}"} if last.get("loss") is not None else {}),
        **(
            {"final error on held-out structures": f"{last['validation_error']:.4g}"}
            if last.get("validation_error") is not None
            else {}
        ),
    }


def data_metadata(
    structures: Structures, path: str | Path, train: str | Path | None, training: Structures | None
) -> dict[str, str]:
    """Describe the structures, and those that the model was trained on."""
    metadata = {
        "name": Path(path).name,
        "structures": str(len(structures)),
        "each": structures.grid.describe(),
        "properties": ", ".join(structures.properties) or "none",
    }
    if training is not None and train is not None:
        metadata["training structures"] = f"{len(training)}, from {Path(train).name}"
    sources = structures.attributes.get("sources")
    if isinstance(sources, list):
        metadata["cut from"] = ", ".join(map(str, sources))
    return metadata


def settings_metadata(estimator: Any) -> dict[str, str]:
    """List the training parameters; the number of components is part of `model_metadata`."""
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in sorted(training_parameters(estimator).items())
        if name != "n_components"
    }


def materials_of(structures: Structures) -> list[str] | None:
    """Name of the source of each structure if the set has several sources, else None."""
    names, source = structures.attributes.get("sources"), structures.properties.get("source")
    if source is None or not isinstance(names, list):
        return None
    return [str(names[int(i)]) if 0 <= i < len(names) else f"source {i:g}" for i in source]


def duration(seconds: float) -> str:
    """Format seconds with the unit that people would choose."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
