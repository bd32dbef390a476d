"""Job that describes any file or folder: a store, a result, a model, or a file that can be imported."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Structures, open_structures
from ..data.description import Choice, FileDescription, describe_file
from ..data.layout import is_store
from ..data.sections import Section, central_sections
from ..errors import InputError, StoreError
from ..files import read_json
from ..grid import Grid
from ..room import size_on_disk
from .files.figures import check_figure, save_figure
from .files.outputs import is_model
from .files.pictures import small_picture

if TYPE_CHECKING:
    from ..model import ModelSpec


@dataclass(frozen=True)
class _Drawable:
    """Structures ``(sample, *space)`` that can be drawn, and all their values if these are few."""

    array: Any
    grid: Grid
    distinct: tuple[float, ...] | None

    def sections(self, *, only_first: bool) -> list[Section]:
        return central_sections(self.array, self.grid, only_first=only_first)


def describe(
    path: str | Path,
    *,
    name: str | None = None,
    figure: str | Path | None = None,
    picture: int | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Describe structures, statistics, latents, a model, or a file that can be imported.

    Parameters
    ----------
    path : path
        A store, a zarr group that a job wrote, a model, or any source that `open_structures` reads.
    name : str, optional
        Name of the array in a file that holds several; without it, these are listed.
    figure : path, optional
        Picture of the first structure, with a section normal to each axis of a volume.
    picture : int, optional
        Add a small picture of this width in pixels, if there is something to show.
    overwrite : bool
        Whether an existing figure may be replaced.

    Returns
    -------
    dict
        ``kind`` (``"structures"``, ``"statistics"``, ``"latents"``, ``"model"`` or ``"file"``), ``path``, ``bytes``,
        and depending on the kind: shape, grid, chunks, properties and attributes; parameters and history, and
        ``in_epochs`` as in `fit_model`; or, of a file, what it states, its values, and what commands would import it as
        what, with advice, ``windows`` to cut for a model and, in images, a ``region`` without what looks like a data
        bar. ``figure`` and ``picture`` are None unless they were asked for.

    Raises
    ------
    InputError
        If there is nothing at `path` that matvae can read, it is damaged, or there is nothing to draw.
    StoreError
        If it is damaged or incomplete.
    """
    folder = Path(path)
    if not folder.exists():
        raise InputError(f"There is no file or folder {path}. Give a store, a model or a source of structures.")
    target = check_figure(figure, [path], overwrite=overwrite)
    kind, description, drawable = _described(folder, name)
    if name is not None and kind not in ("file", "structures"):
        raise InputError(
            f"{path} has no arrays to choose from by name, but name={name!r} was given. Omit name (--name)."
        )
    if target is not None:
        if drawable is None:
            raise InputError(
                f"{path} cannot be drawn: it holds no structures, or several arrays, or its axes are not known. Omit "
                "figure (--figure), or name an array (--name)."
            )
        save_figure(_draw(drawable), target)
    return {
        "kind": kind,
        "path": str(path),
        "bytes": size_on_disk(folder),
        **description,
        "figure": None if target is None else str(target),
        "picture": None if picture is None or drawable is None else _small(drawable, picture),
    }


def _described(folder: Path, name: str | None) -> tuple[str, dict[str, Any], _Drawable | None]:
    """Return the kind of what is in a folder or file, its description, and what of it can be drawn."""
    if is_model(folder):
        return "model", _model(folder), None
    for kind, array in (("statistics", "statistics"), ("latents", "latent")):
        if (folder / array / "zarr.json").is_file():
            return kind, _array(folder, array), None
    if is_store(folder):
        structures = open_structures(folder, name=name)
        phases = structures.grid.phases
        distinct = None if phases == 1 else tuple(range(phases))
        drawable = _Drawable(structures.data, structures.grid, distinct) if len(structures) else None
        return "structures", _structures(structures), drawable
    found = describe_file(folder, name)
    return "file", _file(found, folder, name), _drawable_file(found)


