"""Terms of the loss, and the error by which held-out samples are judged."""

from __future__ import annotations

import pytest
import torch

from matvae.model import TrainingSettings
from matvae.model.loss import short_range_loss, voxel_loss
from matvae.model.objective import held_out_error, objective, trained_distance
from matvae.stats import relative_error

from .training import Source, stripes, trainer_of

VOXELS = TrainingSettings(max_epochs=30, warmup_steps=5, learning_rate=3e-3, loss="voxels", patience=None)


@pytest.fixture
def parts(make_module):
    """Return a module and the arguments of `objective` for a batch of stripes."""
    module = make_module((12, 12), encoder="image", width=32)
    module.calibrate([stripes()])
    fields = module.fields(stripes()[:5])
    mean, log_variance = module.encode(None, fields)
    batch = {"fields": fields, "output": module.decode(mean), "mean": mean, "log_variance": log_variance}
    return module, {**batch, "statistics": module.statistics(fields)}


def test_the_voxel_loss_consists_of_cross_entropy_and_kl_only(parts):
    module, batch = parts
    unused = {"short_range": 9.0, "aligned_fraction": 1.0, "mixing": 1.0}
    settings = TrainingSettings(loss="voxels", alpha=2.0, beta=0.5, kl_warmup=0.4, **unused)
    loss, terms = objective(module, settings, 0.2, **{**batch, "statistics": None})
    assert set(terms) == {"voxel_loss", "kl"}
    truth = batch["fields"][:, 1]
    expected = torch.nn.functional.binary_cross_entropy(batch["output"][:, 1], truth)
    torch.testing.assert_close(terms["voxel_loss"], expected)
    torch.testing.assert_close(loss, 2.0 * expected + 0.5 * 0.5 * terms["kl"])


def test_voxels_affect_the_statistics_loss_only_while_the_aligned_loss_is_active(parts):
    module, batch = parts
    settings = TrainingSettings(aligned_fraction=0.5)
    _, early = objective(module, settings, 0.1, **batch)
    _, late = objective(module, settings, 0.6, **batch)
    _, without_fields = objective(module, settings, 0.1, **{**batch, "fields": None})
    assert set(early) - set(late) == set(early) - set(without_fields) == {"aligned_loss"}
    moved = {**batch, "fields": batch["fields"].roll(3, 2)}
    loss, shifted_loss = (objective(module, settings, 0.6, **values)[0] for values in (batch, moved))
    torch.testing.assert_close(shifted_loss, loss)


def test_held_out_samples_are_judged_by_the_quantity_in_the_loss(parts):
    module, batch = parts
    arguments = (batch["fields"], batch["statistics"], batch["output"])
    expected = voxel_loss(batch["fields"], batch["output"], torch.ones(()))
    torch.testing.assert_close(held_out_error(module, TrainingSettings(loss="voxels"), *arguments), expected)
    thresholded = held_out_error(module, TrainingSettings(), *arguments)
    soft = relative_error(batch["statistics"], module.statistics(batch["output"]))
    assert thresholded.shape == soft.shape
    assert not torch.allclose(thresholded, soft)


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_a_model_trained_on_voxels_learns_the_positions_of_phases(make_module, phases):
    X = torch.zeros(64, 8, dtype=torch.uint8)
    for sample, start in enumerate(torch.arange(64) % 5):
        X[sample, start : start + 4] = max(1, phases - 1)
    X = X.float() if phases == 1 else X
    trainer = trainer_of(make_module, X, VOXELS, encoder="image", phases=phases)
    trainer.fit(Source(X, held=X[:10]))
    assert set(trainer.history[0]) >= {"voxel_loss", "kl"}
    assert not {"statistics_loss", "short_range_loss", "aligned_loss"} & set(trainer.history[0])
    assert trainer.history[-1]["validation_error"] < 0.3 * trainer.history[0]["validation_error"]
    fields = trainer.module.fields(X[:10])
    reconstructed = trainer.module.decode(trainer.module.encode(None, fields)[0])
    # Voxel by voxel, not only up to a shift.
    assert (reconstructed[:, -1] - fields[:, -1]).abs().mean() < 0.15


def test_a_model_trained_on_voxels_computes_no_statistics(make_module, monkeypatch):
    X = stripes()
    trainer = trainer_of(make_module, X, VOXELS, encoder="image")
    monkeypatch.setattr(trainer.module, "statistics", None)
    trainer.fit(Source(X, held=X[:8]), on_record=lambda record: True)
    assert trainer.history[0]["validation_error"] > 0


def test_the_trained_distance_is_the_loss_and_independent_of_other_samples(make_module, labels):
    module = make_module((16, 16))
    f, g = (module.statistics(module.fields(labels(5, (16, 16), seed=seed))) for seed in (0, 1))
    distance = trained_distance(module, f, g, (16, 16), 0.3)
    expected = relative_error(f, g) + 0.3 * short_range_loss(f, g, (2, 2))
    torch.testing.assert_close(distance, expected)
    alone = torch.cat([trained_distance(module, f[k : k + 1], g[k : k + 1], (16, 16), 0.3) for k in range(5)])
    torch.testing.assert_close(distance, alone)


def test_the_lag_metric_weights_the_loss(make_module, labels):
    module = make_module((16, 16), metric="lags")
    f, g = (module.statistics(module.fields(labels(5, (16, 16), seed=seed))) for seed in (0, 1))
    module.metric_roots.fill_(2.0)
    torch.testing.assert_close(trained_distance(module, f, g, (16, 16), 0.0), relative_error(2 * f, 2 * g))
    module.metric_roots.zero_()
    module.metric_roots[8, 8] = 1.0
    at_zero = (f[:, 8, 8] - g[:, 8, 8]).abs() / f[:, 8, 8]
    torch.testing.assert_close(trained_distance(module, f, g, (16, 16), 0.0), at_zero[:, 0])
