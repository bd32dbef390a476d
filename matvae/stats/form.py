"""Conversion of labels, discretised states and continuous fields into local state fields in torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import MAX_PHASES
from ..label_values import count_phases
from ..validate import is_integer
from ..warn import warn
from .map_samples import as_tensor, is_dask, kind_of

LABELS, STATES, FIELD = "labels", "states", "field"
# In half precision, sums of phase fractions are accurate to about three digits.
SUM_TOLERANCE = 2e-3


@dataclass(frozen=True)
class Form:
    """The way an array holds structures.

    ``kind`` is ``"labels"`` (integers 0..H-1), ``"states"`` (H values per voxel along `state_axis`) or
    ``"field"`` (one continuous state); ``space`` is the shape of one structure.
    """

    kind: str
    phases: int
    space: tuple[int, ...]
    state_axis: int | None = None

    def fields(self, X: Tensor, states: Sequence[int]) -> Tensor:
        """Return the fields ``(sample, state, *space)`` of some states: float64 if X is, otherwise float32."""
        if self.kind == LABELS:
            fields = torch.empty((len(X), len(states), *X.shape[1:]), dtype=torch.float32, device=X.device)
            for k, state in enumerate(states):
                torch.eq(X, state, out=fields[:, k])
            return fields
        X = X if X.dtype == torch.float64 else X.to(torch.float32)
        if self.kind == FIELD:
            return X.unsqueeze(1)
        assert self.state_axis is not None
        states_first = X.movedim(self.state_axis, 1)
        if list(states) == list(range(self.phases)):
            return states_first
        return states_first[:, list(states)]


def check_array(X: Any) -> None:
    """Refuse anything but an array of real numbers of known shape.

    Raises
    ------
    InputError
        If X is not a numpy, dask or torch array, or if it is masked, empty, of unknown shape, or not of real numbers.
    """
    if not (isinstance(X, np.ndarray | Tensor) or is_dask(X)):
        raise InputError(
            f"A numpy, dask or torch array is expected, but {type(X).__name__} was given. "
            "Convert it with numpy.asarray to an array (sample, *space)."
        )
    if isinstance(X, np.ma.MaskedArray):
        raise InputError(
            "A plain array is expected, but a masked one was given. "
            "Pass X.filled(0) and mask=~numpy.ma.getmaskarray(X)."
        )
    if is_dask(X) and any(math.isnan(n) for n in X.shape):
        raise InputError(
            f"An array of known shape is expected, but the dask array has unknown chunk sizes (shape {X.shape}), "
            "so its samples cannot be counted. Call X.compute_chunk_sizes() first."
        )
    if kind_of(X) not in "biuf":
        raise InputError(
            f"Integer labels or real numbers are expected, but the array has the type {X.dtype}. "
            "Convert it with astype('uint8') for labels or astype('float32') for a field."
        )
    if min(X.shape, default=0) == 0:
        raise InputError(
            f"Structures are expected, but an empty array of shape {tuple(X.shape)} was given. "
            "Check the path or the selection it comes from."
        )


def form_of(X: Any, phases: int | str, state_axis: int | None) -> Form:
    """Determine how a user's array holds structures; ``phases="auto"`` looks up the labels that occur.

    Raises
    ------
    InputError
        As in `check_array`, if the shape, the type, the number of phases and the state axis contradict each other, or
        if labels have gaps.
    """
    check_array(X)

    def count() -> int:
        return count_phases(as_tensor(X).detach().cpu().numpy() if isinstance(X, Tensor) else X)

    integer = kind_of(X) != "f"
    return find_form(X.shape, integer, phases=check_phases(phases), state_axis=state_axis, count=count)


def check_phases(phases: Any) -> int | None:
    """Return the number of phases, or None for ``"auto"``.

    Raises
    ------
    InputError
        If it is neither ``"auto"`` nor an integer from 1 to 255.
    """
    if isinstance(phases, str) and phases == "auto":
        return None
    if not is_integer(phases) or not 1 <= phases <= MAX_PHASES:
        raise InputError(
            f'phases must be "auto" or an integer from 1 (a continuous field) to {MAX_PHASES}, but {phases!r} was '
            'given. Pass "auto" to count the labels that occur.'
        )
    return int(phases)


def find_form(
    shape: Sequence[int],
    integer: bool,
    *,
    phases: int | None,
    state_axis: int | None,
    count: Callable[[], int] | None = None,
) -> Form:
    """Determine how an array of a given shape and type holds structures, and refuse contradictions.

    Parameters
    ----------
    shape : sequence of int
        Shape of the whole array, sample axis first.
    integer : bool
        Whether its values are integers (or booleans), and so phase labels.
    phases : int, optional
        Number of phases, if the user named one.
    state_axis : int, optional
        Axis of the local states in a discretised array.
    count : callable, optional
        Returns the number of phases; called only if it is unknown. By default it is two.

    Raises
    ------
    InputError
        If the axes do not fit, if phases were named for an array of floats, or if there are too many phases.
    """
    if state_axis is not None:
        return _states_form(shape, phases, state_axis)
    if not 2 <= len(shape) <= 4:
        raise InputError(
            "Structures are expected as (sample, *space) with one to three spatial axes, but an array of shape "
            f"{tuple(shape)} was given. Reshape it, or pass state_axis if one axis holds local states."
        )
    space = tuple(int(n) for n in shape[1:])
    if not integer:
        if phases not in (None, 1):
            raise InputError(
                f"phases={phases} asks for integer phase labels, but the array is of floating point type, which means "
                "a continuous field. Cast labels with X.astype('uint8'), or pass state_axis=-1 for a discretised array."
            )
        return Form(FIELD, 1, space)
    if phases == 1:
        raise InputError(
            "phases=1 means a continuous field, but the array is of integer type, which means phase labels. "
            "Cast it with X.astype('float32'), or pass the number of phases."
        )
    if phases is None:
        phases = 2 if count is None else count()
    return Form(LABELS, phases, space)


def _states_form(shape: Sequence[int], phases: int | None, state_axis: Any) -> Form:
    ndim = len(shape)
    axis = int(state_axis) % ndim if is_integer(state_axis) and -ndim <= state_axis < ndim else 0
    if axis == 0 or not 3 <= ndim <= 5:
        raise InputError(
            f"state_axis={state_axis!r} does not name the axis of local states of an array of shape {tuple(shape)}: "
            "expected (sample, *space, state) with one to three spatial axes, for example state_axis=-1."
        )
    n_states = int(shape[axis])
    if phases not in (None, n_states) or n_states > MAX_PHASES:
        raise InputError(
            f"Axis {state_axis} of an array of shape {tuple(shape)} holds {n_states} local states, but "
            f"phases={'auto' if phases is None else phases} was given, and at most {MAX_PHASES} are possible. "
            "Pass the axis that holds the states, or leave phases at 'auto'."
        )
    space = tuple(int(n) for i, n in enumerate(shape) if i not in (0, axis))
    return Form(STATES, n_states, space, state_axis=axis)


def check_values(X: Tensor, form: Form) -> None:
    """Refuse labels that are not phases and values that are not finite.

    Raises
    ------
    InputError
        Naming the values that were found.
    """
    if X.numel() == 0:
        raise InputError(f"Structures are expected, but an empty array of shape {tuple(X.shape)} was given.")
    if form.kind == LABELS:
        least, most = (int(v) for v in torch.aminmax(X))
        if least < 0 or most >= form.phases:
            raise InputError(
                f"Phase labels 0 to {form.phases - 1} were expected, but labels from {least} to {most} were found. "
                "Map the values to phases first, or pass the right number of phases."
            )
    # A sum is not finite if any of its terms is not, and it is far cheaper than testing every value.
    elif not bool(torch.isfinite(X.sum())) and not bool(torch.isfinite(X).all()):
        raise InputError(
            "Every voxel needs a finite value, but the array contains NaN or infinity. "
            "Fill such voxels, or fill them and exclude them with a mask."
        )


def check_meaning(blocks: Iterable[Tensor], form: Form) -> None:
    """Refuse local states that were taken for space, and warn of labels that were taken for a field.

    Parameters
    ----------
    blocks : iterable of Tensor ``(sample, *space)``
        The array in blocks; read on only as long as one of the two is possible.
    form : Form
        The form that was assumed for the array.

    Raises
    ------
    InputError
        If the first or the last of two or more spatial axes has 2 to 16 values, which lie in [0, 1], are not all equal,
        and sum to one everywhere. Of labels, the axis must also be the shortest.

    Warns
    -----
    UserWarning
        If all values of a field are 0 or 1.
    """
    axes = _possible_state_axes(form)
    binary = form.kind == FIELD
    least, most = math.inf, -math.inf
    if not axes and not binary:
        return
    for block in blocks:
        values = block.detach()
        low, high = (float(value) for value in torch.aminmax(values))
        if low < 0 or high > 1:
            return
        axes = [axis for axis in axes if _sums_to_one(values, axis)]
        binary = binary and bool(((values == 0) | (values == 1)).all())
        if not axes and not binary:
            return
        least, most = min(least, low), max(most, high)
    if least >= most:
        return
    for axis in axes:
        assumed, exception = (
            ("A continuous field", "phases=1 if it is a field")
            if form.kind == FIELD
            else ("Labels", f"phases={form.phases} if these are labels")
        )
        raise InputError(
            f"{assumed} of shape (sample, {', '.join(map(str, form.space))}) would be expected because state_axis is "
            f"None, but the values along the {'last axis' if axis == -1 else 'axis after that of the samples'} sum to "
            f"one everywhere, as {form.space[axis if axis == -1 else 0]} local states do. Pass state_axis={axis}, or "
            f"{exception} after all."
        )
    if binary:
        warn(
            "All values are 0 or 1, like the labels of two phases, but an array of floating point numbers is a "
            "continuous field. Pass X.astype('uint8') if these are labels, or phases=1 if it is a field."
        )


def _possible_state_axes(form: Form) -> list[int]:
    """Axes of an array ``(sample, *space)`` that may be those of local states, by their length."""
    if form.kind == STATES or len(form.space) < 2:
        return []
    axes = []
    for axis, n, others in ((-1, form.space[-1], form.space[:-1]), (1, form.space[0], form.space[1:])):
        # One voxel of a phase in each row of a tiny image is no state; but fractions that sum to one are.
        if 2 <= n <= 16 and (form.kind == FIELD or n < min(others)):
            axes.append(axis)
    return axes


def _sums_to_one(values: Tensor, axis: int) -> bool:
    sums = values.sum(axis, dtype=torch.float32)
    return bool(((sums - 1).abs() < SUM_TOLERANCE).all())
