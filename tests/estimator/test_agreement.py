"""Parts of a model that contradict each other, and numbers that are not finite, are refused when it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from matvae import load
from matvae.errors import InputError, StoreError
from matvae.estimator.agreement import check_agreement, check_sizes, check_weights

from ..saved_models import edited


def rewrite(model, edit):
    """Edit metadata and weights, and make their hashes match again."""
    with edited(model) as metadata:
        weights = load_file(model / "weights.safetensors")
        edit(metadata, weights)
        save_file(weights, model / "weights.safetensors")


CASES = {
    "NaN": (lambda m, w: next(iter(w.values())).view(-1)[:1].fill_(torch.nan), "are NaN or infinite"),
    "missing weights": (lambda m, w: w.pop(next(iter(w))), "do not belong to a model of the sizes"),
    "further weights": (lambda m, w: w.update(more=torch.zeros(3)), "more should not exist"),
    "width": (lambda m, w: m["spec"].update(width=10**12), "is damaged"),
    "voxels": (lambda m, w: m["spec"].update(shape=[10**6, 10**6]), "do not belong to a model"),
    "components": (lambda m, w: m["spec"].update(n_components=10**8), "do not belong to a model"),
    "parameter": (lambda m, w: m["parameters"].update(n_components=5), "n_components is 5"),
    "grid": (lambda m, w: m["grid"].update(shape=[4, 16]), "contradict each other"),
    "phases": (lambda m, w: m["grid"].update(phases=3), "contradict each other"),
    "periodic": (lambda m, w: m["grid"].update(periodic=False), "contradict each other"),
    "periodic of no type": (lambda m, w: m["grid"].update(periodic="yes"), "must be True or False"),
    "pairs": (lambda m, w: m["spec"].update(pairs=[[9, 9]]), "only 2"),
    "samples": (lambda m, w: m["input"].update(given=[4, 16], shape=[4, 16]), "a sample has the shape"),
    "flattened": (lambda m, w: m["input"].update(given=[65]), "a sample has the shape"),
    "form": (lambda m, w: m["input"]["form"].update(phases=3), "samples have phases 3"),
    "features": (lambda m, w: m.update(n_features_in=65), "n_features_in is 65"),
    "names": (lambda m, w: m.update(feature_names_in=["a"]), "named features"),
    "spread": (lambda m, w: m.update(latent_spread=[1.0, float("nan")]), "latent_spread should be 2 numbers"),
    "negative spread": (lambda m, w: m.update(latent_spread=[1.0, -1.0]), "latent_spread should be 2 numbers"),
}


@pytest.mark.parametrize("case", CASES)
def test_contradictions_with_correct_hashes_are_damage(saved, case):
    edit, message = CASES[case]
    rewrite(saved, edit)
    with pytest.raises(StoreError, match=message):
        load(saved)


def test_a_fitted_model_agrees_with_itself(fitted):
    check_agreement(fitted)
    weights = fitted.module_.state_dict()
    check_sizes(fitted.module_.spec, weights)
    check_weights(weights)


def test_sizes_are_compared_without_memory_for_them(fitted):
    from dataclasses import replace

    spec = replace(fitted.module_.spec, shape=(10**5, 10**5))
    with pytest.raises(InputError, match="do not belong"):
        check_sizes(spec, fitted.module_.state_dict())


def test_examples_have_phases_of_the_model(X, tmp_path):
    from matvae import StatsVAETransformer

    model = StatsVAETransformer(2, decoder="statistics", random_state=0).fit(X)
    model.save(tmp_path / "t.matvae")
    assert np.isfinite(load(tmp_path / "t.matvae").transform(X)).all()
    rewrite(tmp_path / "t.matvae", lambda m, w: w["decoder.examples"].fill_(9))
    with pytest.raises(StoreError, match="examples should have the phases 0 to 1, but have 9"):
        load(tmp_path / "t.matvae")
