"""What a user hands to an estimator, understood once: kind, grid, and how blocks of it become tensors."""

from __future__ import annotations

import math
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
from ..stats.blocks import as_tensor, is_dask, whole_samples
from ..stats.lags import Cutoff
from ..stats.states import LABELS, Form, check_phases, check_values, find_form

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

    def accept(self, array: Any) -> Any:
        """Check that samples are held as those that went into `fit`.

        Raises
        ------
        InputError
            For another shape (permuted axes, too), or another kind of values.
        """
        if tuple(array.shape[1:]) != self.given:
            raise InputError(
                f"Samples of shape {self.given} are expected, as they went into fit, but the samples have the shape "
                f"{tuple(array.shape[1:])}. Pass them with the same axes in the same order."
            )
        labels = self.form is not None and self.form.kind == LABELS
        if labels != (array.dtype.kind in "biu") and array.dtype.kind in "biuf":
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

    def array(self, labels: Tensor, phases: int) -> np.ndarray:
        """Structures in the shape and form that was given: labels, a field, or one-hot states; flat if given flat."""
        if self.form is None:
            return labels.cpu().numpy()
        if self.form.state_axis is not None:
            states = torch.arange(phases, device=labels.device).view(-1, *[1] * len(self.form.space))
            values = (labels.unsqueeze(1) == states).movedim(1, self.form.state_axis).cpu().numpy()
        else:
            values = labels.cpu().numpy()
        return values.reshape(len(values), *self.given).astype(self.dtype)


def as_array(X: Any) -> Any:
    """The array inside what was given: dask and numpy stay, torch and lists become numpy."""
    if isinstance(X, Structures):
        return X.data
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
        shape = _restored(given, tuple(int(n) for n in sample_shape), state_axis is not None)
    integer = X.dtype.kind in "biu"
    if not integer and X.dtype.kind != "f":
        raise InputError(f"Integer labels or real numbers are expected, but the array has the type {X.dtype}.")

    def largest() -> int:
        top = X.max()
        return int(top.compute() if is_dask(X) else top)

    form = find_form((len(X), *shape), integer, phases=check_phases(phases), state_axis=state_axis, largest=largest)
    return Input(given, shape, form, np.dtype(X.dtype))


def _restored(given: tuple[int, ...], sample_shape: tuple[int, ...], has_states: bool) -> tuple[int, ...]:
    """Shape of one sample with the axes that `sample_shape` names, from a flattened or a full one."""
    if given == sample_shape or (has_states and len(given) == len(sample_shape) + 1):
        return given
    n_voxels = math.prod(sample_shape)
    if len(given) == 1 and n_voxels and given[0] % n_voxels == 0 and (has_states or given[0] == n_voxels):
        return (*sample_shape, given[0] // n_voxels) if has_states else sample_shape
    raise InputError(
        f"sample_shape={sample_shape} means samples of that shape, or flattened to {n_voxels} voxels, but samples of "
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
                "The shape of the structures does not follow from these statistics: pass sample_shape=(...), the number "
                "of voxels of one structure along each axis."
            )
        sample_shape = given[:-1]
    space = tuple(int(n) for n in sample_shape)
    lags = lag_shape(space, periodic, cutoff)
    n_lags = math.prod(lags)
    flat = len(given) == 1 and given[0] % n_lags == 0
    if not flat and given[:-1] != lags:
        raise InputError(
            f"Statistics of structures of shape {space} ({'periodic' if periodic else 'non-periodic'}, cutoff={cutoff}) "
            f"have the shape (sample, {', '.join(map(str, lags))}, correlation), but samples of shape {given} were given. "
            "Crop them to a cutoff, or say with which settings they were made."
        )
    n_pairs = given[0] // n_lags if flat else given[-1]
    number = _phases_of(n_pairs, phases, correlations)
    pairs = resolve_correlations(correlations, number)
    if len(pairs) != n_pairs:
        raise InputError(
            f"{len(pairs)} correlations {list(pairs)} are expected for {number} phases, but the statistics hold {n_pairs}. "
            "Name them: correlations=[(h, h'), ...]."
        )
    return Input(given, (*lags, n_pairs), None, np.dtype(X.dtype)), Grid(space, phases=number, periodic=periodic)


def _phases_of(n_pairs: int, phases: int | str, correlations: Sequence[Sequence[int]] | None) -> int:
    wanted = check_phases(phases)
    if wanted is not None:
        return wanted
    if correlations is not None:
        return max(2, 1 + max(int(state) for pair in correlations for state in pair))
    number = (1 + math.isqrt(1 + 8 * n_pairs)) // 2
    if number * (number - 1) // 2 != n_pairs:
        raise InputError(
            f"{n_pairs} correlations are no default set, which has H(H-1)/2 for H phases. Name them with correlations=[...] "
            "and pass phases=H."
        )
    return number


def grid_of(X: Any, form: Form, periodic: bool) -> Grid:
    """Grid of the structures of X; voxel size and unit come along with a `Structures`."""
    if isinstance(X, Structures) and form.space == X.grid.shape:
        return replace(X.grid, phases=form.phases, periodic=periodic)
    return Grid(form.space, phases=form.phases, periodic=periodic)
