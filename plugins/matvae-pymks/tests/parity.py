"""Agreement of matvae with PyMKS, for results from this and from the oracle's environment."""

from __future__ import annotations

import numpy as np

from matvae import two_point_stats
from matvae_pymks.lag_values import crop

from .cases import Case

TOLERANCE = 1e-10


def assert_agrees(case: Case, theirs: np.ndarray) -> None:
    """Assert that statistics are equal, in double precision, at every lag that both define."""
    cutoff = case.lag_cutoff
    assert theirs.shape == (3, *(2 * cutoff + 1 for _ in case.space), len(case.pairs))
    options = {
        "spatial_dims": len(case.space),
        "correlations": case.pairs,
        "periodic": case.periodic,
        "mask": case.weights(),
    }
    windowed = two_point_stats(case.states(), state_axis=-1, cutoff=cutoff, **options)
    np.testing.assert_allclose(windowed, theirs, rtol=0, atol=TOLERANCE)
    if case.mask is None:
        complete = two_point_stats(case.states(), state_axis=-1, **options)
        np.testing.assert_allclose(
            crop(complete, [(cutoff, cutoff + 1)] * len(case.space)), theirs, rtol=0, atol=TOLERANCE
        )
