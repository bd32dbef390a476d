"""Conformance suite for properties: `check_property` runs all checks, `property_checks` returns them one by one.

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
from .check import Check, require, require_close, run_all

GRIDS = (Grid((12, 11)), Grid((12, 11), periodic=False, voxel_size=(0.5, 2.0)), Grid((8, 7, 6)))


def property_checks(property: Property, grids: Sequence[Grid] = GRIDS) -> list[Check]:
    """Return the checks of a property one by one.

    Parameters
    ----------
    property : Property
        Property to check, with its options.
    grids : sequence of Grid
        Grids of two or more phases to check it on; by default small ones in two and three dimensions, periodic and
        non-periodic.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", property_checks(MyProperty()), ids=str)`` on a test that calls
        ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), property.name, partial(run, property, grids)) for run in CHECKS]


def check_property(property: Property, grids: Sequence[Grid] = GRIDS) -> None:
    """Run all checks of a property.

    Parameters
    ----------
    property, grids
        As in `property_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check. Other errors that the
        property raises are passed on with the same note.
    """
    run_all(property_checks(property, grids))


def check_declaration(property: Property, grids: Sequence[Grid]) -> None:
    """`name` and `unit` are strings, and `differentiable` is a bool that agrees with the presence of `soft`."""
    require(
        isinstance(property.name, str) and property.name.isidentifier(),
        f"The name must be a string of letters, digits and _, but it is {property.name!r}.",
    )
    require(
        isinstance(property.unit, str),
        f"The unit must be a string, empty if dimensionless, but it is {property.unit!r}.",
    )
    require(
        isinstance(property.differentiable, bool),
        f"differentiable must be True or False, but it is {property.differentiable!r}.",
    )
    require(
        not property.differentiable or callable(getattr(property, "soft", None)),
        "A differentiable property must have a method soft.",
    )


def check_one_value_or_reason_per_structure(property: Property, grids: Sequence[Grid]) -> None:
    """Values are float64 ``(sample,)``, never infinite, with a reason exactly where a value is missing."""
    for grid in grids:
        for labels in (_labels(grid), *(np.full((2, *grid.shape), phase, np.uint8) for phase in range(grid.phases))):
            measured = property.measure(labels, grid)
            require(
                isinstance(measured, Measured),
                f"measure must return a Measured, but it returned a {type(measured).__name__}.",
            )
            values = measured.values
            require(
                isinstance(values, np.ndarray) and values.shape == (len(labels),) and values.dtype == np.float64,
                f"Values must be a float64 array of shape ({len(labels)},), but they are {values!r}.",
            )
            require(not np.isinf(values).any(), "No value may be infinite; return NaN with a reason instead.")
            require(
                len(measured.reasons) == len(labels)
                and all(
                    isinstance(reason, str) and reason if math.isnan(value) else reason is None
                    for value, reason in zip(values, measured.reasons, strict=True)
                ),
                f"Missing values, and only those, must have a reason, but the values {values} have the reasons "
                f"{measured.reasons}.",
            )


def check_structures_are_independent(property: Property, grids: Sequence[Grid]) -> None:
    """A batch yields the values of its structures measured one by one, and repeated calls agree."""
    for grid in grids:
        labels = _labels(grid)
        batch = property.measure(labels, grid).values
        singles = np.concatenate([property.measure(labels[i : i + 1], grid).values for i in range(len(labels))])
        _require_same(batch, singles, "A batch and its structures one by one")
        _require_same(property.measure(labels, grid).values, batch, "Two measurements of the same structures")


def check_input_is_unchanged(property: Property, grids: Sequence[Grid]) -> None:
    """Structures in read-only memory can be measured."""
    for grid in grids:
        labels = _labels(grid)
        labels.flags.writeable = False
        property.measure(labels, grid)


def check_pickling(property: Property, grids: Sequence[Grid]) -> None:
    """A pickled copy, as sent to dask workers, measures the same values."""
    for grid in grids:
        labels = _labels(grid)
        copy = cloudpickle.loads(cloudpickle.dumps(property))
        _require_same(copy.measure(labels, grid).values, property.measure(labels, grid).values, "A pickled copy")


def check_soft_values_of_sharp_structures(property: Property, grids: Sequence[Grid]) -> None:
    """For fractions of 0 and 1, `soft` returns the values of `measure`."""
    if not property.differentiable:
        return
    for grid in grids:
        labels = _labels(grid)
        soft = property.soft(_one_hot(labels, grid), grid)
        require(
            tuple(soft.shape) == (len(labels),),
            f"soft must return values of shape ({len(labels)},), but they have shape {tuple(soft.shape)}.",
        )
        values = property.measure(labels, grid).values
        is_finite = np.isfinite(values)
        require_close(soft.detach().numpy()[is_finite], values[is_finite], "soft and measured values", 1e-4)


def check_gradient(property: Property, grids: Sequence[Grid]) -> None:
    """The gradient of `soft` is finite and agrees with finite differences."""
    if not property.differentiable:
        return
    for grid in grids:
        rng = torch.Generator().manual_seed(0)
        sharp = _one_hot(_labels(grid), grid)
        soft = 0.8 * sharp + 0.2 * torch.softmax(torch.randn(sharp.shape, generator=rng, dtype=torch.float64), 1)
        direction = torch.randn(sharp.shape, generator=rng, dtype=torch.float64)
        direction -= direction.mean(1, keepdim=True)
        soft.requires_grad_()
        (gradient,) = torch.autograd.grad(property.soft(soft, grid).sum(), soft)
        require(torch.isfinite(gradient).all(), "The gradient of soft must be finite.")
        with torch.no_grad():
            step = 1e-6
            plus, minus = (property.soft(soft + sign * step * direction, grid).sum() for sign in (1, -1))
        derivative, expected = float((gradient * direction).sum()), float((plus - minus) / (2 * step))
        magnitude = max(abs(expected), float(gradient.abs().max()), 1e-3)
        require(
            abs(derivative - expected) <= 1e-2 * magnitude,
            f"The directional derivative from the gradient of soft is {derivative:.4g}, but finite differences give "
            f"{expected:.4g}.",
        )


CHECKS: tuple[Callable[[Property, Sequence[Grid]], None], ...] = (
    check_declaration,
    check_one_value_or_reason_per_structure,
    check_structures_are_independent,
    check_input_is_unchanged,
    check_pickling,
    check_soft_values_of_sharp_structures,
    check_gradient,
)


def _labels(grid: Grid) -> np.ndarray:
    """Labels ``(3, *space)`` of all phases, correlated between neighbouring voxels."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, *grid.shape))
    axes = range(1, noise.ndim)
    smooth = noise + sum(np.roll(noise, 1, axis) + np.roll(noise, -1, axis) for axis in axes)
    levels = np.quantile(smooth, np.linspace(0, 1, grid.phases + 1)[1:-1])
    return np.digitize(smooth, levels).astype(np.uint8)


def _one_hot(labels: np.ndarray, grid: Grid) -> torch.Tensor:
    return torch.from_numpy(np.stack([labels == phase for phase in range(grid.phases)], axis=1)).double()


def _require_same(values: np.ndarray, expected: np.ndarray, subject: str) -> None:
    is_finite = np.isfinite(expected)
    require(
        (np.isfinite(values) == is_finite).all(),
        f"{subject} must have values for the same structures, but gave {values} and {expected}.",
    )
    require_close(values[is_finite], expected[is_finite], subject)
