"""The settings of a training run follow from the parameters and the data."""

from __future__ import annotations

from dataclasses import fields
from functools import cached_property

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from matvae import two_point_stats
from matvae.errors import InputError
from matvae.estimator.batches import Batches
from matvae.estimator.samples import Samples
from matvae.estimator.training import DEFAULT_EPOCHS, TrainingRun, auto_batch_size, training_settings
from matvae.grid import Grid
from matvae.model import StatsVAE

decode = StatsVAE.decode


def spec_of(model, X):
    return TrainingRun.of(model, Samples.of(model, X)).trainer.module.spec


def bars(n: int = 12, size: int = 66) -> np.ndarray:
    """Structures of a horizontal and a vertical bar that meet at a random corner."""
    X, rng = np.zeros((n, size, size), np.uint8), np.random.default_rng(0)
    for structure, (y, x) in zip(X, rng.integers(0, size - 30, (n, 2)), strict=True):
        structure[y, x : x + 20] = structure[y : y + 20, x] = 1
    return X


def test_sizes_follow_the_grid(make_blobs, tiny) -> None:
    spec = spec_of(tiny(cutoff=2), make_blobs(10, (6, 5), phases=3))
    assert (spec.shape, spec.phases, spec.cutoff) == ((6, 5), 3, (2, 2))
    # Two autocorrelations and one cross-correlation determine all nine correlations of three phases.
    assert set(spec.pairs) == {(1, 1), (2, 2), (1, 2)}
    assert spec.decoder == "dense"
    assert spec.coarse is None


def test_sums_of_few_products_get_the_separable_decoder_and_coarse_grids(make_blobs, tiny) -> None:
    chosen = spec_of(tiny(decoder="auto"), bars())
    assert (chosen.decoder, chosen.coarse) == ("separable", (2, 2))
    assert spec_of(tiny(decoder="dense"), bars()).decoder == "dense"
    # Blobs are not sums of few products, and a cutoff leaves no statistics of a coarse grid.
    assert spec_of(tiny(decoder="auto"), make_blobs(12, (66, 66))).decoder == "dense"
    assert spec_of(tiny(decoder="auto", cutoff=3), bars()).decoder == "dense"
    assert spec_of(tiny(decoder="separable", cutoff=3), bars()).coarse is None
    assert spec_of(tiny(decoder="auto", encoder="image"), bars()).coarse is None


def test_a_continued_training_keeps_its_decoder_for_any_data(make_blobs, tiny) -> None:
    model, blobs = tiny(decoder="auto", warm_start=True).fit(bars()), make_blobs(12, (66, 66))
    assert model.module_.spec.decoder == "separable"
    run = TrainingRun.of(model, Samples.of(model, blobs), module=model.module_)
    assert run.trainer.module.spec == model.module_.spec
    with pytest.raises(InputError, match="cannot continue with other sizes"):
        TrainingRun.of(model.set_params(width=8), Samples.of(model, blobs), module=model.module_)


def test_the_calibration_sample_is_converted_once_per_fit(X, tiny, monkeypatch) -> None:
    conversions: list[int] = []

    class Counted(Batches):
        @cached_property
        def calibration(self):
            conversions.append(1)
            return list(self._batches_of(self._calibration))

    monkeypatch.setattr("matvae.estimator.training.Batches", Counted)
    tiny(max_epochs=3).fit(X)
    assert len(conversions) == 1


def test_training_proceeds_from_the_coarsest_grid_to_the_full_one(tiny, monkeypatch) -> None:
    factors_used = []
    monkeypatch.setattr(
        StatsVAE, "decode", lambda self, z, factors=None: factors_used.append(factors) or decode(self, z, factors)
    )
    model = tiny(decoder="separable", max_epochs=2, coarse_fraction=0.5, patience=None, validation_fraction=0.0).fit(
        bars(16)
    )
    assert factors_used == [(2, 2), (2, 2), None, None]
    assert len(model.history_) == 2
    # A single pass has no schedule and uses the full grid.
    factors_used.clear()
    model.partial_fit(bars(8))
    assert set(factors_used) == {None}


