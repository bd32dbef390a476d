"""How far the 2-point statistics of a structure are from those that are wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from ..stats import relative_error, two_point_stats
from ..stats.map_samples import as_tensor
from .property import Measured


class StatisticsError:
    """Relative error ``||f - g|| / ||f||`` of 2-point statistics g from the wanted f.

    Parameters
    ----------
    target : array ``(*lag, correlation)`` or path of such a .npy
        The wanted statistics, as `two_point_stats` gives them for one structure.
    correlations, cutoff
        With which they were made; as in `two_point_stats`.

    Raises
    ------
    InputError
        If there is no target, or it is no array of finite numbers.
    """

    name: ClassVar[str] = "statistics_error"
    unit: ClassVar[str] = ""
    differentiable: ClassVar[bool] = True

    def __init__(self, target: Any = None, correlations: Any = None, cutoff: Any = None) -> None:
        self.correlations, self.cutoff = correlations, cutoff
        self.target = as_tensor(_statistics(target))[None]

    def measure(self, structures: np.ndarray, grid: Grid) -> Measured:
        """Values of structures of labels ``(sample, *space)``."""
        f = two_point_stats(structures, phases=grid.phases, periodic=grid.periodic, **self._how)
        return Measured.of(relative_error(self.target.numpy(), f))

    def soft(self, fractions: Tensor, grid: Grid) -> Tensor:
        """Values ``(sample,)`` of soft fractions ``(sample, phase, *space)``."""
        f = two_point_stats(fractions, state_axis=1, periodic=grid.periodic, **self._how)
        return relative_error(self.target.to(f), f)

    @property
    def _how(self) -> dict[str, Any]:
        return {"correlations": self.correlations, "cutoff": self.cutoff}


def _statistics(target: Any) -> np.ndarray:
    if isinstance(target, str | Path):
        try:
            target = np.load(target, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"The target statistics {target} cannot be read ({error}). Write them with numpy.save."
            ) from error
    found = np.asarray(np.nan if target is None else target, dtype=np.float64)
    if not 2 <= found.ndim <= 4 or not np.isfinite(found).all():
        raise InputError(
            "statistics_error needs target=, the wanted statistics (*lag, correlation) of one structure as "
            f"two_point_stats makes them, or a .npy of them, but {type(target).__name__} of shape {found.shape} was "
            "given."
        )
    return found
