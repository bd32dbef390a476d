"""A linkage predicts like its regressor, guides a search, and belongs to one model."""

from __future__ import annotations

import sys
import zipfile

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from matvae import StatsVAETransformer
from matvae.errors import InputError, MissingExtraError, StoreError
from matvae.optimize import optimize_latents, reach
from matvae.optimize.linkage import load_linkage, save_linkage
from matvae.optimize.property import Decoded

pytest.importorskip("skops")


@pytest.fixture(scope="module")
def data(model, training):
    """Return latents, statistics and a property, 10 times the volume fraction."""
    statistics = model.statistics(training).reshape(len(training), -1)
    return model.transform(training), statistics, 10 * training.mean((1, 2))


def saved_and_loaded(path, regressor, model, **options):
    save_linkage(path, regressor, model, name="density", unit="g/cm3", **options)
    return load_linkage(path, model)


def test_predictions_equal_those_of_the_regressor(model, training, data, tmp_path):
    Z, f, y = data
    on_latents = make_pipeline(StandardScaler(), PolynomialFeatures(2), LinearRegression()).fit(Z, y)
    linkage = saved_and_loaded(tmp_path / "a.skops", on_latents, model)
    assert (linkage.name, linkage.unit, linkage.differentiable) == ("density", "g/cm3", True)
    np.testing.assert_allclose(linkage.measure(training, model.grid_).values, on_latents.predict(Z), rtol=1e-5)
    on_statistics = LinearRegression().fit(f, y)
    linkage = saved_and_loaded(tmp_path / "b.skops", on_statistics, model, on="statistics")
    assert not linkage.differentiable
    np.testing.assert_allclose(linkage.measure(training, model.grid_).values, on_statistics.predict(f), rtol=1e-5)


def test_soft_predictions_have_a_gradient(model, training, data, tmp_path):
    Z, _, y = data
    linkage = saved_and_loaded(tmp_path / "a.skops", LinearRegression().fit(Z, y), model)
    fractions = torch.from_numpy(np.stack([1 - training[:4], training[:4]], 1)).float()
    soft = (0.9 * fractions + 0.05).requires_grad_()
    np.testing.assert_allclose(
        linkage.soft(fractions, model.grid_).detach().numpy(),
        linkage.measure(training[:4], model.grid_).values,
        rtol=1e-4,
    )
    value = linkage.soft(soft, model.grid_).sum()
    (gradient,) = torch.autograd.grad(value, soft)
    with torch.no_grad():
        step = 1e-2 * gradient / gradient.abs().max()
        plus, minus = (linkage.soft(soft + sign * step, model.grid_).sum() for sign in (1, -1))
    assert float(plus - minus) == pytest.approx(2 * float((gradient * step).sum()), rel=0.1)


def test_search_reaches_a_predicted_value(model, data, tmp_path):
    Z, _, y = data
    linkage = saved_and_loaded(
        tmp_path / "a.skops", GaussianProcessRegressor(alpha=0.01, normalize_y=True).fit(Z, y), model
    )
    candidates = optimize_latents(
        model, reach(linkage, 5.0), latents=Z, n_candidates=2, n_starts=6, max_iter=20, random_state=0
    )
    assert candidates.method == "gradient"
    np.testing.assert_allclose(candidates.achieved["density"], 5.0, atol=0.2)
    assert (candidates.predictive_spread["density"] > 0).all()
    # The true property of structures on which the regressor was not fitted.
    np.testing.assert_allclose(10 * candidates.structures.mean((1, 2)), 5.0, atol=1.0)


def test_trees_have_a_standard_deviation_but_no_gradient(model, training, data, tmp_path):
    Z, _, y = data
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(5, random_state=0)).fit(Z, y)
    linkage = saved_and_loaded(tmp_path / "a.skops", forest, model)
    assert not linkage.differentiable
    trees = [tree.predict(forest[:-1].transform(Z)) for tree in forest[-1].estimators_]
    np.testing.assert_allclose(linkage.predictive_std(training, model.grid_), np.std(trees, 0), atol=1e-9)
    plain = saved_and_loaded(tmp_path / "b.skops", LinearRegression().fit(Z, y), model)
    assert plain.predictive_std(training, model.grid_) is None


