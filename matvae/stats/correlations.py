"""Pairs of local states to correlate, and the default set that determines all others."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from ..errors import InputError

Pairs = tuple[tuple[int, int], ...]


def default_correlations(phases: int) -> Pairs:
    """Return the pairs that determine all H^2 correlations of a structure whose states sum to one.

    With H phases these are the H(H-1)/2 pairs among phases 1..H-1 (Niezgoda, Fullwood & Kalidindi, Acta
    Materialia 56, 5285 (2008), sec. 3, on the interdependence of 2-point correlations): for two phases the
    autocorrelation of phase 1. For a continuous field (one state) it is the autocorrelation of that field.

    Parameters
    ----------
    phases : int
        Number of local states H.

    Returns
    -------
    tuple of (int, int)
    """
    if phases == 1:
        return ((0, 0),)
    return tuple((i, j) for i in range(1, phases) for j in range(i, phases))


def resolve_correlations(correlations: Sequence[Sequence[int]] | None, phases: int) -> Pairs:
    """Check the pairs named by a user, or return the default set.

    Raises
    ------
    InputError
        If no pair is named, an entry is not a pair, or a pair names a state outside 0..H-1.
    """
    if correlations is None:
        return default_correlations(phases)
    try:
        pairs = tuple((operator.index(first), operator.index(second)) for first, second in correlations)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"correlations must be a list of pairs of phases such as [(0, 0), (0, 1)], but {correlations!r} was given."
        ) from error
    if not pairs:
        raise InputError("correlations is empty: name at least one pair, or pass None for the default set.")
    absent = sorted({state for pair in pairs for state in pair if not 0 <= state < phases})
    if absent:
        raise InputError(
            f"correlations names the local states {absent}, but there are only {phases}: 0 to {phases - 1}. "
            "Leave these pairs out, or pass phases=H if H phases are possible and some do not occur."
        )
    return pairs
