"""Pipelines of PyMKS and matvae agree on windows of a real micrograph."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from matvae_pymks import FlattenTransformer, pca_pipeline


@pytest.mark.parametrize(
    "route", [{}, {"input": "statistics", "sample_shape": (64, 64)}], ids=["structures", "statistics"]
)
@pytest.mark.parametrize("periodic", [True, False])
def test_scores_agree_with_those_of_pymks_up_to_sign(copolymer, route, periodic):
    """The reference uses PyMKS's own steps except for FlattenTransformer, which fails with current scikit-learn."""
    from pymks import PrimitiveTransformer, TwoPointCorrelation

    cutoff = 16
    theirs = Pipeline(
        [
            ("discretise", PrimitiveTransformer(n_state=2, min_=0.0, max_=1.0)),
            ("correlate", TwoPointCorrelation(correlations=[(1, 1)], periodic_boundary=periodic, cutoff=cutoff)),
            ("flatten", FlattenTransformer()),
            ("reduce", PCA(n_components=5, svd_solver="full")),
        ]
    )
    expected = theirs.fit_transform(copolymer)
    ours = pca_pipeline(5, periodic=periodic, cutoff=cutoff, **route)
    scores = np.asarray(ours.fit_transform(copolymer))
    signs = np.sign((scores * expected).sum(0))
    np.testing.assert_allclose(scores * signs, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        ours["reduce"].explained_variance_ratio_, theirs["reduce"].explained_variance_ratio_, rtol=1e-6
    )
    assert np.abs(expected).max() > 0.01
