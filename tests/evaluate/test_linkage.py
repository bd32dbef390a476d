"""Regressions find known laws from latents on any scale, and find nothing in noise."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from matvae.evaluate import linkage
from matvae.evaluate.linkage import linkage_scores, mean_scores


def scores(law, n=150, d=3, scale=1.0, **options):
    rng = np.random.default_rng(0)
    Z, unseen = rng.normal(size=(n, d)), rng.normal(size=(80, d))
    y, true = law(Z), law(unseen)
    r2 = linkage_scores(Z * scale, {"y": y}, unseen * scale, {"y": true}, **options)["y"]
    assert set(r2) == {"polynomial", "gaussian_process"}
    return r2["polynomial"], r2["gaussian_process"]


@pytest.mark.parametrize("scale", [1.0, np.array([1e-3, 1.0, 1e4])])
def test_a_quadratic_law_is_found_by_both_on_any_scale(scale):
    polynomial, process = scores(lambda Z: 3 + Z[:, 0] * Z[:, 1] - 2 * Z[:, 2] ** 2, scale=scale)
    assert polynomial > 0.9999
    assert process > 0.97


def test_only_the_gaussian_process_finds_a_law_that_is_not_polynomial():
    polynomial, process = scores(lambda Z: np.sin(3 * Z[:, 0]), d=2)
    assert polynomial < 0.3
    assert process > 0.95


def test_no_law_is_found_in_noise():
    rng = np.random.default_rng(1)
    polynomial, process = scores(lambda Z: rng.normal(size=len(Z)), n=300)
    assert polynomial < 0.1
    assert process < 0.1


def test_a_constant_or_irrelevant_component_does_not_lower_the_scores():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        polynomial, process = scores(lambda Z: Z[:, 0], scale=np.array([1.0, 0.0, 1.0]))
    assert min(polynomial, process) > 0.999


def test_r2_of_the_mean_equals_its_definition():
    y, true = np.array([0.0, 1.0, 2.0, 5.0]), np.array([1.0, 2.0, 6.0])
    expected = 1 - ((true - y.mean()) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    r2 = mean_scores({"k": y}, {"k": true})["k"]
    assert r2["polynomial"] == r2["gaussian_process"] == pytest.approx(expected)
    assert mean_scores({"k": y}, {"k": y})["k"]["polynomial"] == pytest.approx(0.0)


def test_the_gaussian_process_is_fitted_on_a_random_subset(monkeypatch):
    monkeypatch.setattr(linkage, "GAUSSIAN_PROCESS_SAMPLES", 20)
    fitted = []
    original = linkage.gaussian_process

    def watched(n_components):
        pipeline = original(n_components)
        fit = pipeline.fit
        pipeline.fit = lambda Z, y: fitted.append(Z) or fit(Z, y)
        return pipeline

    monkeypatch.setattr(linkage, "gaussian_process", watched)
    law = {"law": lambda Z: Z[:, 0], "n": 100}
    first, repeated, other = scores(**law, seed=3), scores(**law, seed=3), scores(**law, seed=4)
    assert [len(Z) for Z in fitted] == [20, 20, 20]
    assert first == repeated != other
    assert first[1] > 0.98
