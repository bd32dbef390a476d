"""Names of the columns of latents and scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from matvae import StatsVAETransformer, TwoPointPCA
from matvae.errors import NotFittedError


def test_columns_of_latents_and_scores_have_short_names(X):
    pca = TwoPointPCA(2).set_output(transform="pandas")
    assert list(pca.fit_transform(X).columns) == ["pc_0", "pc_1"]
    assert pca.get_feature_names_out().dtype == object


def test_names_pass_through_a_pipeline(X):
    pipeline = make_pipeline(TwoPointPCA(3), StandardScaler()).set_output(transform="pandas").fit(X)
    frame = pipeline.transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["pc_0", "pc_1", "pc_2"]
    np.testing.assert_allclose(frame.mean(), 0, atol=1e-5)


def test_there_are_no_names_before_a_fit():
    for estimator in (StatsVAETransformer(2), TwoPointPCA(2)):
        with pytest.raises(NotFittedError, match="fit"):
            estimator.get_feature_names_out()
