"""PyMKS's transformers that work, with what scikit-learn asks of a transformer today."""

from __future__ import annotations

from typing import Any

from .transformers import StatelessMixin
from .upstream import import_pymks

_pymks: Any = import_pymks()


class LegendreTransformer(StatelessMixin, _pymks.LegendreTransformer):
    """PyMKS's discretisation in Legendre polynomials: values ``(sample, *space)`` to ``(sample, *space, state)``.

    The original, and nothing is changed in what it computes. The original cannot be pickled, and stops
    ``Pipeline.set_output``.

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
        # The original keeps a function that pickle does not find under its name.
        return type(self), (self.n_state, self.min_, self.max_, self.chunks)


class TwoPointCorrelation(StatelessMixin, _pymks.TwoPointCorrelation):
    """PyMKS's 2-point statistics: states ``(sample, *space, state)`` to statistics ``(sample, *lag, correlation)``.

    The original, and nothing is changed in what it computes. As the last step of a `Pipeline` scikit-learn takes the
    original for not fitted, and it stops ``Pipeline.set_output``.

    Parameters
    ----------
    correlations : list of pairs of int, optional
        Pairs of local states; None for ``(0, j)`` with all j.
    periodic_boundary : bool
        Whether structures continue on their opposite sides.
    cutoff : int, optional
        Largest lag in voxels; None for as many as the smallest axis allows.
    """
