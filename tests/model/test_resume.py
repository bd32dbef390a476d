"""Resumed training: the results equal those of uninterrupted training."""

from __future__ import annotations

import math
import time

import pytest
import torch

from matvae.errors import InputError, MatvaeError, StoreError
from matvae.model import TrainingSettings
from matvae.model import objective as objective_module

from .training import Interrupted, Source, same_weights, stripes, trainer_of, without_seconds


@pytest.mark.parametrize("at", [(1, 2), (1, 0), (2, 3), (0, 1)])
def test_resumed_training_equals_uninterrupted_training(make_module, trained, tmp_path, at):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    first = trainer_of(make_module, X)
    with pytest.raises(KeyboardInterrupt):
        first.fit(Interrupted(X[:32], held=X[32:], at=at), checkpoint=path, fingerprint="a")
    assert first.step == at[0] * 4 + at[1]
    source = Source(X[:32], held=X[32:])
    second = trained(source=source, fit={"checkpoint": path, "fingerprint": "a"})
    uninterrupted = trained()
    assert source.epochs == list(range(at[0], 4))
    assert same_weights(second.module, uninterrupted.module)
    assert without_seconds(second.history) == without_seconds(uninterrupted.history)


@pytest.mark.parametrize("where", ["forward", "align", "validation", "on_record", "on_start"])
def test_training_can_be_interrupted_at_any_point_and_resumed(make_module, trained, tmp_path, monkeypatch, where):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    calls = []

    def interrupt(*args, **kwargs):
        calls.append(1)
        if len(calls) == (6 if where in ("forward", "align") else 2):
            raise KeyboardInterrupt
        return originals[where](*args, **kwargs)

    originals = {
        "forward": objective_module.statistics_loss,
        "align": objective_module.align,
        "validation": objective_module.relative_error,
        "on_record": lambda record: None,
        "on_start": lambda: None,
    }
    patched = {"forward": "statistics_loss", "align": "align", "validation": "relative_error"}
    fit = {"checkpoint": path, "fingerprint": "a"}
    with monkeypatch.context() as patch:
        if where in patched:
            patch.setattr(objective_module, patched[where], interrupt)
        hooks = {where: interrupt} if where.startswith("on_") else {}
        with pytest.raises(KeyboardInterrupt):
            trainer_of(make_module, X).fit(Source(X[:32], held=X[32:]), **hooks, **fit)
    second, uninterrupted = trained(fit=fit), trained()
    assert same_weights(second.module, uninterrupted.module)
    assert without_seconds(second.history) == without_seconds(uninterrupted.history)


def test_weights_of_an_incomplete_update_are_not_saved(make_module, trained, tmp_path):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    settings = TrainingSettings(max_epochs=4, warmup_steps=5, learning_rate=3e-3, checkpoint_seconds=0.0)
    first = trainer_of(make_module, X, settings)
    update = first.optimizer.step

    def half_an_update():
        if first.step == 5:
            with torch.no_grad():
                next(first.module.parameters()).add_(1.0)
            raise KeyboardInterrupt
        update()

    first.optimizer.step = half_an_update
    fit = {"checkpoint": path, "fingerprint": "a"}
    with pytest.raises(KeyboardInterrupt):
        first.fit(Source(X[:32], held=X[32:]), **fit)
    assert same_weights(trained(settings, fit=fit).module, trained(settings).module)


def test_a_periodic_checkpoint_after_the_last_batch_of_an_epoch_keeps_its_record(make_module, trained, tmp_path):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    first = trainer_of(make_module, X)
    first.started = time.monotonic()
    for data in Source(X[:32]).epoch(0):
        first.train_step(data, first.progress(Source(X[:32])))
    first._save(path, "a")
    second = trained(fit={"checkpoint": path, "fingerprint": "a"})
    assert without_seconds(second.history) == without_seconds(trained().history)


def test_resuming_finished_training_ends_at_once_with_the_same_weights(trained, tmp_path):
    path = tmp_path / "training.checkpoint"
    first = trained()
    first._save(path, "a")
    source = Source(stripes()[:32])
    second = trained(source=source, fit={"checkpoint": path, "fingerprint": "a"})
    assert source.epochs == []
    assert same_weights(second.module, first.module)


def test_fused_updates_depend_on_the_current_device_and_not_on_the_checkpoint(make_module, trained, tmp_path):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    first = trainer_of(make_module, X)
    with pytest.raises(KeyboardInterrupt):
        first.fit(Interrupted(X[:32], held=X[32:], at=(1, 2)))
    for group in first.optimizer.param_groups:
        group["fused"] = False
    first._save(path, "a")
    second = trained(fit={"checkpoint": path, "fingerprint": "a"})
    assert second.optimizer.param_groups[0]["fused"]
    assert same_weights(second.module, trained().module)


def test_incompatible_and_damaged_checkpoints_are_refused_before_any_step(make_module, tmp_path):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    trainer = trainer_of(make_module, X)
    trainer._save(path, "a")
    with pytest.raises(InputError, match="other data or with other parameters"):
        trainer.fit(Source(X), checkpoint=path, fingerprint="b")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="checksum"):
        trainer.fit(Source(X), checkpoint=path, fingerprint="a")
    with pytest.raises(StoreError, match="does not exist"):
        trainer.fit(Source(X), checkpoint=tmp_path / "none" / "x", fingerprint="a")
    assert trainer.step == 0


@pytest.mark.parametrize("broken", ["weights", "gradient"])
def test_a_loss_or_gradient_that_is_not_finite_ends_training_and_keeps_the_checkpoint(
    make_module, tmp_path, monkeypatch, broken
):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    trainer = trainer_of(make_module, X)
    trainer.train_step(X[:8], 0.1)
    trainer._save(path, "a")
    saved = path.read_bytes()
    weight = trainer.module.level_set.levels[-1].bias
    if broken == "weights":
        monkeypatch.setattr(trainer, "_restore", lambda state: None)
        with torch.no_grad():
            weight[0] = math.nan
    else:
        weight.register_hook(lambda gradient: gradient * math.inf)
    before = [p.clone() for p in trainer.module.parameters()]
    with pytest.raises(MatvaeError, match="Lower learning_rate") as caught:
        trainer.fit(Source(X), checkpoint=path, fingerprint="a")
    assert "at step 1" in str(caught.value)
    assert path.read_bytes() == saved
    pairs = zip(before, trainer.module.parameters(), strict=True)
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)
