"""Methods that are compared: all have the same statistics, and both VAEs the model's settings and training budget."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from matvae import Grid, StatsVAETransformer
from matvae.errors import InputError
from matvae.estimator.parameters import check_parameters
from matvae.jobs.compare.contenders import contenders


def model_of(decodes_structures=True, **parameters):
    """Return an unfitted model with the fitted attributes that `contenders` reads."""
    model = StatsVAETransformer(
        n_components=3, width=16, beta=1e-3, periodic=False, cutoff=2, max_epochs=7, **parameters
    )
    model.grid_ = Grid((8, 8), phases=3, periodic=False)
    model.module_ = SimpleNamespace(decodes_structures=decodes_structures)
    return model


def test_every_method_is_present_at_every_size():
    model = model_of(sample_shape=(8, 8), checkpoint="state", warm_start=True)
    entries = contenders(model, [1, 3], keep_model=False, seed=5)
    assert [(entry.method, entry.n_components, entry.estimator.n_components) for entry in entries] == [
        (method, n, n) for method in ("PCA", "PCA (lag metric)", "image-space VAE", "matvae") for n in (1, 3)
    ]
    for entry in entries:
        parameters = entry.estimator.get_params()
        assert [parameters[name] for name in ("phases", "periodic", "cutoff")] == [3, False, 2]
        # Structures of a store have all their axes, whatever the model was fitted on.
        assert parameters["sample_shape"] == ((8, 8) if entry.method.startswith("PCA") else None)
        assert not entry.fitted
    assert [entry.estimator.metric for entry in entries[:4]] == ["plain", "plain", "lags", "lags"]
    image, ours = (entries[i].estimator.get_params() for i in (5, 7))
    assert {name for name in image if image[name] != ours[name]} == {"encoder", "loss"}
    assert (image["encoder"], image["loss"]) == ("image", "voxels")
    check_parameters(entries[5].estimator)
    recipe = {**model.get_params(), "sample_shape": None, "phases": 3, "random_state": 5}
    assert ours == {**recipe, "checkpoint": None, "warm_start": False}


@pytest.mark.parametrize(
    ("budget", "expected"),
    [({}, (7, None)), ({"max_time": 2.0}, (None, 2.0)), ({"max_epochs": 3, "max_time": 2.0}, (3, 2.0))],
)
def test_both_vaes_have_the_same_budget(budget, expected):
    for entry in contenders(model_of(), [2], keep_model=False, seed=0, **budget)[2:]:
        assert (entry.estimator.max_epochs, entry.estimator.max_time) == expected


def test_the_model_itself_is_used_if_allowed():
    model = model_of()
    *others, last = contenders(model, [1, 3], keep_model=True, seed=0)
    assert last.fitted
    assert last.estimator is model
    assert not any(entry.fitted for entry in others)
    assert not any(entry.fitted for entry in contenders(model, [1, 2], keep_model=True, seed=0))


def test_the_image_space_vae_starts_from_random_weights():
    model = model_of(encoder="resnet152", encoder_weights="folder")
    _, _, image, ours = (entry.estimator for entry in contenders(model, [1], keep_model=False, seed=0))
    check_parameters(image)
    assert (ours.encoder, ours.encoder_weights) == ("resnet152", "folder")


def test_settings_of_a_model_trained_on_voxels_are_refused():
    with pytest.raises(InputError, match="Give a model with another loss"):
        contenders(model_of(encoder="image", loss="voxels"), [1], keep_model=False, seed=0)


def test_the_image_space_vae_is_fitted_on_voxels_alone():
    X = np.indices((40, 8, 8)).sum(0) // 2 % 2
    model = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=2, width=16).fit(X)
    entry = contenders(model, [2], keep_model=False, seed=0)[2]
    fitted = clone(entry.estimator).fit(X)
    assert {"voxel_loss", "kl"} <= set(fitted.history_[0])
    assert "statistics_loss" not in fitted.history_[0]
    assert fitted.inverse_transform(fitted.transform(X[:3])).shape == (3, 8, 8)
