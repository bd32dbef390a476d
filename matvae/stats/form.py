"""From what a user holds (labels, discretised states, a continuous field) to local state fields in torch."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import MAX_PHASES

LABELS, STATES, FIELD = "labels", "states", "field"
# Half precision gives sums of fractions to about three digits.
SUM_TOLERANCE = 2e-3


@dataclass(frozen=True)
class Form:
    """How an array holds structures.

    ``kind`` is ``"labels"`` (integers 0..H-1), ``"states"`` (H values a voxel along `state_axis`) or
    ``"field"`` (one continuous state); ``space`` is the shape of one structure.
    """

    kind: str
    phases: int
    space: tuple[int, ...]
    state_axis: int | None = None

    def fields(self, X: Tensor, wanted: Sequence[int]) -> Tensor:
        """State fields ``(sample, state, *space)`` of the wanted states: float64 where X is, else float32."""
        if self.kind == LABELS:
            return torch.stack([torch.eq(X, state) for state in wanted], dim=1).to(torch.float32)
        X = X if X.dtype == torch.float64 else X.to(torch.float32)
        if self.kind == FIELD:
            return X.unsqueeze(1)
        assert self.state_axis is not None
        states_first = X.movedim(self.state_axis, 1)
        if list(wanted) == list(range(self.phases)):
            return states_first
        return states_first[:, list(wanted)]


def check_phases(phases: Any) -> int | None:
    """Give the number of phases, or None for ``"auto"``.

    Raises
    ------
    InputError
        If it is neither ``"auto"`` nor an integer from 1 to 255.
    """
    if isinstance(phases, str) and phases == "auto":
        return None
    try:
        number = -1 if isinstance(phases, bool | np.bool_) else operator.index(phases)
    except TypeError:
        number = -1
    if not 1 <= number <= MAX_PHASES:
        raise InputError(
            f'phases must be "auto" or an integer from 1 (a continuous field) to {MAX_PHASES}, but '
            f'{phases!r} was given. Pass "auto" to take the largest label.'
        )
    return number


def find_form(
    shape: Sequence[int],
    integer: bool,
    *,
    phases: int | None,
    state_axis: int | None,
    largest: Callable[[], int] | None = None,
) -> Form:
    """Decide how an array of `shape` and type holds structures, and refuse contradictions.

    Parameters
    ----------
    shape : sequence of int
        Shape of the whole array, sample axis first.
    integer : bool
        Whether its values are integers (or booleans): phase labels.
    phases : int, optional
        Number of phases if the user named one.
    state_axis : int, optional
        Axis of the local states in a discretised array.
    largest : callable, optional
        Gives the largest label when the number of phases must be found out.

    Raises
    ------
    InputError
        If the axes do not fit, float labels come where phases were asked for, or there are too many phases.
    """
    if state_axis is not None:
        return _states_form(shape, phases, state_axis)
    if not 2 <= len(shape) <= 4:
        raise InputError(
            "Structures are expected as (sample, *space) with one to three spatial axes, but an array of "
            f"shape {tuple(shape)} was given. Reshape it, or pass state_axis if one axis holds local states."
        )
    space = tuple(int(n) for n in shape[1:])
    if not integer:
        if phases not in (None, 1):
            raise InputError(
                f"phases={phases} asks for integer phase labels, but the array is of floating point type, "
                "which means a continuous field. Cast labels with X.astype('uint8'), or pass state_axis=-1 "
                "for a discretised array."
            )
        return Form(FIELD, 1, space)
    if phases == 1:
        raise InputError(
            "phases=1 means a continuous field, but the array is of integer type, which means phase labels. "
            "Cast it with X.astype('float32'), or pass the number of phases."
        )
    if phases is None:
        top = largest() if largest is not None else 1
        if top >= MAX_PHASES:
            raise InputError(
                f"Labels up to {top} would mean {top + 1} phases; at most {MAX_PHASES} are possible. This "
                "looks like a grey-scale image: segment it, or map its values to phases 0..H-1 first."
            )
        phases = max(2, top + 1)
    return Form(LABELS, phases, space)


def _states_form(shape: Sequence[int], phases: int | None, state_axis: Any) -> Form:
    ndim = len(shape)
    try:
        number = operator.index(state_axis)
    except TypeError:
        number = ndim
    axis = number % ndim if -ndim <= number < ndim else 0
    if axis == 0 or not 3 <= ndim <= 5:
        raise InputError(
            f"state_axis={state_axis!r} does not name the axis of local states of an array of shape "
            f"{tuple(shape)}: expected (sample, *space, state) with one to three spatial axes, for example "
            "state_axis=-1."
        )
    n_states = int(shape[axis])
    if phases not in (None, n_states) or n_states > MAX_PHASES:
        wanted = "auto" if phases is None else phases
        raise InputError(
            f"Axis {state_axis} of an array of shape {tuple(shape)} holds {n_states} local states, but "
            f"phases={wanted} was given, and at most {MAX_PHASES} are possible. Pass the axis that holds the "
            "states, or leave phases at 'auto'."
        )
    space = tuple(int(n) for i, n in enumerate(shape) if i not in (0, axis))
    return Form(STATES, n_states, space, state_axis=axis)


def check_values(X: Tensor, form: Form) -> None:
    """Refuse labels outside the phases and values that are not finite.

    Raises
    ------
    InputError
        Naming the values found.
    """
    if X.numel() == 0:
        raise InputError(f"Structures are expected, but an empty array of shape {tuple(X.shape)} was given.")
    if form.kind == LABELS:
        least, most = (int(v) for v in torch.aminmax(X))
        if least < 0 or most >= form.phases:
            raise InputError(
                f"Phase labels 0 to {form.phases - 1} were expected, but labels from {least} to {most} were "
                "found. Map the values to phases first, or pass the right number of phases."
            )
    # A sum is not finite if any term is not, and it is far cheaper than a test of every value.
    elif not bool(torch.isfinite(X.sum())) and not bool(torch.isfinite(X).all()):
        raise InputError(
            "Every voxel needs a finite value, but the array contains NaN or infinity. Fill such voxels, or "
            "fill them and leave them out with a mask."
        )


def check_state_axis(blocks: Iterable[Tensor], form: Form) -> None:
    """Refuse a field that is `(sample, *space, state)` by all appearances, its state axis forgotten.

    Parameters
    ----------
    blocks : iterable of Tensor ``(sample, *space)``
        The array in blocks; read only until the first voxel whose values do not sum to one.
    form : Form
        What the array was taken for.

    Raises
    ------
    InputError
        If the last of two or more spatial axes is short, and values in [0, 1] that are not all alike sum to
        one along it everywhere.
    """
    if form.kind != FIELD or len(form.space) < 2 or not 2 <= form.space[-1] <= 16:
        return
    least, most = math.inf, -math.inf
    for block in blocks:
        low, high = (float(value) for value in torch.aminmax(block.detach()))
        sums = block.detach().sum(-1, dtype=torch.float32)
        if not (low >= 0 and high <= 1 and bool(((sums - 1).abs() < SUM_TOLERANCE).all())):
            return
        least, most = min(least, low), max(most, high)
    if least < most:
        raise InputError(
            f"A continuous field of shape (sample, {', '.join(map(str, form.space))}) was expected because "
            f"state_axis is None, but the values along the last axis sum to one everywhere, as "
            f"{form.space[-1]} local states do. Pass state_axis=-1, or phases=1 if it is a field after all."
        )
