"""Saved models are equal after a round trip, and failures are never silent."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from matvae import Grid, StatsVAETransformer, Structures, load, two_point_stats
from matvae.errors import InputError, NotFittedError, StoreError
from matvae.estimator import saving

from .models import assert_equal


def test_a_loaded_model_equals_the_saved_one(X, fitted, saved) -> None:
    before = torch.get_rng_state()
    model = load(saved)
    assert torch.equal(before, torch.get_rng_state())
    assert sorted(path.name for path in saved.iterdir()) == [
        "README.md",
        "estimator.json",
        "history.jsonl",
        "weights.safetensors",
    ]
    assert_equal(model, fitted, X)
    assert model.get_params() == fitted.get_params()
    assert not model.module_.training
    assert model.partial_fit(X).n_iter_ == 3


def test_half_precision_is_half_as_large_and_nearly_the_same(X, fitted, saved, tmp_path) -> None:
    fitted.save(tmp_path / "half.matvae", half=True)
    sizes = [(folder / "weights.safetensors").stat().st_size for folder in (saved, tmp_path / "half.matvae")]
    assert sizes[1] < 0.6 * sizes[0]
    model = load(tmp_path / "half.matvae")
    assert next(model.module_.parameters()).dtype == torch.float32
    np.testing.assert_allclose(model.transform(X), fitted.transform(X), atol=5e-3)


def test_weights_too_large_for_half_precision_are_refused_and_nothing_is_written(X, tiny, tmp_path) -> None:
    model = tiny().fit(X)
    with torch.no_grad():
        model.module_.encoder.linear.weight[0, 0] = 1e6
    with pytest.raises(InputError, match="half precision ends at 65504"):
        model.save(tmp_path / "half.matvae", half=True)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def texture(make_blobs) -> StatsVAETransformer:
    """A model of textures, which contains 27 of its 30 training windows; the others are held out."""
    X = make_blobs(30, (12, 16))
    return StatsVAETransformer(n_components=2, decoder="statistics", periodic=False, cutoff=4, random_state=0).fit(X)


def test_half_precision_keeps_labels_and_what_needs_double_precision(make_blobs, texture, tmp_path) -> None:
    texture.save(tmp_path / "whole.matvae")
    texture.save(tmp_path / "half.matvae", half=True)
    whole, half = (load_file(tmp_path / f"{name}.matvae" / "weights.safetensors") for name in ("whole", "half"))
    assert half["decoder.basis"].dtype == torch.float16
    assert half["decoder.examples"].dtype == torch.uint8
    for name in ("decoder.noise_precision", "decoder.coefficients", "decoder.examples", "decoder.mean"):
        assert torch.equal(half[name], whole[name])
    X = make_blobs(10, (12, 16))
    np.testing.assert_allclose(load(tmp_path / "half.matvae").transform(X), texture.transform(X), atol=5e-3)


def test_fewer_training_windows_can_be_saved_and_the_estimator_keeps_its_own(make_blobs, texture, tmp_path) -> None:
    X, examples = make_blobs(10, (12, 16)), texture.module_.examples.clone()
    assert len(examples) == 27
    for n in (0, 4, 99):
        texture.save(tmp_path / f"{n}.matvae", n_examples=n)
        model = load(tmp_path / f"{n}.matvae")
        kept = np.unique(np.linspace(0, 26, n).round().astype(int)) if n < 27 else np.arange(27)
        assert torch.equal(model.module_.examples, examples[kept])
        assert torch.equal(
            model.module_.statistics_decoder.example_latents,
            texture.module_.statistics_decoder.example_latents[kept],
        )
        np.testing.assert_array_equal(model.transform(X), texture.transform(X))
    assert torch.equal(texture.module_.examples, examples)
    assert load(tmp_path / "0.matvae").inverse_transform(np.zeros((1, 2))).shape == (1, 12, 16)
    with pytest.raises(InputError, match="n_examples"):
        texture.save(tmp_path / "x.matvae", n_examples=-1)


def test_a_card_is_replaced_without_a_change_of_the_weights(fitted, saved, X) -> None:
    weights = (saved / "weights.safetensors").read_bytes()
    model = load(saved)
    model.card_ = replace(model.card_, licence="MIT")
    saving.save_card(model, saved)
    assert (saved / "weights.safetensors").read_bytes() == weights
    assert load(saved).card_.licence == "MIT"
    assert_equal(load(saved), fitted, X)


def test_passes_over_parts_of_the_data_do_not_count_windows(tiny, X) -> None:
    assert tiny().fit(X).card_.n_windows == len(X)
    assert tiny().partial_fit(X[:20]).partial_fit(X[20:]).card_.n_windows is None


def test_a_saved_model_does_not_need_the_initial_weights_of_its_encoder(
    make_blobs, tiny, small_resnet, tmp_path
) -> None:
    X = make_blobs(12, (36, 36))
    fitted = tiny(encoder="resnet152", encoder_weights=small_resnet).fit(X)
    fitted.save(tmp_path / "m.matvae")
    shutil.rmtree(small_resnet)
    model = load(tmp_path / "m.matvae")
    assert model.encoder_weights == str(small_resnet)
    assert_equal(model, fitted, X)


@pytest.mark.parametrize("case", ["field", "frame", "statistics", "structures", "states"])
def test_every_form_of_input_survives_a_round_trip(make_blobs, tiny, tmp_path, case: str) -> None:
    import pandas as pd

    labels = make_blobs(20, (6, 6))
    data, parameters = {
        "field": (labels.astype(np.float64), {}),
        "frame": (pd.DataFrame(labels.reshape(20, -1)).add_prefix("v"), {"sample_shape": (6, np.int64(6))}),
        "statistics": (two_point_stats(labels), {"input": "statistics", "correlations": [(1, 1)]}),
        "structures": (Structures(labels, Grid((6, 6), voxel_size=2, unit="nanometer")), {"cutoff": (2, 1)}),
        "states": (np.stack([labels == 0, labels == 1], 1).astype(np.float32), {"state_axis": 1}),
    }[case]
    model = tiny(max_epochs=1, **parameters).fit(data)
    model.save(tmp_path / "m.matvae")
    loaded = load(str(tmp_path / "m.matvae"))
    Z = [np.asarray(m.transform(data)) for m in (model, loaded)]
    np.testing.assert_array_equal(*Z)
    structures = [m.inverse_transform(Z[0]) for m in (model, loaded)]
    np.testing.assert_array_equal(*structures)
    assert structures[0].dtype == structures[1].dtype
    assert loaded.grid_ == model.grid_
    if case == "frame":
        assert list(loaded.feature_names_in_) == list(model.feature_names_in_)


def test_parameters_of_a_single_training_are_not_saved(X, tiny, tmp_path) -> None:
    model = tiny(verbose=lambda record: None, warm_start=True, random_state=np.random.RandomState(0)).fit(X)
    model.save(tmp_path / "m.matvae")
    loaded = load(tmp_path / "m.matvae")
    assert (loaded.verbose, loaded.warm_start, loaded.random_state) == (False, False, None)


def test_an_unfitted_model_is_not_saved(tiny, tmp_path) -> None:
    with pytest.raises(NotFittedError):
        tiny().save(tmp_path / "m.matvae")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unless_requested(X, fitted, tiny, saved) -> None:
    other = tiny(random_state=1).fit(X)
    with pytest.raises(InputError, match="exists already"):
        other.save(saved)
    np.testing.assert_array_equal(load(saved).transform(X), fitted.transform(X))
    other.save(saved, overwrite=True)
    np.testing.assert_array_equal(load(saved).transform(X), other.transform(X))
    assert list(saved.parent.iterdir()) == [saved]
    folder = saved.parent / "data"
    folder.mkdir()
    with pytest.raises(InputError, match="not a matvae model and is not overwritten"):
        other.save(folder, overwrite=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space left")])
@pytest.mark.parametrize("step", ["weights", "rename"])
def test_a_failed_save_keeps_the_old_model(monkeypatch, X, fitted, saved, error, step: str) -> None:
    rename, calls = os.rename, []

    def fail(*args: object) -> None:
        raise error

    def fail_at_the_second(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == 2:
            raise error
        rename(source, target)

    if step == "weights":
        monkeypatch.setattr(saving, "save_file", fail)
    else:
        monkeypatch.setattr(saving.os, "rename", fail_at_the_second)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else StoreError):
        fitted.save(saved, overwrite=True)
    monkeypatch.undo()
    assert_equal(load(saved), fitted, X)
    assert list(saved.parent.iterdir()) == [saved]


def test_the_error_of_a_failed_save_suggests_missing_write_permission(fitted, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written.*write permission"):
        fitted.save(tmp_path / "file" / "m.matvae")
