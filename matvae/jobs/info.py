"""Job that describes a store, a result or a model without reading its voxels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, StoreError
from ..model import ModelSpec
from .files.outputs import is_model, size_on_disk


def describe(path: str | Path) -> dict[str, Any]:
    """Describe structures, statistics, latents or a model.

    Parameters
    ----------
    path : path
        A store, a zarr group that a job wrote, a model, or any source that `open_structures` reads.

    Returns
    -------
    dict
        ``kind`` (``"structures"``, ``"statistics"``, ``"latents"`` or ``"model"``), ``path``, ``bytes``, and depending
        on the kind: shape, grid, chunks, properties and attributes, or parameters and history.

    Raises
    ------
    InputError
        If there is nothing at `path` that matvae can read.
    StoreError
        If it is damaged or incomplete.
    """
    folder = Path(path)
    if not folder.exists():
        raise InputError(f"There is no file or folder {path}. Give a store, a model or a source of structures.")
    common = {"path": str(path), "bytes": size_on_disk(folder)}
    if is_model(folder):
        return {"kind": "model", **common, **_model(folder)}
    for kind, array in (("statistics", "statistics"), ("latents", "latent")):
        if (folder / array / "zarr.json").is_file():
            return {"kind": kind, **common, **_array(folder, array)}
    return {"kind": "structures", **common, **_structures(path)}


def _structures(path: str | Path) -> dict[str, Any]:
    from ..data import open_structures

    structures = open_structures(path)
    return {
        "n_samples": len(structures),
        "grid": structures.grid.to_dict(),
        "dtype": str(structures.data.dtype),
        "block": [int(n) for n in structures.data.chunksize],
        "properties": {
            name: {**_range(values), "unit": structures.units.get(name)}
            for name, values in structures.properties.items()
        },
        "attributes": dict(structures.attributes),
    }


def _range(values: np.ndarray) -> dict[str, float | None]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {"min": None, "mean": None, "max": None}
    return {"min": float(finite.min()), "mean": float(finite.mean()), "max": float(finite.max())}


def _array(path: Path, name: str) -> dict[str, Any]:
    try:
        root = json.loads((path / "zarr.json").read_text())
        array = json.loads((path / name / "zarr.json").read_text())
        return {
            "shape": array["shape"],
            "dimensions": array["dimension_names"],
            "dtype": array["data_type"],
            "properties": sorted(
                file.parent.name
                for file in path.glob("*/zarr.json")
                if file.parent.name != name and json.loads(file.read_text())["dimension_names"] == ["sample"]
            ),
            "attributes": root["attributes"]["matvae"],
        }
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise StoreError(
            f"The metadata of {path} are damaged ({type(error).__name__}: {error}). Create it again with `matvae "
            "stats` or `matvae transform`."
        ) from error


def _model(path: Path) -> dict[str, Any]:
    from ..estimator import load

    estimator = load(path)
    history = [dict(record) for record in estimator.history_]
    return {
        "n_components": int(estimator.n_components),
        "grid": estimator.grid_.to_dict(),
        "phase_values": None if estimator.phase_values_ is None else list(estimator.phase_values_),
        **_decoder(estimator.module_.spec),
        "parameters": {key: _plain(value) for key, value in estimator.get_params(deep=False).items()},
        "history": {
            "records": len(history),
            "first": history[0] if history else {},
            "last": history[-1] if history else {},
        },
        "files": {file.name: file.stat().st_size for file in sorted(path.iterdir()) if file.is_file()},
    }


def _decoder(spec: ModelSpec) -> dict[str, Any]:
    """Decoder and metric of a model, with the reason where they were chosen automatically."""
    return {"decoder": spec.decoder, "reason": spec.reason, "metric": spec.metric}


def _plain(value: Any) -> Any:
    """Convert a parameter to a type that JSON represents, or else to its text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
