"""What is in a store, a result or a model, told without reading its voxels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, StoreError
from .files.outputs import size_on_disk


def describe(path: str | Path) -> dict[str, Any]:
    """Describe structures, statistics, latents or a model.

    Parameters
    ----------
    path : path
        A store, a zarr group that a job wrote, a model, or any source that `open_structures` reads.

    Returns
    -------
    dict
        ``kind`` (``"structures"``, ``"statistics"``, ``"latents"`` or ``"model"``), ``path``, ``bytes``, and
        what is known of the kind: shape, grid, chunks, properties and attributes, or parameters and history.

    Raises
    ------
    InputError
        If there is nothing matvae knows.
    StoreError
        If it is damaged or incomplete.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"There is no file or folder {path}. Give a store, a model or a source of structures.")
    head = {"path": str(path), "bytes": size_on_disk(place)}
    if (place / "estimator.json").is_file():
        return {"kind": "model", **head, **_model(place)}
    for kind, array in (("statistics", "statistics"), ("latents", "latent")):
        if (place / array / "zarr.json").is_file():
            return {"kind": kind, **head, **_array(place, array)}
    return {"kind": "structures", **head, **_structures(path)}


def _structures(path: str | Path) -> dict[str, Any]:
    from ..data import open_structures

    found = open_structures(path)
    return {
        "n_samples": len(found),
        "grid": found.grid.to_dict(),
        "dtype": str(found.data.dtype),
        "block": [int(n) for n in found.data.chunksize],
        "properties": {
            name: {**_range(values), "unit": found.units.get(name)} for name, values in found.properties.items()
        },
        "attributes": dict(found.attributes),
    }


def _range(values: np.ndarray) -> dict[str, float | None]:
    known = values[np.isfinite(values)]
    if not len(known):
        return {"min": None, "mean": None, "max": None}
    return {"min": float(known.min()), "mean": float(known.mean()), "max": float(known.max())}


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
            f"The description of {path} is damaged ({type(error).__name__}: {error}). Make it anew with "
            "`matvae stats` or "
            "`matvae transform`."
        ) from error


def _model(path: Path) -> dict[str, Any]:
    from ..estimator import load

    estimator = load(path)
    history = [dict(record) for record in estimator.history_]
    return {
        "n_components": int(estimator.n_components),
        "grid": estimator.grid_.to_dict(),
        "parameters": {key: _plain(value) for key, value in estimator.get_params(deep=False).items()},
        "history": {
            "records": len(history),
            "first": history[0] if history else {},
            "last": history[-1] if history else {},
        },
        "files": {file.name: file.stat().st_size for file in sorted(path.iterdir()) if file.is_file()},
    }


def _plain(value: Any) -> Any:
    """The value itself where JSON knows it, else its text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
