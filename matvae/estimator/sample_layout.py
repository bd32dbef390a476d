"""What a user hands to an estimator, understood once: kind, grid, and how blocks of it become tensors."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.structures import Structures
from ..errors import InputError
from ..grid import Grid
from ..stats import lag_shape, resolve_correlations
from ..stats.form import LABELS, STATES, Form, check_phases, check_values, find_form
from ..stats.lags import Cutoff
from ..stats.map_samples import as_tensor, is_dask, whole_samples

STATISTICS = "statistics"


@dataclass(frozen=True)
class Input:
    """How samples are held: their shape as given, and as structures or statistics.

    Parameters
    ----------
    given : tuple of int
        Shape of one sample in the array the user holds.
    shape : tuple of int
        Shape of one sample with its axes restored, when it came flattened.
    form : Form or None
        How voxels hold local states; None for statistics.
    dtype : numpy.dtype
        Type of the array.
    """

    given: tuple[int, ...]
    shape: tuple[int, ...]
    form: Form | None
    dtype: np.dtype

    def tensor(self, block: np.ndarray) -> Tensor:
        """Structures ``(sample, *space)``, states ``(sample, state, *space)`` or statistics, checked."""
        tensor = as_tensor(block.reshape(len(block), *self.shape))
        if self.form is None:
            if not bool(torch.isfinite(tensor).all()):
                raise InputError("The statistics contain NaN or infinity; every lag needs a finite value.")
            return tensor
        check_values(tensor, self.form)
        if self.form.state_axis is not None:
            return tensor.movedim(self.form.state_axis, 1)
        return tensor

    def count_constant(self, block: np.ndarray) -> int:
        """Number of samples in which all voxels (or lags) are alike."""
        voxels = block.reshape(len(block), *self.shape)
        if self.form is not None and self.form.state_axis is None:
            voxels = voxels[..., None]
        elif self.form is not None and self.form.state_axis is not None:
            voxels = np.moveaxis(voxels, self.form.state_axis, -1)
        flat = voxels.reshape(len(block), -1, voxels.shape[-1])
        return int((flat == flat[:, :1]).all((1, 2)).sum())

    def accept(self, array: Any) -> Any:
        """Check that samples are held as those that went into `fit`.

        Raises
        ------
        InputError
            For another shape (permuted axes, too), or another kind of values.
        """
        if tuple(array.shape[1:]) != self.given:
            raise InputError(
                f"Samples of shape {self.given} are expected, as they went into fit, but the samples have "
                "the shape "
                f"{tuple(array.shape[1:])}. Pass them with the same axes in the same order."
            )
        labels = self.form is not None and self.form.kind == LABELS
        discretised = self.form is not None and self.form.kind == STATES
        if array.dtype.kind not in "biuf" or (not discretised and labels != (array.dtype.kind in "biu")):
            expected = "integer phase labels" if labels else "real numbers"
            raise InputError(
                f"The model was fitted on {expected}, but the array has the type {array.dtype}. Convert it with astype."
            )
        return array

    def shape_out(self, grid: Grid) -> tuple[int, ...]:
        """Shape of one structure as `array` gives it."""
        return grid.shape if self.form is None else self.given

    def dtype_out(self, grid: Grid) -> np.dtype:
        """Type of structures as `array` gives them."""
        if self.form is not None:
            return self.dtype
        return np.dtype(np.uint8 if grid.phases > 1 else np.float32)

    def array(self, labels: np.ndarray, phases: int) -> np.ndarray:
        """Structures in the shape and form given: labels, a field, or one-hot states; flat if given flat."""
        if self.form is None:
            return labels
        values = labels
        if self.form.state_axis is not None:
            states = [labels] if phases == 1 else [labels == state for state in range(phases)]
            values = np.stack(states, axis=self.form.state_axis)
        return values.reshape(len(values), *self.given).astype(self.dtype, copy=False)


def as_array(X: Any) -> Any:
    """The array inside what was given: dask and numpy stay, torch and lists become numpy.

    A sparse matrix stays too, for scikit-learn to refuse in its own words.
    """
    if isinstance(X, Structures):
        return X.data
    if hasattr(X, "tocsr"):
        return X
    if isinstance(X, str | os.PathLike):
        raise InputError(
            f"An array of structures is expected, but the path {os.fspath(X)!r} was given. Open it first: "
            "matvae.open_structures(path)."
        )
    if isinstance(X, Tensor):
        return X.detach().cpu().numpy()
    return X if is_dask(X) or isinstance(X, np.ndarray) else np.asarray(X)


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


def indices_like(X: Any) -> Any:
    """Numbers ``(sample, 1)`` of the samples, numpy or dask with the chunks of X."""
    if not is_dask(X):
        return np.arange(len(X))[:, None]
    import dask.array as da

    return da.arange(len(X), chunks=(X.chunks[0],))[:, None]


def phases_asked(X: Any, phases: int | str) -> int | str:
    """The number of phases; ``"auto"`` is what a `Structures` says."""
    automatic = isinstance(phases, str) and phases == "auto"
    return X.grid.phases if automatic and isinstance(X, Structures) else phases


def understand_structures(
    X: Any, *, phases: int | str, sample_shape: Sequence[int] | None, state_axis: int | None
) -> Input:
    """Decide how an array of structures holds its voxels.

    Raises
    ------
    InputError
        If axes, types and parameters contradict each other.
    """
    given = tuple(int(n) for n in X.shape[1:])
    shape = given
    if sample_shape is not None:
        shape = _restored(given, tuple(int(n) for n in sample_shape), state_axis)
    integer = X.dtype.kind in "biu"
    if not integer and X.dtype.kind != "f":
        raise InputError(f"Integer labels or real numbers are expected, but the array has the type {X.dtype}.")

    def largest() -> int:
        top = X.max()
        return int(top.compute() if is_dask(X) else top)

    form = find_form((len(X), *shape), integer, phases=check_phases(phases), state_axis=state_axis, largest=largest)
    return Input(given, shape, form, np.dtype(X.dtype))


def _restored(given: tuple[int, ...], space: tuple[int, ...], state_axis: int | None) -> tuple[int, ...]:
    """Shape of one sample with the axes that `sample_shape` names, from a flattened or a full one."""
    n_voxels = math.prod(space)
    if state_axis is None:
        if given == space or given == (n_voxels,):
            return space
    elif n_voxels and math.prod(given) % n_voxels == 0:
        # Without the sample axis, the states lie one axis earlier.
        position = state_axis % (len(space) + 2) - 1
        full = (*space[:position], math.prod(given) // n_voxels, *space[position:])
        if given == full or len(given) == 1:
            return full
    raise InputError(
        f"sample_shape={space} means samples of that shape, or flattened to {n_voxels} voxels, but samples "
        "of "
        f"shape {given} were given. Pass the shape of one structure, without the sample axis."
    )


def understand_statistics(
    X: Any,
    *,
    phases: int | str,
    sample_shape: Sequence[int] | None,
    correlations: Sequence[Sequence[int]] | None,
    periodic: bool,
    cutoff: Cutoff,
) -> tuple[Input, Grid]:
    """Decide how an array of 2-point statistics is laid out, and what structures they belong to.

    Raises
    ------
    InputError
        If lags or correlations do not fit the parameters.
    """
    given = tuple(int(n) for n in X.shape[1:])
    if X.dtype.kind != "f":
        raise InputError(f"2-point statistics are real numbers, but the array has the type {X.dtype}.")
    if sample_shape is None:
        if not periodic or cutoff is not None or len(given) < 2:
            raise InputError(
                "The shape of the structures does not follow from these statistics: pass "
                "sample_shape=(...), the number "
                "of voxels of one structure along each axis."
            )
        sample_shape = given[:-1]
    space = tuple(int(n) for n in sample_shape)
    lags = lag_shape(space, periodic, cutoff)
    n_lags = math.prod(lags)
    flat = len(given) == 1 and given[0] % n_lags == 0
    if not flat and given[:-1] != lags:
        raise InputError(
            f"Statistics of structures of shape {space} ({'periodic' if periodic else 'non-periodic'}, "
            f"cutoff={cutoff}) "
            f"have the shape (sample, {', '.join(map(str, lags))}, correlation), but samples of shape "
            f"{given} were given. "
            "Crop them to a cutoff, or say with which settings they were made."
        )
    n_pairs = given[0] // n_lags if flat else given[-1]
    number = _phases_of(n_pairs, phases, correlations)
    pairs = resolve_correlations(correlations, number)
    if len(pairs) != n_pairs:
        raise InputError(
            f"{len(pairs)} correlations {list(pairs)} are expected for {number} phases, but the statistics "
            f"hold {n_pairs}. "
            "Name them: correlations=[(h, h'), ...]."
        )
    grid = Grid(space, phases=number, periodic=periodic)
    return Input(given, (*lags, n_pairs), None, np.dtype(X.dtype)), grid


def _phases_of(n_pairs: int, phases: int | str, correlations: Sequence[Sequence[int]] | None) -> int:
    wanted = check_phases(phases)
    if wanted is not None:
        return wanted
    if correlations is not None:
        return max(2, 1 + max(int(state) for pair in correlations for state in pair))
    number = (1 + math.isqrt(1 + 8 * n_pairs)) // 2
    if number * (number - 1) // 2 != n_pairs:
        raise InputError(
            f"{n_pairs} correlations are no default set, which has H(H-1)/2 for H phases. Name them with "
            "correlations=[...] "
            "and pass phases=H."
        )
    return number


def grid_of(X: Any, form: Form, periodic: bool) -> Grid:
    """Grid of the structures of X; voxel size and unit come along with a `Structures`."""
    if isinstance(X, Structures) and form.space == X.grid.shape:
        if periodic and not X.grid.periodic:
            warnings.warn(
                "These structures do not continue on their opposite side (grid.periodic is False), but are taken as "
                "periodic. Pass periodic=False, and a cutoff of about half the window.",
                stacklevel=5,
            )
        return replace(X.grid, phases=form.phases, periodic=periodic)
    return Grid(form.space, phases=form.phases, periodic=periodic)
