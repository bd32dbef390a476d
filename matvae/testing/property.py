"""The conformance suite of properties: `check_property(MINE)`, or one test a check with `property_checks(MINE)`.

Built-in properties pass it, and so must those of plugins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import cloudpickle
import numpy as np
import torch

from ..grid import Grid
from ..optimize import Measured, Property
from .check import Check, require, require_close

GRIDS = (Grid((12, 11)), Grid((12, 11), periodic=False, voxel_size=(0.5, 2.0)), Grid((8, 7, 6)))


def property_checks(wanted: Property, grids: Sequence[Grid] = GRIDS) -> list[Check]:
    """All checks of a property, one by one.

    Parameters
    ----------
    wanted : Property
        What is to be checked, with its options.
    grids : sequence of Grid
        Grids on which it is checked, of two phases or more; by default small ones in two and three dimensions,
        periodic and not.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", property_checks(MINE()), ids=str)``, whose test calls ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), wanted.name, partial(run, wanted, grids)) for run in CHECKS]


def check_property(wanted: Property, grids: Sequence[Grid] = GRIDS) -> None:
    """Run all checks of a property.

    Parameters
    ----------
    wanted, grids
        As in `property_checks`.

    Raises
    ------
    AssertionError
        At the first check that fails, saying what was expected; a note names the check. An error that the property
        raises where it should not is passed on with such a note.
    """
    for check in property_checks(wanted, grids):
        try:
            check()
        except Exception as error:
            error.add_note(f"Raised in the check {check}.")
            raise


def check_declaration(wanted: Property, grids: Sequence[Grid]) -> None:
    """`name` and `unit` are texts, `differentiable` is True or False, and then there is `soft`."""
    require(isinstance(wanted.name, str) and wanted.name.isidentifier(), f"{wanted.name!r} is no name of a property.")
    require(isinstance(wanted.unit, str), f"A unit is a text, empty for a ratio, but it is {wanted.unit!r}.")
    require(isinstance(wanted.differentiable, bool), f"differentiable is {wanted.differentiable!r}, not True or False.")
    require(not wanted.differentiable or callable(getattr(wanted, "soft", None)), "A differentiable property has soft.")


def check_one_value_or_reason_a_structure(wanted: Property, grids: Sequence[Grid]) -> None:
    """float64 values ``(sample,)``, never infinite, and a reason exactly where there is no value."""
    for grid in grids:
        for labels in (_labels(grid), *(np.full((2, *grid.shape), phase, np.uint8) for phase in range(grid.phases))):
            found = wanted.measure(labels, grid)
            require(isinstance(found, Measured), f"measure must give a Measured, but gave {type(found).__name__}.")
            values = found.values
            require(
                isinstance(values, np.ndarray) and values.shape == (len(labels),) and values.dtype == np.float64,
                f"Values must be float64 of shape ({len(labels)},), but are {values!r}.",
            )
            require(not np.isinf(values).any(), "A value is infinite; say NaN and a reason.")
            require(
                len(found.reasons) == len(labels)
                and all(
                    isinstance(reason, str) and reason if math.isnan(value) else reason is None
                    for value, reason in zip(values, found.reasons, strict=True)
                ),
                f"A reason must stand where there is no value and only there: {values} with {found.reasons}.",
            )


def check_structures_are_independent(wanted: Property, grids: Sequence[Grid]) -> None:
    """A batch gives what its structures give one by one, twice the same."""
    for grid in grids:
        labels = _labels(grid)
        batch = wanted.measure(labels, grid).values
        singles = [wanted.measure(labels[i : i + 1], grid).values[0] for i in range(len(labels))]
        _same(batch, singles, "A batch and its structures one by one")
        _same(wanted.measure(labels, grid).values, batch, "The same structures measured again")


def check_its_input_is_left_alone(wanted: Property, grids: Sequence[Grid]) -> None:
    """Also where memory is read-only."""
    for grid in grids:
        labels = _labels(grid)
        labels.flags.writeable = False
        wanted.measure(labels, grid)


def check_it_can_be_sent_to_a_worker(wanted: Property, grids: Sequence[Grid]) -> None:
    """It measures the same after it was pickled."""
    for grid in grids:
        labels = _labels(grid)
        sent = cloudpickle.loads(cloudpickle.dumps(wanted))
        _same(sent.measure(labels, grid).values, wanted.measure(labels, grid).values, "A copy from a pickle")


def check_soft_values_of_sharp_structures(wanted: Property, grids: Sequence[Grid]) -> None:
    """At fractions of 0 and 1 `soft` gives what `measure` gives."""
    if not wanted.differentiable:
        return
    for grid in grids:
        labels = _labels(grid)
        soft = wanted.soft(_sharp(labels, grid), grid)
        require(tuple(soft.shape) == (len(labels),), f"soft must give ({len(labels)},) values, but gave {soft.shape}.")
        values = wanted.measure(labels, grid).values
        known = np.isfinite(values)
        require_close(soft.detach().numpy()[known], values[known], "soft and measured values", 1e-4)


def check_gradient(wanted: Property, grids: Sequence[Grid]) -> None:
    """The gradient of `soft` is finite and that of finite differences."""
    if not wanted.differentiable:
        return
    for grid in grids:
        rng = torch.Generator().manual_seed(0)
        sharp = _sharp(_labels(grid), grid)
        soft = 0.8 * sharp + 0.2 * torch.softmax(torch.randn(sharp.shape, generator=rng, dtype=torch.float64), 1)
        direction = torch.randn(sharp.shape, generator=rng, dtype=torch.float64)
        direction -= direction.mean(1, keepdim=True)
        soft.requires_grad_()
        (gradient,) = torch.autograd.grad(wanted.soft(soft, grid).sum(), soft)
        require(torch.isfinite(gradient).all(), "The gradient of soft is not finite.")
        with torch.no_grad():
            step = 1e-6
            up, down = (wanted.soft(soft + sign * step * direction, grid).sum() for sign in (1, -1))
        found, expected = float((gradient * direction).sum()), float((up - down) / (2 * step))
        size = max(abs(expected), float(gradient.abs().max()), 1e-3)
        require(
            abs(found - expected) <= 1e-2 * size,
            f"The gradient of soft along a direction is {found:.4g}, but finite differences give {expected:.4g}.",
        )


CHECKS: tuple[Callable[[Property, Sequence[Grid]], None], ...] = (
    check_declaration,
    check_one_value_or_reason_a_structure,
    check_structures_are_independent,
    check_its_input_is_left_alone,
    check_it_can_be_sent_to_a_worker,
    check_soft_values_of_sharp_structures,
    check_gradient,
)


def _labels(grid: Grid) -> np.ndarray:
    """Labels ``(3, *space)`` of all phases, with neighbours that are alike."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, *grid.shape))
    axes = range(1, noise.ndim)
    smooth = noise + sum(np.roll(noise, 1, axis) + np.roll(noise, -1, axis) for axis in axes)
    levels = np.quantile(smooth, np.linspace(0, 1, grid.phases + 1)[1:-1])
    return np.digitize(smooth, levels).astype(np.uint8)


def _sharp(labels: np.ndarray, grid: Grid) -> torch.Tensor:
    return torch.from_numpy(np.stack([labels == phase for phase in range(grid.phases)], axis=1)).double()


def _same(found: np.ndarray, expected: np.ndarray | list[float], what: str) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    known = np.isfinite(expected)
    require((np.isfinite(found) == known).all(), f"{what} have values in other places: {found} and {expected}.")
    require_close(found[known], expected[known], what)