def _drawable_file(found: FileDescription) -> _Drawable | None:
    if found.arranged is None or found.values is None or found.source is None:
        return None
    array = found.arranged.array
    grid = Grid(array.shape[1:], axes=found.arranged.axes, voxel_size=found.arranged.voxel_size, unit=found.source.unit)
    is_whole = found.values.n_read == found.values.n_total
    return _Drawable(array, grid, found.values.distinct if is_whole else None)


def _draw(drawable: _Drawable) -> Any:
    from ..report import plot_values

    sections = drawable.sections(only_first=False)
    titles = ["" if section.normal is None else f"normal to {section.normal}" for section in sections]
    images, grids = [section.image for section in sections], [section.grid for section in sections]
    return plot_values(images, grids, titles, distinct=drawable.distinct)


def _small(drawable: _Drawable, columns: int) -> dict[str, Any]:
    (section,) = drawable.sections(only_first=True)
    return small_picture(section, drawable.distinct, columns)


def _file(found: FileDescription, path: Path, name: str | None) -> dict[str, Any]:
    source, arranged, values = found.source, found.arranged, found.values
    return {
        "format": found.format,
        "arrays": [
            {
                "name": array.name,
                "shape": None if array.shape is None else list(array.shape),
                "dtype": array.dtype,
                "problem": array.problem,
            }
            for array in found.arrays
        ],
        "shape": None if source is None else list(source.array.shape),
        "dtype": None if source is None else str(source.array.dtype),
        "axes": None if arranged is None else arranged.taken,
        "channels": None if arranged is None else arranged.channels or None,
        "voxel_size": None if arranged is None or arranged.voxel_size is None else list(arranged.voxel_size),
        "unit": None if source is None else source.unit,
        "origin": None if arranged is None or arranged.origin is None else list(arranged.origin),
        "values": None
        if values is None
        else {
            "distinct": None if values.distinct is None else ["nan" if v != v else v for v in values.distinct],
            "min": values.low,
            "max": values.high,
            "n_not_finite": values.n_not_finite,
            "n_read": values.n_read,
            "n_total": values.n_total,
        },
        "notes": [] if source is None else list(source.notes),
        "imports": [
            {
                "command": _command(choice, path, name),
                "n_samples": choice.n_samples,
                "grid": choice.grid.to_dict(),
                "phase_values": choice.phase_values,
                "threshold": choice.threshold,
                "region": choice.region,
                "windows": None
                if choice.windows is None
                else dict(zip(("size", "stride"), choice.windows, strict=True)),
            }
            for choice in found.choices
        ],
        # Paths as they were given; readers are handed absolute ones.
        "advice": [text.replace(str(path.expanduser().absolute()), str(path)) for text in found.advice],
    }


def _command(choice: Choice, path: Path, name: str | None) -> str:
    """Return the command that imports a file, to be pasted."""
    stem = path.stem.split(".")[0] or "structures"
    out = f"{stem}.zarr" if path.suffix != ".zarr" else f"{stem}-structures.zarr"
    options = {
        "--name": name,
        "--axes": choice.axes,
        "--region": choice.region,
        "--phase-values": choice.phase_values,
        "--threshold": choice.threshold,
    }
    words = ["matvae", "import", str(path), out]
    words += [word for option, value in options.items() if value is not None for word in (option, value)]
    return shlex.join(words)


def _structures(structures: Structures) -> dict[str, Any]:
    return {
        "n_samples": len(structures),
        "grid": structures.grid.to_dict(),
        "dtype": str(structures.data.dtype),
        "mask": structures.mask is not None,
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
        root = read_json(path / "zarr.json")
        array = read_json(path / name / "zarr.json")
        return {
            "shape": array["shape"],
            "dimensions": array["dimension_names"],
            "dtype": array["data_type"],
            "properties": sorted(
                file.parent.name
                for file in path.glob("*/zarr.json")
                if file.parent.name != name and read_json(file)["dimension_names"] == ["sample"]
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
    from ..estimator.card_page import card_facts
    from ..estimator.saving import model_sha256
    from ..evaluate.measure import decodes_statistics

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
        "in_epochs": not decodes_statistics(estimator),
        "card": card_facts(estimator),
        "sha256": model_sha256(path),
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
