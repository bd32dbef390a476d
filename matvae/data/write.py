"""Writing structures for other programs, in any format that has a writer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import dask.array as da
import numpy as np

from ..errors import InputError, StoreError
from ..files import move_into_place, read_json, unfinished
from ..grid import MAX_PHASES, Grid
from .checks import check_values
from .sample_blocks import Progress
from .structures import Structures, as_dask
from .writers import WRITERS, Writer
from .writers.layers import in_space

Samples = int | slice | Literal["all"] | None


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    files : tuple of Path
        Files or folders, sample by sample.
    format : str
        Name of the format.
    samples : tuple of int
        Indices of the samples.
    grid : Grid
        Grid of one sample as it is written: axes in the order z, y, x, and as many as the format needs.
    notes : tuple of str
        What a reader of the files should know: what the format does not hold, and what was added.
    """

    files: tuple[Path, ...]
    format: str
    samples: tuple[int, ...]
    grid: Grid
    notes: tuple[str, ...]


def write(
    structures: Structures | np.ndarray | da.Array,
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    samples: Samples = None,
    grid: Grid | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Write structures for another program: ParaView, ImageJ, DAMASK, Abaqus and others.

    Files appear only once all of them are complete. Labels are written as they are, continuous fields as float32.

    Parameters
    ----------
    structures : Structures, numpy.ndarray or dask.array.Array
        Structures, or an array on a given `grid`: one structure ``(*space)`` or several ``(sample, *space)``.
    path : path-like
        File to write, or folder for OME-Zarr; its ending chooses the format. With several samples in a format that
        holds one, numbers are added: ``rock.vti`` becomes ``rock_0003.vti``. STL adds the phase: ``rock_phase1.stl``.
    format : str, optional
        Name of a format, where the ending is not enough: ``"vti"``, ``"damask"``, ``"tiff"`` (ImageJ), ``"ome-tiff"``,
        ``"npy"``, ``"raw"``, ``"ome-zarr"``, ``"abaqus"``, ``"stl"``, or that of a plugin.
    samples : int, slice or "all", optional
        Which samples to write: ``3``, ``slice(0, 10)`` or ``"all"``. By default the only one, or all if the format
        holds several in one file.
    grid : Grid, optional
        Grid of one structure; required for an array. For `Structures` it replaces their grid.
    overwrite : bool
        Whether existing files may be replaced.
    progress : callable, optional
        Called with the number of samples that are written and their total; formats that hold several count as one.

    Returns
    -------
    Written
        The files, and what their reader should know.

    Raises
    ------
    InputError
        If the format or the samples are not clear, the format cannot hold the structures, or a file exists.
    MissingExtraError
        If a library is missing; the message names the extra.
    StoreError
        If a file cannot be written.
    """
    target = Path(path).expanduser()
    name, writer = _find_writer(target, format)
    chosen, numbers = _choose(_as_structures(structures, grid), samples, name, writer)
    if chosen.grid.phases == 1 and "fields" not in writer.holds:
        raise InputError(
            f"{name} holds the labels of phases, but the structures are continuous fields. Segment them first, or "
            f"write a format that holds fields: {', '.join(_holding('fields'))}."
        )
    visible, masked = _with_outside(chosen)
    ready, notes = _prepare(visible, numbers[0], name, writer)
    parts = _parts(target, ready, numbers, writer)
    outputs = [file for part_path, _ in parts for file in writer.paths(part_path, ready.grid)]
    _check_outputs(outputs, target.parent, overwrite)
    files, more = _write_parts(writer, parts, outputs, overwrite, progress)
    return Written(tuple(files), name, numbers, ready.grid, (*masked, *notes, *more))


def is_replaceable(path: Path) -> bool:
    """Return whether `write` replaces this path if it may overwrite: a file, or a folder of OME-Zarr."""
    if not path.is_dir():
        return True
    try:
        return "ome" in read_json(path / "zarr.json")["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _find_writer(path: Path, format: str | None) -> tuple[str, Writer]:
    if format is not None:
        writer: Writer = WRITERS.get(format)
        if not _endings(path, writer):
            raise InputError(
                f"A file of the format {format} ends in {' or '.join(writer.suffixes)}, but {path.name} was given. "
                f"Name it {path.name.split('.')[0]}{writer.suffixes[0]}."
            )
        return format, writer
    # Built-in writers come first, so that a broken plugin affects only those who need it.
    builtin = {name: WRITERS.get(name) for name in WRITERS.builtin}
    for writers in (builtin, {name: WRITERS.get(name) for name in WRITERS.names() if name not in builtin}):
        fitting = {name: max(map(len, endings)) for name, w in writers.items() if (endings := _endings(path, w))}
        if fitting:
            name = max(fitting, key=lambda name: fitting[name])
            return name, writers[name]
    listed = ", ".join(f"{name} ({' '.join(writer.suffixes)})" for name, writer in builtin.items())
    raise InputError(
        f"The ending of {path.name} should name the format in which to write it, but names none. Formats are {listed}."
    )


def _endings(path: Path, writer: Writer) -> list[str]:
    return [suffix for suffix in writer.suffixes if path.name.lower().endswith(suffix) and path.name != suffix]


def _holding(what: str) -> list[str]:
    return [name for name in WRITERS.builtin if what in WRITERS.get(name).holds]


def _as_structures(structures: Structures | np.ndarray | da.Array, grid: Grid | None) -> Structures:
    if isinstance(structures, Structures):
        return structures if grid is None else replace(structures, grid=grid)
    array = structures if isinstance(structures, da.Array) else np.asarray(structures)
    if grid is None:
        raise InputError(
            f"An array does not say what its axes and values are, here of shape {array.shape}. Pass its grid: "
            "grid=matvae.Grid((64, 64, 64), phases=2, voxel_size=0.5, unit='micrometer'), or Structures."
        )
    if array.shape == grid.shape:
        array = array[None]
    return Structures(array if isinstance(array, da.Array) else as_dask(array), grid)


def _choose(structures: Structures, samples: Samples, name: str, writer: Writer) -> tuple[Structures, tuple[int, ...]]:
    count = len(structures)
    if samples is None:
        if count > 1 and "samples" not in writer.holds:
            raise InputError(
                f"A file of the format {name} holds one sample, but there are {count}. Choose with samples=0, "
                f"samples=slice(0, {min(count, 10)}) or samples='all' (--sample 0, --samples 0:{min(count, 10)} or "
                "--samples all)."
            )
        samples = "all"
    if isinstance(samples, str) and samples == "all":
        samples = slice(0, count)
    if isinstance(samples, int | np.integer) and not isinstance(samples, bool):
        samples = slice(int(samples), int(samples) + 1)
    if not isinstance(samples, slice) or samples.step not in (None, 1):
        raise InputError(f"samples must be an index, a slice with step 1, or 'all', but {samples!r} was given.")
    start, stop = samples.start or 0, count if samples.stop is None else samples.stop
    if not 0 <= start < stop <= count:
        raise InputError(
            f"There are the samples 0 to {count - 1}, but {start}:{stop} were chosen. Choose among those (--sample, "
            "--samples)."
        )
    return structures[start:stop], tuple(range(start, stop))


def _with_outside(structures: Structures) -> tuple[Structures, list[str]]:
    """Make voxels outside a mask a phase of their own, since formats hold no masks."""
    grid, mask = structures.grid, structures.mask
    if mask is None:
        return structures, []
    if grid.phases in (1, MAX_PHASES):
        what = "a continuous field" if grid.phases == 1 else f"{MAX_PHASES} phases"
        raise InputError(
            f"Voxels outside a mask are written as a phase of their own, which {what} leaves no value for. Write "
            "windows that lie inside the mask: windows(structures, size, min_valid=1) (matvae import --window N "
            "--min-valid 1)."
        )
    data = da.where(mask, structures.data, np.uint8(grid.phases))
    note = f"Voxels outside the mask are written as phase {grid.phases}."
    return replace(structures, data=data, grid=replace(grid, phases=grid.phases + 1), mask=None), [note]


def _prepare(structures: Structures, first: int, name: str, writer: Writer) -> tuple[Structures, list[str]]:
    """Check and convert values, bring the axes into order, and list what the format does not hold."""
    grid, dtype = structures.grid, np.dtype(np.float32 if structures.grid.phases == 1 else np.uint8)
    data = structures.data.map_blocks(
        partial(_converted, phases=grid.phases, dtype=dtype, first=first),
        dtype=dtype,
        meta=np.empty((0,) * structures.data.ndim, dtype),
    )
    notes = []
    if grid.voxel_size is None:
        # A unit or a position means nothing for a structure whose size is unknown.
        grid = replace(grid, unit=None, origin=None)
        if "voxel_size" in writer.holds:
            notes.append(
                "The voxel size is not known, so that lengths in the file count voxels. To state it, pass "
                "voxel_size=0.5, unit='micrometer' to open_structures or Grid (--voxel-size 0.5 --unit micrometer)."
            )
    elif grid.unit is None and "unit" in writer.holds:
        notes.append(
            "The unit of the voxel size is not known, and the file states none. To state it, pass unit='micrometer' to "
            "open_structures or Grid (--unit micrometer)."
        )
    if lost := _lost(grid, writer):
        notes.append(f"{name} does not hold the {' and '.join(lost)}: enter it in the program that opens the file.")
    ready, changes = in_space(replace(structures, data=data, grid=grid, properties={}, units={}), writer.least_dims)
    return ready, [*notes, *changes]


def _lost(grid: Grid, writer: Writer) -> list[str]:
    """Return what is known of a grid and not held by the format."""
    lost = []
    if grid.voxel_size and "voxel_size" not in writer.holds:
        lost.append(f"voxel size ({_text(grid.voxel_size, grid.unit)})")
    elif grid.unit and "unit" not in writer.holds:
        lost.append(f"unit ({grid.unit})")
    # At zero, a position is what every program assumes.
    if grid.origin and any(grid.origin) and "origin" not in writer.holds:
        lost.append(f"origin ({_text(grid.origin, grid.unit)})")
    return lost


def _text(lengths: Sequence[float], unit: str | None) -> str:
    return f"{' x '.join(f'{length:g}' for length in lengths)} {unit or ''}".rstrip()


def _converted(block: np.ndarray, phases: int, dtype: np.dtype, first: int, block_info: Any = None) -> np.ndarray:
    first_sample = first + (block_info[0]["array-location"][0][0] if block_info else 0)
    check_values(block, phases, source="The array to be written", first_sample=first_sample)
    with np.errstate(over="ignore"):
        converted = block.astype(dtype, copy=False)
    if phases == 1:
        check_values(converted, 1, source="The array to be written, as float32,", first_sample=first_sample)
    return converted


def _parts(path: Path, structures: Structures, numbers: Sequence[int], writer: Writer) -> list[tuple[Path, Structures]]:
    """Return the path of every file with the structures that it holds."""
    if len(numbers) == 1 or "samples" in writer.holds:
        return [(path, structures)]
    ending = path.name[-max(map(len, _endings(path, writer))) :]
    stem = path.name[: -len(ending)]
    width = max(4, len(str(numbers[-1])))
    return [
        (path.with_name(f"{stem}_{number:0{width}}{ending}"), structures[i : i + 1]) for i, number in enumerate(numbers)
    ]


def _check_outputs(outputs: Sequence[Path], folder: Path, overwrite: bool) -> None:
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist. Create it first.")
    existing = [path for path in outputs if os.path.lexists(path)]
    if existing and not overwrite:
        others = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise InputError(
            f"{existing[0]}{others} exists already. Choose another name, or pass overwrite=True (--overwrite)."
        )
    for path in existing:
        if not is_replaceable(path):
            raise InputError(
                f"{path} is a folder and not an OME-Zarr image, so it is not replaced. Remove it yourself, or choose "
                "another name."
            )


def _write_parts(
    writer: Writer,
    parts: Sequence[tuple[Path, Structures]],
    outputs: Sequence[Path],
    overwrite: bool,
    progress: Progress | None,
) -> tuple[list[Path], list[str]]:
    """Write into a temporary folder beside the destination, and move the files once all of them are complete."""
    notes: list[str] = []
    try:
        with unfinished(parts[0][0]) as temporary:
            for done, (path, structures) in enumerate(parts, start=1):
                # A note that holds for every file is said once.
                notes += [note for note in writer.write(temporary / path.name, structures) if note not in notes]
                if progress is not None:
                    progress(done, len(parts))
            written = [path for path in outputs if (temporary / path.name).exists()]
            _check_outputs(written, parts[0][0].parent, overwrite)
            for path in written:
                move_into_place(temporary / path.name, path)
            # Files of an earlier export that this one lacks, such as the surface of an absent phase, are outdated.
            for path in set(outputs) - set(written):
                path.unlink(missing_ok=True)
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise _unwritable(parts[0][0], error) from error
    return written, notes


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be written: {error.strerror or error}. Nothing of it remains. Free some space, obtain write "
        "permission, or choose another folder."
    )
