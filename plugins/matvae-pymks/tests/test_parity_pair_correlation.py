"""Radial averages of matvae agree with pair correlations of PyMKS."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.stats import lag_radii, pair_correlation, radial_average

from .cases import Case, pymks_statistics
from .parity import TOLERANCE


def pymks_pair_correlation(f: np.ndarray, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Compute pair correlations ``(sample, radius)`` of statistics ``(sample, *lag)``, and their radii."""
    from pymks import paircorr_from_twopoint

    averages, radii = paircorr_from_twopoint(f, **options)
    return np.asarray(averages), radii


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("space", [(9,), (8, 8), (9, 6), (5, 5, 5), (4, 6, 5)])
def test_averages_agree_at_every_radius(space, periodic):
    case = Case(space, periodic=periodic)
    f = pymks_statistics(case)
    ours, radii = radial_average(f), lag_radii(f.shape[1:-1])
    for k in range(len(case.pairs)):
        theirs, their_radii = pymks_pair_correlation(f[..., k])
        np.testing.assert_allclose(radii, their_radii, rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours[..., k], theirs, rtol=0, atol=TOLERANCE)


def test_pair_correlations_of_structures_agree():
    case = Case((12, 9), periodic=False)
    ours = pair_correlation(
        case.states(), state_axis=-1, correlations=case.pairs, periodic=False, cutoff=case.lag_cutoff
    )
    theirs = [pymks_pair_correlation(f)[0] for f in np.moveaxis(pymks_statistics(case), -1, 0)]
    np.testing.assert_allclose(ours, np.stack(theirs, axis=-1), rtol=0, atol=TOLERANCE)


def test_averages_agree_up_to_a_radius():
    f = pymks_statistics(Case((11, 11)))
    theirs, radii = pymks_pair_correlation(f[..., 0], cutoff_r=3.0)
    np.testing.assert_allclose(lag_radii((11, 11), max_radius=3.0), radii, rtol=0, atol=1e-12)
    np.testing.assert_allclose(radial_average(f, max_radius=3.0)[..., 0], theirs, rtol=0, atol=TOLERANCE)
