"""Both estimators understand X alike: kind, grid, and what contradicts."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, two_point_stats
from matvae.errors import InputError


@pytest.fixture(params=[StatsVAETransformer, TwoPointPCA])
def estimator(request):
    return request.param


def test_structures_in_every_form(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    for array, options in (
        (X, {}),
        (X.reshape(40, 64), {"sample_shape": (8, 8)}),
        (states, {"state_axis": -1}),
        (Structures(X, Grid((8, 8), phases=2)), {}),
    ):
        held, understood, grid = estimator(**options)._understand(array)
        assert grid == Grid((8, 8), phases=2)
        assert len(held) == 40
        assert understood.form is not None


def test_statistics(estimator, X) -> None:
    f = two_point_stats(X, periodic=False, cutoff=3)
    options = {"input": "statistics", "sample_shape": (8, 8), "periodic": False, "cutoff": 3}
    _, understood, grid = estimator(**options)._understand(f)
    assert grid == Grid((8, 8), phases=2, periodic=False)
    assert understood.form is None


def test_a_forgotten_state_axis(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    with pytest.raises(InputError, match="Pass state_axis=-1"):
        estimator()._understand(states)
    assert estimator(phases=1)._understand(states)[2] == Grid((8, 8, 2), phases=1)


def test_structures_that_are_not_periodic_are_taken_so_with_a_warning(estimator, X) -> None:
    with pytest.warns(UserWarning, match="do not continue on their opposite side"):
        estimator()._understand(Structures(X, Grid((8, 8), phases=2, periodic=False)))
