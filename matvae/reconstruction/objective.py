"""What is wanted of structures beside unmasked 2-point statistics, and how far structures are from all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..stats import Statistic, relative_error, surface_area
from .constraints import Percolates, connect
from .target import Target


@dataclass(frozen=True)
class Wanted:
    """Values that a further statistic of the structures is to have.

    Parameters
    ----------
    statistic : str
        Name of any statistic there is: ``"lineal_path"``, ``"surface_area"``, ``"cluster"``, or one of a plugin.
    values : array ``(sample, *coordinate, column)``
        As the statistic gives them for structures of the wanted shape; numpy or torch. One sample serves all.
    weight : float
        Of its squared relative error; that of 2-point statistics has the weight 1.
    options : mapping
        Options of the statistic, such as ``{"axis": 0}`` or ``{"mask": mask}``. `periodic` is the grid's if it is not
        among them.
    """

    statistic: str
    values: Any
    weight: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """A `Wanted` that has been checked.

    Parameters
    ----------
    statistic : Statistic
    values : Tensor ``(sample, *coordinate, column)``
    weight : float
    options : mapping
        Without the mask.
    mask : Tensor ``(sample, *space)``, optional
    """

    statistic: Statistic
    values: Tensor
    weight: float
    options: Mapping[str, Any]
    mask: Tensor | None = None

    def select(self, samples: Tensor | slice) -> Term:
        """Some of the samples."""
        return replace(self, values=self.values[samples], mask=None if self.mask is None else self.mask[samples])

    def of(self, fields: Tensor) -> Tensor:
        """The statistic of indicator fields ``(sample, phase, *space)``; it has a slope if the statistic has one."""
        options = self.options if self.mask is None else {**self.options, "mask": self.mask}
        if self.statistic.differentiable:
            return self.statistic(fields, state_axis=1, **options)
        return self.statistic(fields.detach().argmax(1), phases=fields.shape[1], **options)


@dataclass(frozen=True)
class Demands:
    """Further statistics, smoothness, fixed voxels and percolation.

    Parameters
    ----------
    terms : tuple of Term
    two_point : bool
        Whether the target's own statistics count beside the terms.
    smoothing : float
        What interfaces cost: weight of their area relative to that of uncorrelated voxels.
    fixed : Tensor of uint8 ``(sample, *space)``, optional
        Labels of voxels that have them in any case, 255 elsewhere.
    percolates : tuple of (phase, axis)
        Which phases are to connect the two sides of which axes.
    """

    terms: tuple[Term, ...] = ()
    two_point: bool = True
    smoothing: float = 0.0
    fixed: Tensor | None = None
    percolates: Percolates = ()

    def select(self, samples: Tensor | slice) -> Demands:
        """Some of the samples."""
        fixed = None if self.fixed is None else self.fixed[samples]
        return replace(self, terms=tuple(term.select(samples) for term in self.terms), fixed=fixed)

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns of `each_error` are; a statistic that is wanted again has its number behind its name."""
        found: list[str] = ["two_point"] if self.two_point else []
        for term in self.terms:
            name, again = term.statistic.name, 2
            while name in found:
                name, again = f"{term.statistic.name}_{again}", again + 1
            found.append(name)
        return tuple(found)

    def each_error(self, target: Target, fields: Tensor) -> Tensor:
        """Relative error ``(sample, statistic)`` of each statistic of indicator fields."""
        own = [target.errors(fields)] if self.two_point else []
        return torch.stack([*own, *(relative_error(term.values, term.of(fields)) for term in self.terms)], dim=1)

    def total(self, each: Tensor) -> Tensor:
        """Root of the weighted mean of squared errors ``(sample, statistic)``: one number ``(sample,)``."""
        weights = each.new_tensor([*([1.0] if self.two_point else []), *(term.weight for term in self.terms)])
        return ((each.square() * weights).sum(1) / weights.sum()).sqrt()

    def errors(self, target: Target, fields: Tensor) -> Tensor:
        """Relative error ``(sample,)`` over all statistics."""
        return self.total(self.each_error(target, fields))

    def loss(self, target: Target, fields: Tensor) -> Tensor:
        """What is made small ``(sample,)``: the squared error and the price of interfaces, with a slope."""
        parts = [target.squared_errors(fields) / _size(target.statistics)] if self.two_point else []
        weights = [1.0] * len(parts) + [term.weight for term in self.terms]
        for term in self.terms:
            parts.append((term.of(fields) - term.values).square().flatten(1).sum(1) / _size(term.values))
        loss = torch.stack([part * weight for part, weight in zip(parts, weights, strict=True)]).sum(0) / sum(weights)
        return self._smoothed(loss, target, fields)

    def cost(self, error: Tensor, target: Target, fields: Tensor) -> Tensor:
        """The loss of structures ``(sample,)`` of which the error is known."""
        return self._smoothed(error.square(), target, fields)

    def _smoothed(self, loss: Tensor, target: Target, fields: Tensor) -> Tensor:
        return loss + self.smoothing * _roughness(fields, target) if self.smoothing else loss

    def satisfied(self, target: Target, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Labels ``(sample, *space)`` with the wanted connections, and all voxels that have to stay for them."""
        if not self.percolates:
            return labels, self.fixed
        return connect(labels, target.counts, self.percolates, self.fixed)


def _size(values: Tensor) -> Tensor:
    """Squared size ``(sample,)`` of statistics; one where they are zero."""
    size = values.square().flatten(1).sum(1)
    return size + (size == 0)


def _roughness(fields: Tensor, target: Target) -> Tensor:
    """Area of all interfaces ``(sample,)``, relative to that of uncorrelated voxels in the same volume fractions."""
    fractions = target.counts / target.grid.n_voxels
    uncorrelated = 2 * target.grid.ndim * (fractions * (1 - fractions)).sum(1)
    area = surface_area(fields, state_axis=1, periodic=target.grid.periodic, isotropic=False)
    return area.sum(1) / uncorrelated.clamp_min(1 / target.grid.n_voxels)
