"""Latents on disk: a zarr group (array `latent`), a .npy array, or a .csv table with a header."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...data.layout import check_chunks
from ...errors import InputError, StoreError
from ...estimator.latent_columns import component_order
from ...files import atomic_output
from ...room import expecting
from ...shortage import raise_shortage
from .arrays import ArrayWriter, new_array

FORMATS = (".zarr", ".npy", ".csv")
# Longest number in a .csv, such as -1.23456789e-38, with the comma behind it.
CSV_BYTES = 16


def latent_format(path: str | Path) -> str:
    """Return the suffix, which determines how latents are stored.

    Raises
    ------
    InputError
        If it is not .zarr, .npy or .csv.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"Latents are stored as {', '.join(FORMATS)}, but {path} was given. Choose one of these suffixes."
        )
    return suffix


@contextmanager
def new_latents(
    out: Path,
    n_samples: int,
    names: Sequence[str],
    *,
    attributes: Mapping[str, Any],
    properties: Mapping[str, np.ndarray],
    units: Mapping[str, str],
) -> Iterator[Callable[[np.ndarray], object]]:
    """Write latents block by block; the file or group appears only when it is complete.

    Parameters
    ----------
    out : Path
        Ends in .zarr, .npy or .csv.
    n_samples : int
        Number of samples that will be written.
    names : sequence of str
        One per component, the header of a .csv.
    attributes, properties, units
        Root attributes, properties ``(sample,)`` and their units; only .zarr stores them.

    Yields
    ------
    callable
        Takes the next block ``(k, component)``.
    """
    shape = (n_samples, len(names))
    suffix = latent_format(out)
    if suffix == ".zarr":
        with latent_array(out, shape, attributes=attributes, properties=properties, units=units) as writer:
            yield writer.append
    elif suffix == ".npy":
        # Not a memory map: a full disk would end the process with a bus error.
        header = _npy_header(shape)
        n_bytes = len(header) + 4 * math.prod(shape)
        with (
            expecting(out, n_bytes, exactly=True),
            atomic_output(out) as temporary,
            temporary.open("wb") as npy,
        ):
            npy.write(header)
            yield lambda block: npy.write(np.ascontiguousarray(block, np.float32).data)
    else:
        first_line = ",".join(names) + "\n"
        with (
            expecting(out, len(first_line) + CSV_BYTES * math.prod(shape)),
            atomic_output(out) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            file.write(first_line)
            # Nine digits represent a float32 exactly.
            yield lambda block: np.savetxt(file, block, delimiter=",", fmt="%.9g")


@contextmanager
def latent_array(
    out: Path,
    shape: tuple[int, int],
    *,
    attributes: Mapping[str, Any],
    properties: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    resume: bool = False,
    kept: Path | None = None,
) -> Iterator[ArrayWriter]:
    """Write latents ``(sample, component)`` to a new zarr group, or complete an existing one; see `new_array`."""
    with new_array(out, "latent", shape, ("sample", "component"), attributes, resume=resume, kept=kept) as writer:
        yield writer
        for name, values in properties.items():
            writer.add(name, values, "sample", unit=units.get(name))


def read_latents(path: str | Path) -> np.ndarray:
    """Read latents ``(sample, component)``, float32, written by `new_latents` or any other program.

    The columns of a .csv go by their names, in any order; see `component_order`.

    Raises
    ------
    InputError
        If the file is missing, is not a table of finite numbers, or contains no samples, or if columns are no
        components.
    StoreError
        If a zarr group is damaged.
    """
    suffix = latent_format(path)
    if not Path(path).exists():
        raise InputError(f"There is no file or store {path}. Pass the latents that `matvae transform` wrote.")
    values = {".zarr": _read_zarr, ".npy": _read_npy, ".csv": _read_csv}[suffix](Path(path))
    if values.ndim != 2 or len(values) == 0 or values.dtype.kind not in "fiu":
        raise InputError(
            f"Latents (sample, component) are expected, but {path} contains an array of shape {values.shape} and type "
            f"{values.dtype}. Pass the latents that `matvae transform` wrote."
        )
    latents = values.astype(np.float32)
    if not np.isfinite(latents).all():
        bad = np.flatnonzero(~np.isfinite(latents).all(axis=1))
        raise InputError(
            f"{path} contains NaN or infinity, first in sample {bad[0]} ({len(bad)} samples in total). Remove these "
            "samples."
        )
    return latents


def _npy_header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"shape": shape, "fortran_order": False, "descr": np.dtype(np.float32).str}
    )
    return header.getvalue()


def _read_zarr(path: Path) -> np.ndarray:
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        array = group["latent"]
    except (FileNotFoundError, KeyError) as error:
        raise InputError(
            f"{path} contains no array 'latent'. Pass the latents that `matvae transform` wrote."
        ) from error
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"The latents in {path} are damaged ({error}). Write them again with `matvae transform`."
        ) from error
    check_chunks(array, f"The array of latents in {path}")
    try:
        if array.nchunks_initialized < array.nchunks:
            missing = array.nchunks - array.nchunks_initialized
            raise StoreError(
                f"{missing} of {array.nchunks} chunks of the latents in {path} are missing. Write them again with "
                "`matvae transform`."
            )
        return np.asarray(array[...])
    except (ValueError, RuntimeError) as error:
        raise_shortage(error)
        raise StoreError(
            f"The latents in {path} are damaged ({error}). Write them again with `matvae transform`."
        ) from error


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy array ({error}). Write it with numpy.save.") from error


def _read_csv(path: Path) -> np.ndarray:
    with open(path, encoding="utf-8-sig") as file:
        header = file.readline().strip().split(",")
    if all(_is_number(entry) for entry in header):
        raise InputError(
            f"The first line of {path} should name the components, as `matvae transform` writes it, but contains "
            "numbers. Insert a line such as z0,z1,... above them."
        )
    try:
        order = component_order(header)
    except InputError as error:
        raise InputError(f"The columns of {path}: {error}") from error
    try:
        return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)[:, order]
    except ValueError as error:
        raise InputError(
            f"{path} is not a table of numbers with one header line and a comma between columns ({error})."
        ) from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
