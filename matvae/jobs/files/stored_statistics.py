"""2-point statistics on disk, and the structures they are to become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError, StoreError
from ...grid import Grid
from ...stats import lag_shape, resolve_correlations
from ...stats.correlations import Pairs

FORMATS = (".zarr", ".npy")


@dataclass(frozen=True)
class StoredStatistics:
    """2-point statistics that are read a part at a time.

    Parameters
    ----------
    path : Path
    array : array-like ``(sample, *lag, correlation)``
        zarr, or a file in the memory's map.
    grid : Grid
        What a structure that has them is to be.
    correlations : sequence of (int, int)
        Pairs of phases along the last axis.
    lags : tuple of slice
        Which lags a structure of this grid can have.
    properties, units : mapping
        Property name to numbers ``(sample,)``, and to its unit.
    """

    path: Path
    array: Any
    grid: Grid
    correlations: Pairs
    lags: tuple[slice, ...]
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.array.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what `read` gives of one sample, ``(*lag, correlation)``."""
        return (*(len(range(n)[part]) for n, part in self._axes), self.array.shape[-1])

    @property
    def _axes(self) -> list[tuple[int, slice]]:
        return list(zip(self.array.shape[1:-1], self.lags, strict=True))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Statistics of the samples from `start` to `stop`, float32.

        Raises
        ------
        StoreError
            If they are damaged.
        """
        try:
            # zarr selects slices only where the index is a tuple.
            block = np.asarray(self.array[(slice(start, stop),)])
        except (ValueError, RuntimeError, OSError) as error:
            raise _damaged(self.path, error) from error
        return block[(slice(None), *self.lags)].astype(np.float32, copy=False)


def open_statistics(
    path: str | Path,
    *,
    size: int | Sequence[int] | None = None,
    periodic: bool | None = None,
    phases: int | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
) -> StoredStatistics:
    """Open 2-point statistics to make structures of.

    Parameters
    ----------
    path : path
        Group that `compute_statistics` wrote, or a .npy array ``(sample, *lag, correlation)`` of matvae's convention.
    size : int or sequence of int, optional
        Voxels of a structure along each axis; by default those of the structures the statistics come from.
    periodic : bool, optional
        Whether a structure is to go on at its other side; by default as the statistics were made.
    phases, correlations : optional
        Of a .npy array only: the number of phases, and the pairs if they are not matvae's default.

    Raises
    ------
    InputError
        If these are not 2-point statistics, or what they are does not follow.
    StoreError
        If they are damaged or incomplete.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"There is no file or store {path}. Give the statistics that `matvae stats` wrote.")
    if place.suffix.lower() == ".npy":
        return _open_npy(place, size, periodic, phases, correlations)
    if place.suffix.lower() != ".zarr":
        raise InputError(f"Statistics are stored as {' or '.join(FORMATS)}, but {path} was given.")
    if phases is not None or correlations is not None:
        raise InputError(
            f"{path} says itself of how many phases and of which pairs its statistics are, so phases and correlations "
            "are for .npy arrays only. Leave them out."
        )
    return _open_zarr(place, size, periodic)


def _open_npy(
    path: Path,
    size: int | Sequence[int] | None,
    periodic: bool | None,
    phases: int | None,
    correlations: Sequence[Sequence[int]] | None,
) -> StoredStatistics:
    if size is None or periodic is None or phases is None:
        given = {"size": size, "periodic": periodic, "phases": phases}
        missing = [name for name, value in given.items() if value is None]
        raise InputError(
            f"{path} is an array and does not say what its statistics are of: give size (voxels along each axis), "
            f"periodic (or not) and phases, too; {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} "
            "missing. Statistics that `matvae stats` writes say it themselves."
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy array ({error}). Write it with numpy.save.") from error
    _check_array(path, array)
    grid = Grid(_shape(size, array.ndim - 2), phases=phases, periodic=periodic)
    pairs = resolve_correlations(correlations, grid.phases)
    return StoredStatistics(path, array, grid, pairs, (slice(None),) * (array.ndim - 2))


def _open_zarr(path: Path, size: int | Sequence[int] | None, periodic: bool | None) -> StoredStatistics:
    import zarr

    try:
        group = zarr.open_group(path, mode="r")
        array, about = group["statistics"], group.attrs["matvae"]
    except (FileNotFoundError, KeyError) as error:
        raise InputError(
            f"{path} holds no 2-point statistics. Give what `matvae stats` wrote; with it structures become statistics."
        ) from error
    except (ValueError, TypeError) as error:
        raise _damaged(path, error) from error
    if not isinstance(about, Mapping) or about.get("statistic") != "two_point":
        kind = about.get("statistic") if isinstance(about, Mapping) else None
        raise InputError(
            f"Structures are made of 2-point statistics, but {path} holds {kind or 'something else'}. Compute 2-point "
            "statistics with `matvae stats`."
        )
    if array.nchunks_initialized < array.nchunks:
        missing = array.nchunks - array.nchunks_initialized
        raise _damaged(path, f"{missing} of {array.nchunks} chunks are missing")
    try:
        window = replace(Grid.from_dict(about["grid"]), periodic=bool(about["periodic"]))
        pairs = resolve_correlations(about["correlations"], window.phases)
        names = [name for name, found in group.arrays() if found.metadata.dimension_names == ("sample",)]
        properties = {name: np.asarray(group[name][:], dtype=np.float64) for name in names}
        units = {name: str(group[name].attrs["unit"]) for name in names if "unit" in group[name].attrs}
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from error
    _check_array(path, array)
    if any(len(values) != array.shape[0] for values in properties.values()):
        raise _damaged(path, "a property has another length than the statistics")
    grid = window if periodic is None else replace(window, periodic=periodic)
    if size is not None:
        grid = replace(grid, shape=_shape(size, grid.ndim))
    return StoredStatistics(path, array, grid, pairs, _possible_lags(array.shape[1:-1], grid), properties, units)


def _check_array(path: Path, array: Any) -> None:
    if not 3 <= array.ndim <= 5 or array.dtype.kind != "f" or not array.shape[0]:
        raise InputError(
            f"Statistics (sample, *lag, correlation) of one to three axes are expected, but {path} holds an array of "
            f"shape {array.shape} and type {array.dtype}."
        )


def _shape(size: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    shape = (size,) * ndim if isinstance(size, int) else tuple(size)
    if len(shape) != ndim:
        raise InputError(f"size must be one number of voxels, or {ndim}, one an axis, but {size!r} was given.")
    return shape


def _possible_lags(lags: tuple[int, ...], grid: Grid) -> tuple[slice, ...]:
    """All lags where they are those of the grid, else those that it has among them, as many to both sides."""
    if lags == lag_shape(grid.shape, grid.periodic):
        return (slice(None),) * len(lags)
    largest = ((n - 1) // 2 if grid.periodic else n - 1 for n in grid.shape)
    reach = [min((n - 1) // 2, most) for n, most in zip(lags, largest, strict=True)]
    return tuple(slice(n // 2 - c, n // 2 + c + 1) for n, c in zip(lags, reach, strict=True))


def _damaged(path: Path, reason: Any) -> StoreError:
    return StoreError(f"The statistics in {path} are damaged ({reason}). Make them anew with `matvae stats`.")
