"""Checks of the result of a statistic: shape, values, invariances, gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from ..stats import Statistic, block_size
from .check import require, require_close, require_refusal
from .structures import PHASES, SHAPES, columns_of, coordinates_of, labels_of, states_of


def check_shape_is_that_of_the_coordinates(statistic: Statistic) -> None:
    """``(sample, *coordinate, column)``, periodic or not, with coordinates that rise."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        coordinates = coordinates_of(statistic, shape, periodic=periodic)
        for name, values in coordinates.items():
            require(
                np.ndim(values) == 1 and np.isfinite(values).all() and (np.diff(values) > 0).all(),
                f"The coordinate {name!r} must be one row of rising numbers, but is {values}.",
            )
        expected = (4, *(len(values) for values in coordinates.values()), columns_of(statistic))
        found = statistic(labels_of(shape), phases=PHASES, periodic=periodic)
        require(
            found.shape == expected,
            f"For structures of shape {shape}, {'periodic' if periodic else 'not periodic'}, the coordinates "
            f"{list(coordinates)} and {statistic.column}s make the shape {expected}, but the result has {found.shape}.",
        )


def check_values_are_finite(statistic: Statistic) -> None:
    """No NaN and no infinity, also where a phase fills everything or is nowhere."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        for labels in (labels_of(shape), *(np.full((2, *shape), phase, np.uint8) for phase in range(PHASES))):
            found = statistic(labels, phases=PHASES, periodic=periodic)
            phases = np.unique(labels).tolist()
            require(np.isfinite(found).all(), f"Values of {shape} voxels of the phases {phases} are not all finite.")


def check_samples_are_independent(statistic: Statistic) -> None:
    """A batch gives what its samples give one by one, in their order."""
    for shape in SHAPES:
        labels = labels_of(shape, n=5)
        batch = statistic(labels, phases=PHASES)
        singles = [statistic(labels[i : i + 1], phases=PHASES) for i in range(5)]
        require_close(batch, np.concatenate(singles), f"A batch of {shape} voxels and its samples one by one")
        order = [3, 0, 4, 1, 2]
        require_close(statistic(labels[order], phases=PHASES), batch[order], "Samples in another order")


def check_blocks_change_nothing(statistic: Statistic) -> None:
    """However many samples are taken at a time."""
    for shape in SHAPES:
        labels = labels_of(shape, n=7)
        expected = statistic(labels, phases=PHASES)
        for voxels in (1, 2 * int(np.prod(shape)), 1 << 24):
            with block_size(voxels):
                require_close(statistic(labels, phases=PHASES), expected, f"Blocks of {voxels} voxels")


def check_moving_a_periodic_structure_changes_nothing(statistic: Statistic) -> None:
    """Statistics say how voxels lie to each other, not where."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, phases=PHASES, periodic=True)
        for shift in (tuple(range(1, 1 + len(shape))), tuple(n // 2 for n in shape)):
            moved = np.roll(labels, shift, tuple(range(1, labels.ndim)))
            found = statistic(moved, phases=PHASES, periodic=True)
            require_close(found, expected, f"Periodic structures that are moved by {shift} voxels")


def check_exchanged_phases_exchange_columns(statistic: Statistic) -> None:
    """Every phase is treated alike: other labels for the same phases only reorder the columns."""
    order = [2, 0, 1]
    every = list(itertools.product(range(PHASES), repeat=2))
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        relabelled = np.array(order, np.uint8)[labels]
        if statistic.column == "phase":
            columns: list[int] = order
            options: dict[str, Any] = {}
        else:
            columns = [every.index((order[i], order[j])) for i, j in every]
            options = {"correlations": every}
        expected = statistic(labels, phases=PHASES, periodic=periodic, **options)
        found = statistic(relabelled, phases=PHASES, periodic=periodic, **options)
        require_close(found[..., columns], expected, f"Phases 0, 1, 2 that are called {order}")


def check_labels_and_states_agree(statistic: Statistic) -> None:
    """Discretised states of 0 and 1 are what labels stand for, whichever axis they are on."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        expected = statistic(labels, phases=PHASES, periodic=periodic)
        last = states_of(labels)
        for axis, states in ((-1, last), (1, np.moveaxis(last, -1, 1))):
            found = statistic(states, state_axis=axis, periodic=periodic)
            require_close(found, expected, f"Labels and states of 0 and 1 along axis {axis}")


def check_a_field_is_one_state(statistic: Statistic) -> None:
    """Floating point values without a state axis are a continuous field, which has one column."""
    for shape in SHAPES:
        field = np.random.default_rng(0).random((3, *shape))
        field = field if statistic.differentiable else np.round(field)
        found = statistic(field)
        require(found.shape[-1] == 1, f"A continuous field must give one column, but gave {found.shape[-1]}.")
        require_close(found, statistic(field[..., None], state_axis=-1), "A field and the one state it stands for")


def check_the_gradient_is_right(statistic: Statistic) -> None:
    """It equals finite differences; a statistic without one refuses a tensor that requires it."""
    for shape in ((5,), (4, 3), (3, 3, 3)):
        soft = 0.1 + 0.8 * torch.rand(1, *shape, 2, dtype=torch.float64, generator=torch.manual_seed(0))
        hard = (soft > 0.5).double().requires_grad_()
        if not statistic.differentiable:
            require_refusal(partial(statistic, hard, state_axis=-1), "A tensor that requires a gradient")
            continue
        soft.requires_grad_()
        for periodic in (True, False):
            found = statistic(soft, state_axis=-1, periodic=periodic)
            require(found.requires_grad, "The result for a tensor that requires a gradient must require one.")
            function = partial(statistic, state_axis=-1, periodic=periodic)
            works = torch.autograd.gradcheck(function, (soft,), raise_exception=False)
            require(works, f"The gradient differs from finite differences for {shape} voxels.")


CHECKS: tuple[Callable[[Statistic], None], ...] = (
    check_shape_is_that_of_the_coordinates,
    check_values_are_finite,
    check_samples_are_independent,
    check_blocks_change_nothing,
    check_moving_a_periodic_structure_changes_nothing,
    check_exchanged_phases_exchange_columns,
    check_labels_and_states_agree,
    check_a_field_is_one_state,
    check_the_gradient_is_right,
)
