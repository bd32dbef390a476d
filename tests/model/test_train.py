from __future__ import annotations

import math
import time

import pytest
import torch

from matvae.errors import InputError, MatvaeError, StoreError
from matvae.model import StatsVAE, Trainer, TrainingSettings, volume_fraction_labels
from matvae.model import train as room
from matvae.stats import relative_error

CPU = torch.device("cpu")


class Source:
    """Batches of a tensor in memory, in an order that depends on the epoch."""

    def __init__(self, X, *, held=None, size=8):
        self.X, self.held, self.size = X, held, size
        self.steps_per_epoch = -(-len(X) // size)
        self.epochs = []

    def epoch(self, number):
        self.epochs.append(number)
        order = torch.randperm(len(self.X), generator=torch.Generator().manual_seed(number))
        yield from self.X[order].split(self.size)

    def validation(self):
        return iter([] if self.held is None else self.held.split(self.size))


class Interrupted(Source):
    """Stops with Ctrl-C before the given batch of the given epoch."""

    def __init__(self, *args, at, **kwargs):
        super().__init__(*args, **kwargs)
        self.at = at

    def epoch(self, number):
        for k, batch in enumerate(super().epoch(number)):
            if (number, k) == self.at:
                raise KeyboardInterrupt
            yield batch


def stripes(n=40, size=12, seed=0):
    """Periodic stripes of random width, position and direction."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.zeros(n, size, size, dtype=torch.uint8)
    for k, (width, start, turned) in enumerate(torch.rand(n, 3, generator=generator).tolist()):
        X[k, : 2 + int(width * 5)] = 1
        X[k] = X[k].roll(int(start * size), 0)
        if turned > 0.5:
            X[k] = X[k].T.clone()
    return X


SETTINGS = TrainingSettings(max_epochs=4, warmup_steps=5, learning_rate=3e-3)


def trainer_of(make_module, X, settings=SETTINGS, seed=0, **values):
    module = make_module(tuple(X.shape[1:]), width=32, **values)
    module.calibrate([X])
    return Trainer(module, settings, CPU, "float32", seed)


def without_seconds(history):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in history]


def same_weights(one: StatsVAE, other: StatsVAE) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.fixture
def trained(make_module):
    """Trains on stripes and gives the trainer."""

    def make(settings=SETTINGS, *, source=None, seed=0, fit=None, **values):
        X = stripes()
        trainer = trainer_of(make_module, X, settings, seed, **values)
        trainer.fit(source or Source(X[:32], held=X[32:]), **(fit or {}))
        return trainer

    return make


@pytest.mark.parametrize("encoder", ["statistics", "image"])
def test_training_lowers_loss_and_held_out_error(trained, encoder):
    settings = TrainingSettings(max_epochs=40, warmup_steps=10, learning_rate=3e-3, patience=None)
    history = trained(settings, encoder=encoder).history
    first, best = history[0], min(history, key=lambda record: record["validation_error"])
    assert history[-1]["statistics_loss"] < 0.5 * first["statistics_loss"]
    assert best["validation_error"] < 0.75 * first["validation_error"]


@pytest.mark.parametrize("loss", ["relative", "absolute"])
@pytest.mark.parametrize(
    "values",
    [{"phases": 3}, {"phases": 1}, {"periodic": False}, {"cutoff": (2, 3)}, {"decoder": "convolutional"}],
)
def test_every_kind_of_model_learns(make_module, labels, values, loss):
    X = labels(16, (6, 7), values.get("phases", 2) if values.get("phases") != 1 else 2)
    X = X.float() if values.get("phases") == 1 else X
    trainer = trainer_of(
        make_module,
        X,
        TrainingSettings(max_epochs=15, warmup_steps=3, loss=loss, learning_rate=3e-3),
        **values,
    )
    trainer.fit(Source(X))
    history = trainer.history
    assert all(math.isfinite(record["loss"]) for record in history)
    assert history[-1]["statistics_loss"] < history[0]["statistics_loss"]
    aligned = values.get("periodic", True) and values.get("phases") != 1
    assert ("aligned_loss" in history[0]) == aligned


def test_one_seed_one_result_another_seed_another(trained):
    state = torch.get_rng_state()
    one, again, other = trained(), trained(), trained(seed=1)
    assert same_weights(one.module, again.module)
    assert without_seconds(one.history) == without_seconds(again.history)
    assert not same_weights(one.module, other.module)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("at", [(1, 2), (1, 0), (2, 3), (0, 1)])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(make_module, trained, tmp_path, at):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    first = trainer_of(make_module, X)
    with pytest.raises(KeyboardInterrupt):
        first.fit(Interrupted(X[:32], held=X[32:], at=at), checkpoint=path, fingerprint="a")
    assert first.step == at[0] * 4 + at[1]
    source = Source(X[:32], held=X[32:])
    second = trained(source=source, fit={"checkpoint": path, "fingerprint": "a"})
    whole = trained()
    assert source.epochs == list(range(at[0], 4))
    assert same_weights(second.module, whole.module)
    assert without_seconds(second.history) == without_seconds(whole.history)


@pytest.mark.parametrize("where", ["forward", "align", "validation", "on_record", "on_start"])
def test_it_does_not_matter_where_the_interruption_hits(make_module, trained, tmp_path, monkeypatch, where):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    calls = []

    def interrupt(*args, **kwargs):
        calls.append(1)
        if len(calls) == (6 if where in ("forward", "align") else 2):
            raise KeyboardInterrupt
        return originals[where](*args, **kwargs)

    originals = {
        "forward": room.statistics_loss,
        "align": room.align,
        "validation": room.relative_error,
        "on_record": lambda record: None,
        "on_start": lambda: None,
    }
    patched = {"forward": "statistics_loss", "align": "align", "validation": "relative_error"}
    fit = {"checkpoint": path, "fingerprint": "a"}
    with monkeypatch.context() as patch:
        if where in patched:
            patch.setattr(room, patched[where], interrupt)
        hooks = {where: interrupt} if where.startswith("on_") else {}
        with pytest.raises(KeyboardInterrupt):
            trainer_of(make_module, X).fit(Source(X[:32], held=X[32:]), **hooks, **fit)
    second, whole = trained(fit=fit), trained()
    assert same_weights(second.module, whole.module)
    assert without_seconds(second.history) == without_seconds(whole.history)


def test_weights_caught_in_the_middle_of_an_update_are_not_saved(make_module, trained, tmp_path):
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


def test_a_finished_training_resumed_ends_at_once_with_the_same_weights(trained, tmp_path):
    path = tmp_path / "training.checkpoint"
    first = trained()
    first._save(path, "a")
    source = Source(stripes()[:32])
    second = trained(source=source, fit={"checkpoint": path, "fingerprint": "a"})
    assert source.epochs == []
    assert same_weights(second.module, first.module)


def test_whether_updates_are_fused_is_decided_here_and_not_by_the_checkpoint(make_module, trained, tmp_path):
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


def test_checkpoints_that_do_not_fit_are_refused_before_any_step(make_module, tmp_path):
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
def test_a_loss_or_gradient_that_is_no_number_ends_training_and_spares_the_checkpoint(
    make_module, tmp_path, monkeypatch, broken
):
    X = stripes()
    path = tmp_path / "training.checkpoint"
    trainer = trainer_of(make_module, X)
    trainer.train_step(X[:8], 0.1)
    trainer._save(path, "a")
    kept = path.read_bytes()
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
    assert path.read_bytes() == kept
    pairs = zip(before, trainer.module.parameters(), strict=True)
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in pairs)


def test_time_limit(trained):
    settings = TrainingSettings(max_epochs=None, max_time=0.6, patience=None)
    began = time.monotonic()
    trainer = trained(settings)
    assert trainer.history[-1]["progress"] == 1.0
    assert trainer.step > 1
    # Not a matter of speed: without the limit this would never end.
    assert time.monotonic() - began < 30
    assert trainer.seconds >= 0.6


def test_the_nearer_limit_counts(trained):
    assert trained(TrainingSettings(max_epochs=2, max_time=1000.0)).epoch == 2
    assert trained(TrainingSettings(max_epochs=10**6, max_time=0.2, patience=None)).history[-1]["progress"] == 1.0


def test_patience(trained, monkeypatch):
    errors = iter([0.5, 0.4, 0.3, *[0.9] * 20])
    monkeypatch.setattr(Trainer, "validation_error", lambda self, source: next(errors))
    history = trained(TrainingSettings(max_epochs=20, patience=0.3)).history
    # The best is at 3 / 20, but until 10 / 20 the aligned loss still fades out, and patience begins there.
    assert len(history) == 16
    errors = iter([0.5] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=0.22)).history) == 15
    errors = iter([0.5] * 11 + [0.1] + [0.9] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=0.22)).history) == 17
    errors = iter([0.5] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=None)).history) == 20


def test_without_held_out_samples_patience_has_nothing_to_judge(trained):
    trainer = trained(TrainingSettings(max_epochs=10, patience=0.1), source=Source(stripes()))
    assert trainer.epoch == 10
    assert not any("validation_error" in record for record in trainer.history)
    assert trainer.best is None


def test_the_best_weights_are_restored(trained, monkeypatch):
    weights = []

    def error(self, source):
        weights.append([p.detach().clone() for p in self.module.parameters()])
        return [0.5, 0.2, 0.3, 0.4][len(weights) - 1]

    monkeypatch.setattr(Trainer, "validation_error", error)
    trainer = trained()
    assert all(torch.equal(a, b) for a, b in zip(weights[1], trainer.module.parameters(), strict=True))
    assert trainer.best_error == 0.2


def test_validation_error_is_that_of_thresholded_reconstructions(trained):
    trainer = trained()
    X, module = stripes(seed=5), trainer.module
    fields = module.fields(X)
    statistics = module.statistics(fields)
    labels = volume_fraction_labels(module.decode(module.encode(statistics, fields)[0]))
    expected = relative_error(statistics, module.statistics(module.fields(labels))).mean()
    assert trainer.validation_error(Source(X, held=X, size=7)) == pytest.approx(float(expected), rel=1e-5)


def test_records(trained):
    seen, starts = [], []
    fit = {"on_record": seen.append, "on_start": lambda: starts.append(len(seen))}
    trainer = trained(fit=fit)
    assert seen == trainer.history
    assert starts == [0, 1, 2, 3]
    assert [(r["epoch"], r["step"], r["progress"]) for r in seen] == [
        (1, 4, 0.25),
        (2, 8, 0.5),
        (3, 12, 0.75),
        (4, 16, 1.0),
    ]
    # The aligned loss has faded out after half of the training.
    assert ["aligned_loss" in r for r in seen] == [True, True, False, False]
    assert [r["seconds"] for r in seen] == sorted(r["seconds"] for r in seen)
    for r in seen[2:]:
        expected = r["statistics_loss"] + 0.3 * r["short_range_loss"] + 1e-4 * r["kl"]
        assert r["loss"] == pytest.approx(expected, rel=1e-4)


def test_a_record_is_the_mean_over_the_steps_of_its_epoch(make_module):
    X = stripes()
    trainer, twin = trainer_of(make_module, X), trainer_of(make_module, X)
    steps = [twin.train_step(data, k / 20) for k, data in enumerate(Source(X).epoch(0))]
    trainer.fit(Source(X), on_record=lambda record: True)
    assert trainer.history[0]["kl"] == pytest.approx(sum(step["kl"] for step in steps) / 5)


def test_training_ends_when_the_callback_says_so(trained):
    assert trained(fit={"on_record": lambda record: record["epoch"] == 2}).epoch == 2


def test_learning_rate_rises_then_falls_as_a_cosine():
    settings = TrainingSettings(learning_rate=0.1, warmup_steps=100)
    rate = room._learning_rate
    assert rate(settings, 0, 0.0) == pytest.approx(0.001)
    assert rate(settings, 49, 0.0) == pytest.approx(0.05)
    assert rate(settings, 1000, 0.5) == pytest.approx(0.1 * 0.505)
    assert rate(settings, 1000, 1.0) == pytest.approx(0.001)
    # A short training does not spend all of it warming up.
    assert rate(settings, 2, 0.05) > 0.09
    assert rate(TrainingSettings(warmup_steps=0), 0, 0.0) == pytest.approx(1e-3)


def test_the_kl_weight_warms_up_and_the_aligned_loss_fades(make_module):
    X = stripes()
    settings = TrainingSettings(beta=0.5, kl_warmup=0.4, aligned_fraction=0.5, short_range=0.0)
    for progress, kl_weight, aligned in [(0.0, 0.0, 1.0), (0.2, 0.5, 0.6), (0.4, 1.0, 0.2), (0.9, 1.0, None)]:
        terms = trainer_of(make_module, X, settings).train_step(X[:8], progress)
        expected = terms["statistics_loss"] + 0.5 * kl_weight * terms["kl"]
        if aligned is not None:
            expected += aligned * terms["aligned_loss"]
        assert terms["loss"] == pytest.approx(expected, rel=1e-5)
        assert ("aligned_loss" in terms) == (aligned is not None)
    none = TrainingSettings(kl_warmup=0.0, aligned_fraction=0.0, short_range=0.0)
    terms = trainer_of(make_module, X, none).train_step(X[:8], 0.0)
    assert terms["loss"] == pytest.approx(terms["statistics_loss"] + 1e-4 * terms["kl"], rel=1e-5)


def test_one_pass_takes_every_batch_once(make_module):
    X = stripes()
    trainer = trainer_of(make_module, X)
    for expected in (1, 2):
        source = Source(X)
        trainer.one_pass(source)
        assert source.epochs == [expected - 1]
        assert (trainer.epoch, trainer.step) == (expected, 5 * expected)
    rate = trainer.history[0]["learning_rate"]
    assert rate == pytest.approx(0.505 * SETTINGS.learning_rate)
    assert "aligned_loss" not in trainer.history[0]
    assert trainer.history[1]["seconds"] > trainer.history[0]["seconds"]


def test_a_pass_that_failed_leaves_no_trace_in_the_next_record(make_module):
    X = stripes()
    trainer = trainer_of(make_module, X)
    with pytest.raises(KeyboardInterrupt):
        trainer.one_pass(Interrupted(X, at=(0, 3)))
    assert trainer.totals["loss"][1] == 3
    trainer.one_pass(Source(X[:8]))
    twin = trainer_of(make_module, X)
    with pytest.raises(KeyboardInterrupt):
        twin.one_pass(Interrupted(X, at=(0, 3)))
    expected = twin.train_step(next(Source(X[:8]).epoch(0)), 0.5)
    assert trainer.history[0]["loss"] == pytest.approx(expected["loss"])


def test_training_from_statistics(make_module):
    X = stripes()
    module = make_module((12, 12), width=32)
    f = module.statistics(module.fields(X))
    module.calibrate([f], from_statistics=True)
    settings = TrainingSettings(max_epochs=30, warmup_steps=5, learning_rate=3e-3)
    trainer = Trainer(module, settings, CPU, "float32", 0, from_statistics=True)
    trainer.fit(Source(f[:32].double(), held=f[32:].double()))
    assert "aligned_loss" not in trainer.history[0]
    assert trainer.history[-1]["statistics_loss"] < 0.7 * trainer.history[0]["statistics_loss"]


def test_bfloat16_comes_close_to_float32(make_module):
    X = stripes()
    results = []
    for precision in ("float32", "bfloat16"):
        trainer = trainer_of(make_module, X)
        trainer.precision = precision
        trainer.fit(Source(X))
        assert all(p.dtype == torch.float32 for p in trainer.module.parameters())
        results.append(trainer.history[-1]["statistics_loss"])
    assert results[0] != results[1]
    assert results[1] == pytest.approx(results[0], rel=0.1)


def test_latent_spread_is_the_mean_width_of_the_latents(make_module):
    X = stripes()
    trainer = trainer_of(make_module, X)
    torch.testing.assert_close(trainer.latent_spread([X[:10], X[10:]]), torch.full((3,), math.exp(-3.0)))


@pytest.mark.parametrize(
    ("limits", "device", "compiled"),
    [
        ({"max_epochs": 1000}, "cuda", True),
        ({"max_epochs": 999}, "cuda", False),
        ({"max_epochs": None, "max_time": 600.0}, "cuda", True),
        ({"max_epochs": None, "max_time": 599.0}, "cuda", False),
        ({"max_epochs": 1000, "max_time": 60.0}, "cuda", False),
        ({"max_epochs": 1000}, "cpu", False),
    ],
)
def test_only_long_trainings_on_a_gpu_are_compiled(make_module, monkeypatch, limits, device, compiled):
    monkeypatch.setattr(torch, "compile", lambda function: "compiled")
    trainer = trainer_of(make_module, stripes(), TrainingSettings(**limits))
    trainer.device = torch.device(device)
    trainer._compile(5)
    assert (trainer.encode == "compiled") == (trainer.decode == "compiled") == compiled
