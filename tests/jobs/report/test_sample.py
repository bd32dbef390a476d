"""Few structures are all looked at, many are spread over."""

from __future__ import annotations

import numpy as np

from matvae import Grid, StatsVAETransformer, Structures
from matvae.jobs.report import sample as report_sample
from matvae.jobs.report.sample import LEAST, choose, fit_pca


def numbered(n):
    X = np.zeros((n, 2, 2), dtype=np.uint8)
    X[:, 0, 0] = 1
    return Structures(X, Grid((2, 2)), {"number": np.arange(float(n))})


def test_few_are_all_taken():
    structures = numbered(5)
    chosen, numbers = choose(structures)
    assert chosen is structures
    assert numbers.tolist() == [0, 1, 2, 3, 4]


def test_of_many_some_are_spread_over_the_set(monkeypatch):
    chosen, numbers = choose(numbered(100), most=30)
    assert (len(chosen), numbers[0], numbers[-1]) == (30, 0, 99)
    np.testing.assert_array_equal(chosen.properties["number"], numbers)
    # Of very large ones fewer, but some in any case.
    monkeypatch.setattr(report_sample, "MOST_VOXELS", 4)
    assert len(choose(numbered(100))[0]) == LEAST


def test_pca_has_twice_the_components_as_far_as_structures_allow():
    rng = np.random.default_rng(0)
    X = Structures((rng.random((30, 8, 8)) < 0.5).astype(np.uint8), Grid((8, 8)))
    model = StatsVAETransformer(n_components=3, max_epochs=1, width=16, random_state=0, decoder="dense").fit(X)
    pca, n = fit_pca(model, X)
    assert (len(pca.components_), n) == (6, 30)
    pca, n = fit_pca(model, X[:4])
    assert (len(pca.components_), n) == (4, 4)
