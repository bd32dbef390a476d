"""PyMKS's working transformers, adapted to the current interface of scikit-learn."""

from __future__ import annotations

from typing import Any

from .transformers import StatelessMixin
from .upstream import import_pymks

_pymks: Any = import_pymks()


class LegendreTransformer(StatelessMixin, _pymks.LegendreTransformer):
    """PyMKS's Legendre discretisation of values ``(sample, *space)`` to coefficients ``(sample, *space, state)``.

    It computes what the original does. The original cannot be pickled, and breaks ``Pipeline.set_output``.

    Parameters
    ----------
    n_state : int
        Number of polynomials.
    min_, max_ : float
        Values that are mapped to -1 and 1.
    chunks : int, optional
        Chunk size of the state axis.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # The original stores a function that pickle cannot find by name.
        return type(self), (self.n_state, self.min_, self.max_, self.chunks)


class TwoPointCorrelation(StatelessMixin, _pymks.TwoPointCorrelation):
    """PyMKS's 2-point statistics: states ``(sample, *space, state)`` to statistics ``(sample, *lag, correlation)``.

    It computes what the original does. As the last step of a `Pipeline`, scikit-learn considers the original not
    fitted, and it breaks ``Pipeline.set_output``.

    Parameters
    ----------
    correlations : list of pairs of int, optional
        Pairs of local states; None for ``(0, j)`` with all j.
    periodic_boundary : bool
        Whether structures are periodic.
    cutoff : int, optional
        Largest lag in voxels; None for the largest that the smallest axis allows.
    """