def test_mismatched_files_and_regressors_are_refused(model, training, data, tmp_path, monkeypatch):
    Z, f, y = data
    regressor = LinearRegression().fit(Z, y)
    save_linkage(tmp_path / "a.skops", regressor, model, name="density")
    other = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=16, random_state=1).fit(training)
    with pytest.raises(InputError, match="another model"):
        load_linkage(tmp_path / "a.skops", other)
    with pytest.raises(InputError, match="exists already"):
        save_linkage(tmp_path / "a.skops", regressor, model, name="density")
    with pytest.raises(InputError, match="no linkage"):
        load_linkage(tmp_path / "b.skops", model)
    with pytest.raises(InputError, match="fitted on the 2 features"):
        save_linkage(tmp_path / "b.skops", LinearRegression().fit(f, y), model, name="density")
    with pytest.raises(InputError, match="word of letters"):
        save_linkage(tmp_path / "b.skops", regressor, model, name="a b")
    monkeypatch.setitem(sys.modules, "skops", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[optimize\]"):
        load_linkage(tmp_path / "a.skops", model)


@pytest.mark.parametrize("schema", ["", "{", "[]", "{}", "[" * 100_000, '{"__class__": "x", "__module__": "y"}'])
def test_damaged_files_are_refused(model, data, tmp_path, schema):
    save_linkage(tmp_path / "a.skops", LinearRegression().fit(data[0], data[2]), model, name="density")
    (tmp_path / "b.skops").write_bytes((tmp_path / "a.skops").read_bytes()[:-40])
    with zipfile.ZipFile(tmp_path / "c.skops", "w") as archive:
        archive.writestr("schema.json", schema)
    for name in ("b.skops", "c.skops"):
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            load_linkage(tmp_path / name, model)


class Custom(LinearRegression):
    """Regressor whose code would run when a file is loaded."""


def test_custom_code_is_refused(model, data, tmp_path):
    save_linkage(tmp_path / "a.skops", Custom().fit(data[0], data[2]), model, name="density")
    with pytest.raises(InputError, match="could run code"):
        load_linkage(tmp_path / "a.skops", model)
    assert [path.name for path in tmp_path.iterdir()] == ["a.skops"]


@pytest.mark.parametrize("on", ["latents", "statistics"])
def test_decoded_predictions_of_a_texture_have_a_gradient(texture_model, windows, tmp_path, on):
    Z, f = texture_model.transform(windows), texture_model.statistics(windows).reshape(len(windows), -1)
    regressor = LinearRegression().fit(Z if on == "latents" else f, 10 * windows.mean((1, 2)))
    linkage = saved_and_loaded(tmp_path / "a.skops", regressor, texture_model, on=on)
    z = torch.from_numpy(Z[:3]).requires_grad_()
    values = linkage.from_latent(Decoded(z, texture_model.module_), texture_model.grid_)
    decoded = Z[:3] if on == "latents" else texture_model.inverse_statistics(Z[:3]).reshape(3, -1)
    np.testing.assert_allclose(values.detach(), regressor.predict(decoded), rtol=1e-4)
    (gradient,) = torch.autograd.grad(values.sum(), z)
    with torch.no_grad():
        moved = linkage.from_latent(Decoded(z + 0.05 * gradient, texture_model.module_), texture_model.grid_)
    np.testing.assert_allclose(moved - values.detach(), 0.05 * gradient.square().sum(1), rtol=0.15)


def test_a_forest_is_not_decoded(texture_model, windows, tmp_path):
    Z = texture_model.transform(windows)
    forest = RandomForestRegressor(5, random_state=0).fit(Z, windows.mean((1, 2)))
    linkage = saved_and_loaded(tmp_path / "a.skops", forest, texture_model)
    assert linkage.from_latent(Decoded(torch.from_numpy(Z[:3]), texture_model.module_), texture_model.grid_) is None