def test_training_on_statistics_uses_coarse_grids_too(tiny) -> None:
    f = two_point_stats(bars(16))
    model = tiny(input="statistics", sample_shape=(66, 66), decoder="separable", max_epochs=4, coarse_fraction=0.5)
    model.fit(f)
    assert model.module_.spec.coarse == (2, 2)
    assert all(np.isfinite(record["statistics_loss"]) for record in model.history_)
    assert model.inverse_transform(model.transform(f[:2])).shape == (2, 66, 66)


@pytest.mark.parametrize(
    ("limits", "epochs"), [({}, DEFAULT_EPOCHS), ({"max_time": 1.0}, None), ({"max_epochs": 3}, 3)]
)
def test_the_default_number_of_epochs_applies_only_without_a_limit(X, tiny, limits: dict, epochs) -> None:
    assert training_settings(tiny(**{"max_epochs": None, **limits}), 20).max_epochs == epochs


def test_settings_are_the_parameters_of_the_same_names(tiny) -> None:
    parameters = {"alpha": 2.0, "beta": 0.5, "loss": "absolute", "mixing": 0.25, "patience": None, "learning_rate": 0.1}
    settings = training_settings(tiny(**parameters), 20)
    assert {name: getattr(settings, name) for name in parameters} == parameters
    # Every setting of the training loop is a parameter, except those internal to the loop.
    internal = {"kl_warmup", "warmup_steps", "gradient_norm", "checkpoint_seconds"}
    assert {each.name for each in fields(settings)} - set(tiny().get_params()) == internal


@pytest.mark.parametrize(("n_training", "share"), [(10, 1.0), (1000, 1.0), (4000, 0.25)])
def test_automatic_mixing_amounts_to_1000_samples_per_epoch(tiny, n_training: int, share: float) -> None:
    assert training_settings(tiny(), n_training).mixing == share


def test_batches_of_large_structures_are_small(tiny) -> None:
    cases = [
        ((64, 64), True, None),
        ((224, 224), True, None),
        ((32, 32, 32), True, None),
        ((32, 32, 32), False, 16),
        ((128, 128, 128), True, None),
    ]
    sizes = [auto_batch_size(Grid(shape), tiny(periodic=periodic, cutoff=cutoff)) for shape, periodic, cutoff in cases]
    # 2**22 voxels of both phases; the fourth is padded from 32 to 48 along each axis.
    assert sizes == [64, 41, 64, 18, 4]


@pytest.mark.parametrize(("batch_size", "expected"), [("auto", 36), (5, 5), (np.int64(7), 7)])
def test_batches_are_no_larger_than_the_training_set(X, tiny, batch_size, expected: int) -> None:
    model = tiny(batch_size=batch_size)
    assert TrainingRun.of(model, Samples.of(model, X)).batches.batch_size == expected


def test_weights_follow_the_seed(X, tiny) -> None:
    models = [tiny(random_state=seed) for seed in (0, 0, 1)]
    modules = [TrainingRun.of(model, Samples.of(model, X)).trainer.module for model in models]
    weights = [module.decoder.layers[0].weight for module in modules]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_an_encoder_starts_from_trained_weights_only_if_they_are_passed(make_blobs, tiny, small_resnet) -> None:
    stored = load_file(small_resnet / "model.safetensors")
    name = "encoder.stages.0.layers.0.layer.0.convolution.weight"
    for source, taken in ((small_resnet, True), (None, False)):
        model = tiny(encoder="resnet152", encoder_weights=source)
        module = TrainingRun.of(model, Samples.of(model, make_blobs(12, (36, 36)))).trainer.module
        assert torch.equal(module.encoder.backbone.state_dict()[name], stored[name]) == taken
