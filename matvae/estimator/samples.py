"""Samples: what a user passes to an estimator, checked by scikit-learn's rules and understood."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn import exceptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..boundaries import warn_of_open_boundaries
from ..data.subsets import within
from ..errors import InputError, NotFittedError
from ..given import Given
from ..grid import Grid
from ..stats.form import check_meaning
from ..stats.map_samples import as_tensor, is_dask, whole_samples
from .card import ModelCard
from .latent_columns import component_order
from .sample_layout import SampleLayout, as_given

REMEDY = (
    "Pass periodic=False, and a cutoff of about half the window. If they are periodic nonetheless, pass Structures, "
    "whose grid says so."
)
# Numpy arrays are read in blocks of about this size.
BLOCK_BYTES = 64 << 20


@dataclass(frozen=True)
class Samples:
    """Samples as an array, with how it holds them and what structures they are.

    Parameters
    ----------
    array : numpy.ndarray or dask.array.Array ``(sample, ...)``
        A dask array has whole samples in each chunk.
    layout : SampleLayout
    grid : Grid
    mask : dask.array.Array of bool ``(sample, *space)`` or None
        Voxels that belong to the sample, in the chunks of the array; None if all do.
    card : ModelCard
        What is known of the origin of those passed to `fit`.
    """

    array: Any
    layout: SampleLayout
    grid: Grid
    mask: Any = None
    card: ModelCard = field(default_factory=ModelCard)

    @classmethod
    def of(cls, estimator: Any, X: Any) -> Samples:
        """Understand the X of `fit`; the estimator learns its number of features.

        Raises
        ------
        InputError
            If the samples are not what the estimator's parameters say, contain NaN, or are fewer than two.
        TypeError
            For a sparse matrix or complex numbers, in scikit-learn's words.
        """
        structures = as_given(X)
        array = _check_rows(estimator, structures.array, X, reset=True)
        layout, grid = SampleLayout.of(estimator, array, structures)
        if isinstance(estimator.phases, str) and layout.form is not None:
            # Reads on only as long as everything looks like states whose axis was not named, or like labels.
            fields = (as_tensor(read(array, part).reshape(-1, *layout.shape)) for part in blocks_of(array))
            check_meaning(fields, layout.form)
        if estimator.periodic:
            _check_boundaries(array, layout, grid, structures)
        return cls(array, layout, grid, _in_chunks_of(array, structures.mask), ModelCard.of_data(structures))

    @classmethod
    def like(cls, estimator: Any, X: Any) -> Samples:
        """Accept an X that is held like that of an earlier `fit`.

        Raises
        ------
        NotFittedError
            If there was none.
        InputError
            If shape, number of features or kind of values differ, or the samples contain NaN.
        """
        check_fitted(estimator)
        structures, layout = as_given(X), estimator._layout
        array = structures.array
        layout.check_phase_values(structures.phase_values)
        # The shape of structures with axes is more informative than scikit-learn's number of features.
        if array.ndim > 2 or (array.ndim == 2 and tuple(array.shape) == layout.given):
            layout.accept(array)
        accepted = layout.accept(_check_rows(estimator, array, X, reset=False))
        return cls(accepted, layout, estimator.grid_, _in_chunks_of(accepted, structures.mask))

    def __len__(self) -> int:
        return len(self.array)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The samples, followed by their mask if they have one."""
        return (self.array,) if self.mask is None else (self.array, self.mask)

    @property
    def masks(self) -> tuple[Any, ...]:
        """The mask if there is one, as a tuple."""
        return self.arrays[1:]

    def select(self, chosen: np.ndarray) -> Samples:
        """Those samples for which `chosen`, bool ``(sample,)``, is True, in this order."""
        if chosen.all():
            return self
        array, *masks = (each[np.flatnonzero(chosen)] for each in self.arrays)
        return replace(self, array=array, mask=masks[0] if masks else None)

    def without_mask(self, chosen: np.ndarray) -> Samples:
        """Chosen samples as in `select`, all of which lie inside the mask entirely."""
        return replace(self.select(chosen), mask=None)

    def whole(self) -> Samples:
        """Samples that lie inside the mask entirely, without a mask; this reads the mask once."""
        if self.mask is None:
            return self
        return self.without_mask(self.mask.all(axis=tuple(range(1, self.mask.ndim))).compute())

    @property
    def floating_dtype(self) -> np.dtype:
        """Precision of latents and statistics of these samples: double for double, otherwise single."""
        return np.dtype(np.float64 if self.array.dtype == np.float64 else np.float32)


