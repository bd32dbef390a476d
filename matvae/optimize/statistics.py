"""Difference between the 2-point statistics of a structure and target statistics, as a property."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..stats import relative_error, resolve_correlations, two_point_stats
from ..stats.map_samples import as_tensor
from .property import Decoded, Measured


class StatisticsError:
    """Relative error ``||f - g|| / ||f||`` of 2-point statistics g with respect to the target f.

    Parameters
    ----------
    target : array ``(*lag, correlation)`` or path of a .npy file that holds one
        Target statistics of one structure, as returned by `two_point_stats`.
    correlations, cutoff
        Parameters of `two_point_stats` with which the target was computed.

    Raises
    ------
    InputError
        If the target is missing or is not an array of finite numbers.
    """

    name: ClassVar[str] = "statistics_error"
    unit: ClassVar[str] = ""
    differentiable: ClassVar[bool] = True

    def __init__(self, target: Any = None, correlations: Any = None, cutoff: Any = None) -> None:
        self.correlations, self.cutoff = correlations, cutoff
        self.target = as_tensor(_target_statistics(target))[None]

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Measure the labels ``(sample, *space)`` of structures."""
        f = two_point_stats(
            structures, spatial_dims=grid.ndim, phases=grid.phases, periodic=grid.periodic, **self._options
        )
        return Measured.of(relative_error(self.target.numpy(), f))

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        f = two_point_stats(fractions, spatial_dims=grid.ndim, state_axis=1, periodic=grid.periodic, **self._options)
        return relative_error(self.target.to(f), f)

    def from_latent(self, decoded: Decoded, grid: Grid) -> Tensor | None:
        """Values ``(sample,)`` that a decoder of statistics gives, if those are the statistics of the target."""
        pairs = resolve_correlations(self.correlations, grid.phases)
        if tuple(pairs) != tuple(decoded.module.spec.pairs) or decoded.statistics.shape[1:] != self.target.shape[1:]:
            return None
        return relative_error(self.target.to(decoded.statistics), decoded.statistics)

    @property
    def _options(self) -> dict[str, Any]:
        return {"correlations": self.correlations, "cutoff": self.cutoff}


def _target_statistics(target: Any) -> np.ndarray:
    if isinstance(target, str | Path):
        try:
            target = np.load(target, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"The target statistics {target} cannot be read ({error}). Write them with numpy.save."
            ) from error
    statistics = np.asarray(np.nan if target is None else target, dtype=np.float64)
    if not 2 <= statistics.ndim <= 4 or not np.isfinite(statistics).all():
        raise InputError(
            "statistics_error needs target=, the statistics (*lag, correlation) of one structure as returned by "
            f"two_point_stats, or a .npy file of them, but {type(target).__name__} with shape {statistics.shape} was "
            "given."
        )
    return statistics
