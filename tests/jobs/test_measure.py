"""Errors gathered block by block equal those of whole arrays."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA, load, open_structures
from matvae.jobs.measure import block_size, latents_of, measure, measure_mean, pca_like


def relative(f, g):
    return np.linalg.norm((f - g).reshape(len(f), -1), axis=1) / np.linalg.norm(f.reshape(len(f), -1), axis=1)


def centred(f, g):
    return np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))


def check(row, prefix, f, g):
    f, g = f.astype(float), g.astype(float).reshape(f.shape)
    assert row[f"{prefix}relative_error"] == pytest.approx(relative(f, g).mean(), abs=1e-5)
    assert row[f"{prefix}median_relative_error"] == pytest.approx(np.median(relative(f, g)), abs=1e-5)
    assert row[f"{prefix}centred_error"] == pytest.approx(centred(f, g), abs=1e-5)


@pytest.mark.parametrize("size", [1, 4, 100])
def test_statistics_and_structures_are_measured(trained, size):
    model, test = load(trained / "m.matvae"), open_structures(trained / "test.zarr")
    X = test.data.compute()
    f, z = model.statistics(X), model.transform(X)
    latents, row = measure(model, test, size)
    np.testing.assert_allclose(latents, z, atol=1e-5)
    np.testing.assert_allclose(latents_of(model, test, size), z, atol=1e-5)
    check(row, "", f, model.inverse_statistics(z))
    made = model.inverse_transform(z)
    check(row, "structure_", f, model.statistics(made))
    n, m = (a.reshape(len(a), -1).sum(1).astype(float) for a in (X, made))
    assert row["volume_fraction_difference"] == pytest.approx(100 * (abs(n - m) / n).mean())
    pca = pca_like(model, 2).fit(open_structures(trained / "train.zarr"))
    _, row = measure(pca, test, size)
    check(row, "", f, pca.inverse_statistics(pca.transform(X)))
    # What scores have lost is lost to their structures, too, and these lose little more.
    assert row["structure_centred_error"] == pytest.approx(row["centred_error"], rel=0.3)
    assert row["volume_fraction_difference"] < 25


def test_structures_of_pca_are_measured(trained):
    test = open_structures(trained / "test.zarr")

    class Exact(TwoPointPCA):
        def inverse_transform(self, Z, random_state=None):
            return test.data[self.seen : self.seen + len(Z)].compute()

    pca = Exact(3, phases=2).fit(test.data)
    pca.seen = 0
    _, row = measure(pca, test, len(test))
    assert row["structure_centred_error"] == row["volume_fraction_difference"] == 0.0
    assert row["centred_error"] > 0


def test_the_mean_of_the_own_set_has_the_centred_error_one(trained):
    test = open_structures(trained / "test.zarr")
    pca = TwoPointPCA(1, phases=2).fit(test.data)
    assert measure_mean(pca, test, 4)["centred_error"] == pytest.approx(1.0, abs=1e-6)
    assert measure(pca, test, 4)[1]["centred_error"] < 1.0


def test_a_continuous_field_has_no_volume_fraction(trained):
    X = np.random.default_rng(0).normal(size=(12, 6, 6))
    model = StatsVAETransformer(2, max_epochs=1, width=8, random_state=0).fit(X)

    _, row = measure(model, Structures(X, Grid((6, 6), phases=1)), 5)
    assert row["volume_fraction_difference"] is None
    check(row, "structure_", model.statistics(X), model.statistics(model.inverse_transform(model.transform(X))))
    # 2-point statistics fix no field, so PCA makes none.
    _, row = measure(TwoPointPCA(2).fit(X), Structures(X, Grid((6, 6), phases=1)), 5)
    assert {row[name] for name in row if name.startswith(("structure_", "volume"))} == {None}


def test_more_correlations_make_smaller_blocks(trained):
    test = open_structures(trained / "test.zarr")
    model = load(trained / "m.matvae")
    few = block_size(model, test)
    model.correlations = [(0, 0), (0, 1), (1, 1), (1, 0)]
    assert block_size(model, test) == few // 4