def _check_boundaries(array: Any, layout: SampleLayout, grid: Grid, structures: Given) -> None:
    """Warn of samples in memory that are taken as periodic only because an array cannot say that they are not."""
    if layout.form is None or "periodic" in structures.known or not isinstance(array, np.ndarray):
        return
    block = read(array, blocks_of(array)[0]).reshape(-1, *layout.shape)
    if layout.form.state_axis is not None:
        block = np.moveaxis(block, layout.form.state_axis, -1)
    warn_of_open_boundaries(block, grid.ndim, grid.axes or (), remedy=REMEDY)


def blocks_of(X: Any, max_bytes: int = BLOCK_BYTES) -> list[slice]:
    """Slices along the samples that are cheap to read: a dask array's chunks, or runs of a numpy array."""
    if is_dask(X):
        stops = np.cumsum(X.chunks[0])
        return [slice(int(stop - n), int(stop)) for stop, n in zip(stops, X.chunks[0], strict=True) if n]
    step = max(1, max_bytes // max(1, X[:1].nbytes))
    return [slice(start, min(start + step, len(X))) for start in range(0, len(X), step)]


def read(X: Any, part: slice) -> np.ndarray:
    """Values of a slice, computed if they are lazy."""
    block = X[part]
    # One thread reads one block: the reader runs alongside the model and must not take all cores from it.
    return np.asarray(block.compute(scheduler="synchronous") if is_dask(block) else block)


def read_all(arrays: Sequence[Any], part: slice) -> tuple[np.ndarray, ...]:
    """Values of a slice of each of some arrays."""
    return tuple(read(X, part) for X in arrays)


def read_samples(X: Any, numbers: np.ndarray) -> np.ndarray:
    """Values of some samples, given by their ascending numbers; a dask array is read block by block."""
    if not is_dask(X):
        return np.asarray(X[numbers])
    parts = []
    for part in blocks_of(X):
        inside = within(numbers, part.start, part.stop)
        if len(inside):
            parts.append(read(X, part)[inside])
    return np.concatenate(parts)


def sample_numbers(X: Any) -> Any:
    """Numbers ``(sample, 1)`` of the samples, numpy or dask with the chunks of X."""
    if not is_dask(X):
        return np.arange(len(X))[:, None]
    import dask.array as da

    return da.arange(len(X), chunks=(X.chunks[0],))[:, None]


def check_fitted(estimator: Any) -> None:
    """Refuse an estimator that has not been fitted.

    Raises
    ------
    NotFittedError
        If `fit` has not been called.
    """
    try:
        check_is_fitted(estimator)
    except exceptions.NotFittedError as error:
        raise NotFittedError(str(error)) from error


def check_latents(Z: Any, n_components: int) -> Any:
    """Return latents, or PC scores, as an array of floating-point numbers.

    Parameters
    ----------
    Z : array ``(sample, component)``
        Anything `as_given` accepts but files. The columns of a data frame go by their names, see `component_order`.
    n_components : int

    Returns
    -------
    numpy.ndarray or dask.array.Array ``(sample, component)``
        float32 or float64; a dask array with whole samples in each chunk.

    Raises
    ------
    InputError
        For another shape or type, NaN or infinity, or columns that are no components.
    """
    if isinstance(Z, str | os.PathLike):
        raise InputError(
            f"An array of latents (sample, {n_components}) is expected, but the path {os.fspath(Z)!r} was given. "
            "Read it first, for example with numpy.load(path) or pandas.read_csv(path)."
        )
    names = getattr(Z, "columns", None)
    latents = as_given(Z).array
    if names is not None and all(isinstance(name, str) for name in names):
        # Of a data frame; columns without names go by position.
        latents = latents[:, component_order(names)]
    if is_dask(latents):
        latents = check_dask(latents)
    if latents.ndim != 2 or latents.shape[1] != n_components:
        raise InputError(
            f"Latents of shape (sample, {n_components}) are expected, but an array of shape {latents.shape} was given. "
            "Pass what transform returns."
        )
    if latents.dtype.kind not in "fiu":
        raise InputError(f"Latents are real numbers, but the array has the type {latents.dtype}.")
    if not is_dask(latents):
        if not len(latents):
            raise InputError("At least one latent is expected, but an array without samples was given.")
        if not np.isfinite(latents).all():
            raise InputError("Latents contain NaN or infinity; every component needs a finite value.")
    return latents if latents.dtype in (np.float32, np.float64) else latents.astype(np.float32)


def check_dask(X: Any) -> Any:
    """Merge chunks that split a sample, after a check that the number of samples is known.

    Raises
    ------
    InputError
        For unknown chunk sizes.
    """
    if any(math.isnan(n) for n in X.shape):
        raise InputError(
            f"The dask array has unknown chunk sizes (shape {X.shape}), so its samples cannot be counted. "
            "Call X.compute_chunk_sizes() first."
        )
    return whole_samples(X)


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Restore an estimator's attributes if the enclosed block fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _check_rows(estimator: Any, array: Any, X: Any, *, reset: bool) -> Any:
    """Apply scikit-learn's own checks to samples seen as rows, whatever their number of axes.

    With `reset`, the estimator learns the number of features; X carries their names if it is a data frame.
    """
    least = 2 if reset else 1
    if is_dask(array):
        array = check_dask(array)
        _check_dask_features(estimator, array, reset, least)
        return array
    rows = X if hasattr(X, "columns") else array
    if array.ndim > 2:
        rows = array.reshape(len(array), math.prod(array.shape[1:]))
    try:
        checked = validate_data(estimator, rows, reset=reset, dtype="numeric", ensure_min_samples=least)
    except ValueError as error:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(_not_finite(array)) from error
        raise InputError(str(error)) from error
    return checked.reshape(array.shape)


def _in_chunks_of(array: Any, mask: Any) -> Any:
    """A mask ``(sample, *space)`` in the chunks of its samples; None if there is none."""
    return None if mask is None else mask.rechunk(array.chunks)


def _not_finite(array: np.ndarray) -> str:
    bad = ~np.isfinite(array)
    samples = np.flatnonzero(bad.reshape(len(bad), -1).any(1))
    return (
        f"Every value of X must be finite, but X contains NaN or infinity in {len(samples)} of {len(array)} samples, "
        f"first in sample {samples[0]} ({int(bad.sum())} values in total). Leave these samples out, or fill the values."
    )


def _check_dask_features(estimator: Any, array: Any, reset: bool, least: int) -> None:
    if array.ndim < 2:
        raise InputError(
            f"Structures are expected as (sample, *space), but the dask array has the shape {array.shape}."
        )
    n_features = math.prod(array.shape[1:])
    if len(array) < least:
        raise InputError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a minimum of {least} is required."
        )
    if reset:
        estimator.n_features_in_ = n_features
        # Names from an earlier fit on a data frame would be wrong now.
        vars(estimator).pop("feature_names_in_", None)
    elif n_features != estimator.n_features_in_:
        raise InputError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "features as input: samples must have the shape passed to fit."
        )
