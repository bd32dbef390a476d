"""2-point statistics on disk, and the grid of the structures to reconstruct from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...data.layout import MASK, array_names, check_chunks
from ...data.lazy_array import Box, LazyArray
from ...errors import InputError, StoreError
from ...grid import Grid
from ...shortage import raise_shortage
from ...stats import lag_shape, resolve_correlations
from ...stats.correlations import Pairs

FORMATS = (".zarr", ".npy")


@dataclass(frozen=True)
class StoredStatistics:
    """2-point statistics that are read in parts.

    Parameters
    ----------
    path : Path
    array : array-like ``(sample, *lag, correlation)``
        A zarr array, or a .npy file.
    grid : Grid
        Grid of the structures to reconstruct.
    correlations : sequence of (int, int)
        Pairs of phases along the last axis.
    lags : tuple of slice
        The lags that exist on this grid.
    properties, units : mapping
        Values ``(sample,)`` and unit of each property.
    mask : array-like, optional
        ``(sample, *space)``: voxels inside the masks of the structures, to which the statistics belong.
    """

    path: Path
    array: Any
    grid: Grid
    correlations: Pairs
    lags: tuple[slice, ...]
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    mask: Any = None

    def __len__(self) -> int:
        return self.array.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample as returned by `read`, ``(*lag, correlation)``."""
        return (*(len(range(n)[part]) for n, part in self._axes), self.array.shape[-1])

    @property
    def _axes(self) -> list[tuple[int, slice]]:
        return list(zip(self.array.shape[1:-1], self.lags, strict=True))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the statistics of the samples from `start` to `stop` as float32.

        Raises
        ------
        StoreError
            If they are damaged.
        """
        try:
            # zarr accepts slices only in a tuple.
            block = np.asarray(self.array[(slice(start, stop),)])
        except (ValueError, RuntimeError, OSError) as error:
            raise_shortage(error)
            raise _damaged(self.path, error) from error
        return block[(slice(None), *self.lags)].astype(np.float32, copy=False)

    def read_mask(self, start: int, stop: int) -> np.ndarray | None:
        """Read the masks of the samples from `start` to `stop` as bool, if there are any.

        Raises
        ------
        StoreError
            If they are damaged.
        """
        if self.mask is None:
            return None
        try:
            return np.asarray(self.mask[(slice(start, stop),)]).astype(bool)
        except (ValueError, RuntimeError, OSError) as error:
            raise_shortage(error)
            raise _damaged(self.path, error) from error


def open_statistics(
    path: str | Path,
    *,
    size: int | Sequence[int] | None = None,
    periodic: bool | None = None,
    phases: int | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
) -> StoredStatistics:
    """Open 2-point statistics for reconstruction.

    Parameters
    ----------
    path : path
        Group written by `compute_statistics`, or a .npy array ``(sample, *lag, correlation)`` in matvae's convention.
    size : int or sequence of int, optional
        Number of voxels of a structure along each axis; by default that of the structures behind the statistics.
    periodic : bool, optional
        Whether structures are to be periodic; by default as in the computation of the statistics.
    phases, correlations : optional
        For a .npy array only: the number of phases, and the pairs if they are not matvae's default.

    Raises
    ------
    InputError
        If these are not 2-point statistics, or information on their structures is missing.
    StoreError
        If they are damaged or incomplete.
    """
    source = Path(path)
    if not source.exists():
        raise InputError(f"There is no file or store {path}. Pass the statistics that `matvae stats` wrote.")
    if source.suffix.lower() == ".npy":
        return _open_npy(source, size, periodic, phases, correlations)
    if source.suffix.lower() != ".zarr":
        raise InputError(f"Statistics are stored as {' or '.join(FORMATS)}, but {path} was given.")
    if phases is not None or correlations is not None:
        raise InputError(
            f"{path} itself states the number of phases and the pairs of its statistics; phases and correlations are "
            "for .npy arrays only. Leave them out."
        )
    return _open_zarr(source, size, periodic)


def _open_npy(
    path: Path,
    size: int | Sequence[int] | None,
    periodic: bool | None,
    phases: int | None,
    correlations: Sequence[Sequence[int]] | None,
) -> StoredStatistics:
    if size is None or periodic is None or phases is None:
        values = {"size": size, "periodic": periodic, "phases": phases}
        missing = [name for name, value in values.items() if value is None]
        raise InputError(
            f"{path} is an array without information on its structures: also pass size (voxels along each axis), "
            f"periodic (True or False) and phases; {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} "
            "missing. Statistics written by `matvae stats` contain this information."
        )
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is not a readable .npy array ({error}). Write it with numpy.save.") from error
    _check_array(path, mapped)
    # Unlike a memory map, it can be sent to a worker without its values.
    whole = tuple((n,) for n in mapped.shape)
    array = LazyArray(str(path), mapped.shape, mapped.dtype, whole, partial(_read_npy, path.absolute()))
    grid = Grid(_shape(size, array.ndim - 2), phases=phases, periodic=periodic)
    pairs = resolve_correlations(correlations, grid.phases)
    return StoredStatistics(path, array, grid, pairs, (slice(None),) * (array.ndim - 2))


def _open_zarr(path: Path, size: int | Sequence[int] | None, periodic: bool | None) -> StoredStatistics:
    import zarr

    try:
        group = zarr.open_group(path.absolute(), mode="r")
        array, metadata = group["statistics"], group.attrs["matvae"]
        array_names(group)
    except (FileNotFoundError, KeyError) as error:
        raise InputError(
            f"{path} holds no 2-point statistics. Compute them from structures with `matvae stats`."
        ) from error
    except (ValueError, TypeError) as error:
        raise _damaged(path, error) from error
    if not isinstance(metadata, Mapping) or metadata.get("statistic") != "two_point":
        kind = metadata.get("statistic") if isinstance(metadata, Mapping) else None
        raise InputError(
            f"Structures are reconstructed from 2-point statistics, but {path} holds {kind or 'something else'}. "
            "Compute 2-point statistics with `matvae stats`."
        )
    for name, column in group.arrays():
        check_chunks(column, f"The array {name!r} of {path}", whole_samples=True)
    if array.nchunks_initialized < array.nchunks:
        missing = array.nchunks - array.nchunks_initialized
        raise _damaged(path, f"{missing} of {array.nchunks} chunks are missing")
    try:
        source_grid = replace(Grid.from_dict(metadata["grid"]), periodic=metadata["periodic"])
        pairs = resolve_correlations(metadata["correlations"], source_grid.phases)
        names = [name for name, column in group.arrays() if column.metadata.dimension_names == ("sample",)]
        properties = {name: np.asarray(group[name][:], dtype=np.float64) for name in names}
        units = {name: str(group[name].attrs["unit"]) for name in names if "unit" in group[name].attrs}
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from error
    _check_array(path, array)
    if any(len(values) != array.shape[0] for values in properties.values()):
        raise _damaged(path, "a property does not have one value per sample")
    grid = source_grid if periodic is None else replace(source_grid, periodic=periodic)
    if size is not None:
        grid = replace(grid, shape=_shape(size, grid.ndim))
    mask = group.get(MASK)
    if mask is not None and grid != source_grid:
        raise InputError(
            f"The statistics in {path} count voxels inside a mask of {source_grid.shape} voxels, and are reconstructed "
            "there only. Leave out size and periodic (--size, --periodic), or compute statistics of windows that lie "
            "inside the mask entirely (matvae import STORE WINDOWS.zarr --window N --min-valid 1)."
        )
    if mask is not None and (mask.shape != (array.shape[0], *grid.shape) or mask.nchunks_initialized < mask.nchunks):
        raise _damaged(path, "the mask is incomplete")
    lags = _possible_lags(array.shape[1:-1], grid)
    return StoredStatistics(path, array, grid, pairs, lags, properties, units, mask)


def _read_npy(path: Path, box: Box) -> np.ndarray:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[box])


def _check_array(path: Path, array: Any) -> None:
    if not 3 <= array.ndim <= 5 or array.dtype.kind != "f" or not array.shape[0]:
        raise InputError(
            f"Statistics (sample, *lag, correlation) with one to three axes of lags and real values are expected, but "
            f"{path} holds an array of shape {array.shape} and type {array.dtype}. Compute them with `matvae stats`."
        )


def _shape(size: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    shape = (size,) * ndim if isinstance(size, int) else tuple(size)
    if len(shape) != ndim:
        raise InputError(
            f"size must be one number of voxels, or one for each of the {ndim} axes, but {size!r} was given."
        )
    return shape


def _possible_lags(lags: tuple[int, ...], grid: Grid) -> tuple[slice, ...]:
    """Slices of all lags if they match the grid, otherwise of the symmetric window that exists on both."""
    if lags == lag_shape(grid.shape, grid.periodic):
        return (slice(None),) * len(lags)
    largest = ((n - 1) // 2 if grid.periodic else n - 1 for n in grid.shape)
    cutoffs = [min((n - 1) // 2, most) for n, most in zip(lags, largest, strict=True)]
    return tuple(slice(n // 2 - c, n // 2 + c + 1) for n, c in zip(lags, cutoffs, strict=True))


def _damaged(path: Path, reason: Any) -> StoreError:
    return StoreError(f"The statistics in {path} are damaged ({reason}). Compute them again with `matvae stats`.")
