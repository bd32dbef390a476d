"""Comparison of fitted models."""

from __future__ import annotations

import numpy as np

from matvae import StatsVAETransformer


def assert_equal(model: StatsVAETransformer, other: StatsVAETransformer, X) -> None:
    np.testing.assert_array_equal(model.transform(X), other.transform(X))
    Z = np.asarray(model.transform(X))
    structures = [m.inverse_transform(Z, n_realizations=2, random_state=0) for m in (model, other)]
    np.testing.assert_array_equal(*structures)
    assert structures[0].dtype == structures[1].dtype
    assert model.history_ == other.history_
    assert model.grid_ == other.grid_
    assert (model.n_iter_, model.n_features_in_) == (other.n_iter_, other.n_features_in_)
    assert model.module_.spec == other.module_.spec
