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
    """The shape is ``(sample, *coordinate, column)``, periodic or not, and the coordinates are in ascending order."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        coordinates = coordinates_of(statistic, shape, periodic=periodic)
        for name, values in coordinates.items():
            require(
                np.ndim(values) == 1 and np.isfinite(values).all() and (np.diff(values) > 0).all(),
                f"The coordinate {name!r} must be a 1-D array in ascending order, but is {values}.",
            )
        expected = (4, *(len(values) for values in coordinates.values()), columns_of(statistic))
        result = statistic(labels_of(shape), spatial_dims=len(shape), phases=PHASES, periodic=periodic)
        require(
            result.shape == expected,
            f"For {'periodic' if periodic else 'non-periodic'} structures of shape {shape}, the coordinates "
            f"{list(coordinates)} and the {statistic.column}s imply a result of shape {expected}, "
            f"but the result has the shape {result.shape}.",
        )


def check_values_are_finite(statistic: Statistic) -> None:
    """No value is NaN or infinite, even if a phase fills the structure or is absent."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        for labels in (labels_of(shape), *(np.full((2, *shape), phase, np.uint8) for phase in range(PHASES))):
            result = statistic(labels, spatial_dims=len(shape), phases=PHASES, periodic=periodic)
            phases = np.unique(labels).tolist()
            require(np.isfinite(result).all(), f"Values of {shape} voxels of the phases {phases} are not all finite.")


def check_samples_are_independent(statistic: Statistic) -> None:
    """A batch gives the same result as its samples one by one, in their order."""
    for shape in SHAPES:
        labels = labels_of(shape, n=5)
        batch = statistic(labels, spatial_dims=len(shape), phases=PHASES)
        singles = [statistic(labels[i : i + 1], spatial_dims=len(shape), phases=PHASES) for i in range(5)]
        require_close(batch, np.concatenate(singles), f"A batch of {shape} voxels and its samples one by one")
        order = [3, 0, 4, 1, 2]
        require_close(
            statistic(labels[order], spatial_dims=len(shape), phases=PHASES), batch[order], "Samples in another order"
        )


def check_blocks_change_nothing(statistic: Statistic) -> None:
    """The result does not depend on the number of samples per block."""
    for shape in SHAPES:
        labels = labels_of(shape, n=7)
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES)
        for voxels in (1, 2 * int(np.prod(shape)), 1 << 24):
            with block_size(voxels):
                require_close(
                    statistic(labels, spatial_dims=len(shape), phases=PHASES), expected, f"Blocks of {voxels} voxels"
                )


def check_moving_a_periodic_structure_changes_nothing(statistic: Statistic) -> None:
    """Statistics depend on the relative positions of voxels, not on their absolute ones."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES, periodic=True)
        for shift in (tuple(range(1, 1 + len(shape))), tuple(n // 2 for n in shape)):
            shifted = np.roll(labels, shift, tuple(range(1, labels.ndim)))
            result = statistic(shifted, spatial_dims=len(shape), phases=PHASES, periodic=True)
            require_close(result, expected, f"Periodic structures shifted by {shift} voxels")


def check_exchanged_phases_exchange_columns(statistic: Statistic) -> None:
    """All phases are treated alike: permuting their labels only permutes the columns."""
    order = [2, 0, 1]
    all_pairs = list(itertools.product(range(PHASES), repeat=2))
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        relabelled = np.array(order, np.uint8)[labels]
        if statistic.column == "phase":
            columns: list[int] = order
            options: dict[str, Any] = {}
        else:
            columns = [all_pairs.index((order[i], order[j])) for i, j in all_pairs]
            options = {"correlations": all_pairs}
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES, periodic=periodic, **options)
        result = statistic(relabelled, spatial_dims=len(shape), phases=PHASES, periodic=periodic, **options)
        require_close(result[..., columns], expected, f"Phases 0, 1, 2 relabelled as {order}")


def check_labels_and_states_agree(statistic: Statistic) -> None:
    """Labels and the equivalent states of 0 and 1, along any axis, give the same result."""
    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES, periodic=periodic)
        last = states_of(labels)
        for axis, states in ((-1, last), (1, np.moveaxis(last, -1, 1))):
            result = statistic(states, spatial_dims=len(shape), state_axis=axis, periodic=periodic)
            require_close(result, expected, f"Labels and states of 0 and 1 along axis {axis}")


def check_a_field_is_one_state(statistic: Statistic) -> None:
    """Floating point values without a state axis are a continuous field, which gives one column."""
    for shape in SHAPES:
        field = np.random.default_rng(0).random((3, *shape))
        field = field if statistic.differentiable else np.round(field)
        result = statistic(field, spatial_dims=len(shape))
        require(result.shape[-1] == 1, f"A continuous field must give one column, but gave {result.shape[-1]}.")
        require_close(
            result,
            statistic(field[..., None], spatial_dims=len(shape), state_axis=-1),
            "A field and the equivalent single state",
        )


def check_the_gradient_is_right(statistic: Statistic) -> None:
    """The gradient equals finite differences; a statistic without one refuses tensors that require it."""
    for shape in ((5,), (4, 3), (3, 3, 3)):
        soft = 0.1 + 0.8 * torch.rand(1, *shape, 2, dtype=torch.float64, generator=torch.manual_seed(0))
        hard = (soft > 0.5).double().requires_grad_()
        if not statistic.differentiable:
            require_refusal(
                partial(statistic, hard, spatial_dims=len(shape), state_axis=-1), "A tensor that requires a gradient"
            )
            continue
        soft.requires_grad_()
        for periodic in (True, False):
            result = statistic(soft, spatial_dims=len(shape), state_axis=-1, periodic=periodic)
            require(result.requires_grad, "The result for a tensor that requires a gradient must require one.")
            function = partial(statistic, spatial_dims=len(shape), state_axis=-1, periodic=periodic)
            agrees = torch.autograd.gradcheck(function, (soft,), raise_exception=False)
            require(agrees, f"The gradient differs from finite differences for {shape} voxels.")


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
