"""Both estimators read X in the same way: its form, its grid, and any contradictions."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, two_point_stats
from matvae.errors import InputError
from matvae.estimator.samples import Samples, blocks_of, read

SHORT = {StatsVAETransformer: {"decoder": "dense", "max_epochs": 1, "width": 8}}


@pytest.fixture(params=[StatsVAETransformer, TwoPointPCA])
def estimator(request):
    return request.param


def test_structures_are_read_in_every_form(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    for array, options in (
        (X, {}),
        (X.reshape(40, 64), {"sample_shape": (8, 8)}),
        (states, {"state_axis": -1}),
        (Structures(X, Grid((8, 8), phases=2)), {}),
    ):
        samples = Samples.of(estimator(**options), array)
        assert samples.grid == Grid((8, 8), phases=2)
        assert len(samples) == 40
        assert samples.layout.form is not None


def test_statistics_are_read(estimator, X) -> None:
    f = two_point_stats(X, periodic=False, cutoff=3)
    options = {"input": "statistics", "sample_shape": (8, 8), "periodic": False, "cutoff": 3}
    samples = Samples.of(estimator(**options), f)
    assert samples.grid == Grid((8, 8), phases=2, periodic=False)
    assert samples.layout.form is None


def test_a_forgotten_state_axis_is_refused(estimator, X) -> None:
    states = np.stack([phase == X for phase in range(2)], axis=-1).astype(float)
    with pytest.raises(InputError, match="Pass state_axis=-1"):
        Samples.of(estimator(), states)
    assert Samples.of(estimator(phases=1), states).grid == Grid((8, 8, 2), phases=1)


def test_treating_windows_as_periodic_warns_at_the_line_that_fits(estimator, X) -> None:
    windows = Structures(X, Grid((8, 8), phases=2, periodic=False))
    with pytest.warns(UserWarning, match="are not periodic .* but are treated as periodic") as caught:
        estimator(n_components=2).set_params(**SHORT.get(estimator, {})).fit(windows)
    assert {warning.filename for warning in caught} == {__file__}


def test_blocks_follow_chunks_or_a_number_of_bytes() -> None:
    X = np.random.default_rng(0).normal(size=(10, 4))
    assert blocks_of(X, max_bytes=4 * X[0].nbytes) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    lazy = da.from_array(X, chunks=((3, 7), 4))
    assert blocks_of(lazy) == [slice(0, 3), slice(3, 10)]
    np.testing.assert_array_equal(read(lazy, slice(3, 10)), X[3:])
