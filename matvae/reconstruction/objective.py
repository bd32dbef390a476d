"""Requirements in addition to unmasked 2-point statistics, and the error of structures over all of them."""

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
    """Target values of a statistic other than the unmasked 2-point statistics.

    Parameters
    ----------
    statistic : str
        Name of a registered statistic: ``"lineal_path"``, ``"surface_area"``, ``"cluster"``, or one from a plugin.
    values : array ``(sample, *coordinate, column)``
        Target values, numpy or torch, as computed for structures of the shape of the grid. A single sample applies to
        all.
    weight : float
        Weight of the squared relative error; that of the 2-point statistics is 1.
    options : mapping
        Options of the statistic, such as ``{"axis": 0}`` or ``{"mask": mask}``. `periodic` defaults to that of the
        grid.
    """

    statistic: str
    values: Any
    weight: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """A checked `Wanted`.

    Parameters
    ----------
    statistic : Statistic
    values : Tensor ``(sample, *coordinate, column)``
    weight : float
    options : mapping
        Options of the statistic, without the mask.
    mask : Tensor ``(sample, *space)``, optional
    """

    statistic: Statistic
    values: Tensor
    weight: float
    options: Mapping[str, Any]
    mask: Tensor | None = None

    def select(self, samples: Tensor | slice) -> Term:
        """Return the selected samples."""
        return replace(self, values=self.values[samples], mask=None if self.mask is None else self.mask[samples])

    def of(self, fields: Tensor) -> Tensor:
        """Return the statistic of indicator fields ``(sample, phase, *space)``, with a gradient where it has one."""
        options = self.options if self.mask is None else {**self.options, "mask": self.mask}
        if self.statistic.differentiable:
            return self.statistic(fields, spatial_dims=fields.ndim - 2, state_axis=1, **options)
        labels = fields.detach().argmax(1)
        return self.statistic(labels, spatial_dims=labels.ndim - 1, phases=fields.shape[1], **options)


@dataclass(frozen=True)
class Demands:
    """Additional statistics, smoothing, fixed voxels and percolation.

    Parameters
    ----------
    terms : tuple of Term
    two_point : bool
        Whether the 2-point statistics of the target contribute to the error, too.
    smoothing : float
        Weight of the interface area, relative to that of uncorrelated voxels.
    fixed : Tensor of uint8 ``(sample, *space)``, optional
        Labels of prescribed voxels, 255 elsewhere.
    percolates : tuple of (phase, axis)
        Phases that must connect the two sides of an axis.
    """

    terms: tuple[Term, ...] = ()
    two_point: bool = True
    smoothing: float = 0.0
    fixed: Tensor | None = None
    percolates: Percolates = ()

    def select(self, samples: Tensor | slice) -> Demands:
        """Return the selected samples."""
        fixed = None if self.fixed is None else self.fixed[samples]
        return replace(self, terms=tuple(term.select(samples) for term in self.terms), fixed=fixed)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `each_error`; a repeated statistic has its number appended."""
        names: list[str] = ["two_point"] if self.two_point else []
        for term in self.terms:
            name, number = term.statistic.name, 2
            while name in names:
                name, number = f"{term.statistic.name}_{number}", number + 1
            names.append(name)
        return tuple(names)

    def each_error(self, target: Target, fields: Tensor) -> Tensor:
        """Return the relative error ``(sample, statistic)`` of each statistic of indicator fields."""
        own = [target.errors(fields)] if self.two_point else []
        return torch.stack([*own, *(relative_error(term.values, term.of(fields)) for term in self.terms)], dim=1)

    def total(self, errors: Tensor) -> Tensor:
        """Return the root of the weighted mean ``(sample,)`` of squared errors ``(sample, statistic)``."""
        weights = errors.new_tensor([*([1.0] if self.two_point else []), *(term.weight for term in self.terms)])
        return ((errors.square() * weights).sum(1) / weights.sum()).sqrt()

    def errors(self, target: Target, fields: Tensor) -> Tensor:
        """Return the relative error ``(sample,)`` over all statistics."""
        return self.total(self.each_error(target, fields))

    def loss(self, target: Target, fields: Tensor) -> Tensor:
        """Return the objective ``(sample,)``, with a gradient: the squared error plus the weighted interface area."""
        parts = [target.squared_errors(fields) / _squared_norm(target.statistics)] if self.two_point else []
        weights = [1.0] * len(parts) + [term.weight for term in self.terms]
        for term in self.terms:
            parts.append((term.of(fields) - term.values).square().flatten(1).sum(1) / _squared_norm(term.values))
        loss = torch.stack([part * weight for part, weight in zip(parts, weights, strict=True)]).sum(0) / sum(weights)
        return self._smoothed(loss, target, fields)

    def cost(self, error: Tensor, target: Target, fields: Tensor) -> Tensor:
        """Return the objective ``(sample,)`` of structures whose error is already known."""
        return self._smoothed(error.square(), target, fields)

    def _smoothed(self, loss: Tensor, target: Target, fields: Tensor) -> Tensor:
        return loss + self.smoothing * _roughness(fields, target) if self.smoothing else loss

    def satisfied(self, target: Target, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Connect phases that must percolate; return labels ``(sample, *space)`` and the voxels that must keep them."""
        if not self.percolates:
            return labels, self.fixed
        return connect(labels, target.counts, self.percolates, self.fixed)


def _squared_norm(values: Tensor) -> Tensor:
    """Return the squared norm ``(sample,)`` of statistics, or 1 where they are zero."""
    size = values.square().flatten(1).sum(1)
    return size + (size == 0)


def _roughness(fields: Tensor, target: Target) -> Tensor:
    """Return the interface area ``(sample,)``, relative to that of uncorrelated voxels of equal volume fractions."""
    fractions = target.counts / target.grid.n_voxels
    uncorrelated = 2 * target.grid.ndim * (fractions * (1 - fractions)).sum(1)
    area = surface_area(
        fields, spatial_dims=target.grid.ndim, state_axis=1, periodic=target.grid.periodic, isotropic=False
    )
    return area.sum(1) / uncorrelated.clamp_min(1 / target.grid.n_voxels)
