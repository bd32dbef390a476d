from __future__ import annotations

import math
import time

import pytest
import torch

from matvae.forecast import listening
from matvae.model import Trainer, TrainingSettings, volume_fraction_labels
from matvae.model import train as train_module
from matvae.stats import relative_error

from .training import CPU, SETTINGS, Interrupted, Source, same_weights, stripes, trainer_of, without_seconds


@pytest.mark.parametrize("encoder", ["statistics", "image"])
def test_training_lowers_the_loss_and_the_held_out_error(trained, encoder):
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


def test_the_seed_determines_the_result(trained):
    state = torch.get_rng_state()
    first, repeated, other = trained(), trained(), trained(seed=1)
    assert same_weights(first.module, repeated.module)
    assert without_seconds(first.history) == without_seconds(repeated.history)
    assert not same_weights(first.module, other.module)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_ends_at_the_time_limit(trained):
    settings = TrainingSettings(max_epochs=None, max_time=0.6, patience=None)
    began = time.monotonic()
    trainer = trained(settings)
    assert trainer.history[-1]["progress"] == 1.0
    assert trainer.step > 1
    # The bound is generous: without the limit, training would never end.
    assert time.monotonic() - began < 30


class Clock:
    """Time that passes only where a test lets it."""

    now = 0.0

    def monotonic(self):
        return self.now


class Slow(Source):
    """Source whose batches take time by a clock: 0.1 s per step, 0.2 s per batch held out."""

    def __init__(self, *args, clock, **kwargs):
        super().__init__(*args, **kwargs)
        self.clock = clock

    def epoch(self, number):
        for batch in super().epoch(number):
            self.clock.now += 0.1
            yield batch

    def validation(self):
        for batch in super().validation():
            self.clock.now += 0.2
            yield batch


def test_the_time_limit_includes_the_last_held_out_error(make_module, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("matvae.model.train.time", clock)
    X = stripes()
    trainer = trainer_of(make_module, X, TrainingSettings(max_epochs=None, max_time=10.0, patience=None))
    trainer.fit(Slow(X, held=X[:32], clock=clock))
    # Four batches held out take 0.8 s.
    assert trainer.seconds == pytest.approx(10.0, rel=0.05)
    assert trainer.history[-1]["progress"] == 1.0


def test_training_ends_at_whichever_limit_is_reached_first(trained):
    assert trained(TrainingSettings(max_epochs=2, max_time=1000.0)).epoch == 2
    assert trained(TrainingSettings(max_epochs=10**6, max_time=0.2, patience=None)).history[-1]["progress"] == 1.0


def test_training_ends_when_patience_runs_out(trained, monkeypatch):
    errors = iter([0.5, 0.4, 0.3, *[0.9] * 20])
    monkeypatch.setattr(Trainer, "validation_error", lambda self, source: next(errors))
    history = trained(TrainingSettings(max_epochs=20, patience=0.3)).history
    # The best error is in epoch 3 of 20, but patience counts only from epoch 10, when the aligned loss has faded out.
    assert len(history) == 16
    errors = iter([0.5] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=0.22)).history) == 15
    errors = iter([0.5] * 11 + [0.1] + [0.9] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=0.22)).history) == 17
    errors = iter([0.5] * 20)
    assert len(trained(TrainingSettings(max_epochs=20, patience=None)).history) == 20


def test_patience_has_no_effect_without_held_out_samples(trained):
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


def test_the_validation_error_is_that_of_thresholded_reconstructions(trained):
    trainer = trained()
    X, module = stripes(seed=5), trainer.module
    fields = module.fields(X)
    statistics = module.statistics(fields)
    labels = volume_fraction_labels(module.decode(module.encode(statistics, fields)[0]))
    expected = relative_error(statistics, module.statistics(module.fields(labels))).mean()
    assert trainer.validation_error(Source(X, held=X, size=7)) == pytest.approx(float(expected), rel=1e-5)


def test_every_epoch_has_a_record(trained):
    records, starts = [], []
    fit = {"on_record": records.append, "on_start": lambda: starts.append(len(records))}
    trainer = trained(fit=fit)
    assert records == trainer.history
    assert starts == [0, 1, 2, 3]
    assert [(r["epoch"], r["step"], r["progress"]) for r in records] == [
        (1, 4, 0.25),
        (2, 8, 0.5),
        (3, 12, 0.75),
        (4, 16, 1.0),
    ]
    # The aligned loss has faded out after half of the training.
    assert ["aligned_loss" in r for r in records] == [True, True, False, False]
    assert [r["seconds"] for r in records] == sorted(r["seconds"] for r in records)
    for r in records[2:]:
        expected = r["statistics_loss"] + 0.3 * r["short_range_loss"] + 1e-4 * r["kl"]
        assert r["loss"] == pytest.approx(expected, rel=1e-4)


def test_a_record_is_the_mean_over_the_steps_of_its_epoch(make_module):
    X = stripes()
    trainer, twin = trainer_of(make_module, X), trainer_of(make_module, X)
    steps = [twin.train_step(data, k / 20) for k, data in enumerate(Source(X).epoch(0))]
    trainer.fit(Source(X), on_record=lambda record: True)
    assert trainer.history[0]["kl"] == pytest.approx(sum(step["kl"] for step in steps) / 5)


def test_training_ends_when_the_callback_returns_true(trained):
    assert trained(fit={"on_record": lambda record: record["epoch"] == 2}).epoch == 2


def test_the_learning_rate_rises_and_then_falls_as_a_cosine():
    settings = TrainingSettings(learning_rate=0.1, warmup_steps=100)
    rate = train_module._learning_rate
    assert rate(settings, 0, 0.0) == pytest.approx(0.001)
    assert rate(settings, 49, 0.0) == pytest.approx(0.05)
    assert rate(settings, 1000, 0.5) == pytest.approx(0.1 * 0.505)
    assert rate(settings, 1000, 1.0) == pytest.approx(0.001)
    # Short training does not consist of warm-up alone.
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
    constant = TrainingSettings(kl_warmup=0.0, aligned_fraction=0.0, short_range=0.0)
    terms = trainer_of(make_module, X, constant).train_step(X[:8], 0.0)
    assert terms["loss"] == pytest.approx(terms["statistics_loss"] + 1e-4 * terms["kl"], rel=1e-5)


def test_one_pass_uses_every_batch_once(make_module):
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


def test_an_interrupted_pass_does_not_affect_the_next_record(make_module):
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


def test_training_from_statistics_lowers_the_loss(make_module):
    X = stripes()
    module = make_module((12, 12), width=32)
    f = module.statistics(module.fields(X))
    module.calibrate([f], from_statistics=True)
    settings = TrainingSettings(max_epochs=30, warmup_steps=5, learning_rate=3e-3)
    trainer = Trainer(module, settings, CPU, "float32", 0, from_statistics=True)
    trainer.fit(Source(f[:32].double(), held=f[32:].double()))
    assert "aligned_loss" not in trainer.history[0]
    assert trainer.history[-1]["statistics_loss"] < 0.7 * trainer.history[0]["statistics_loss"]


def test_training_in_bfloat16_is_close_to_float32(make_module):
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


def test_the_latent_spread_is_the_mean_standard_deviation_of_the_latents(make_module):
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
def test_networks_are_compiled_only_for_long_training_on_a_gpu(make_module, monkeypatch, limits, device, compiled):
    monkeypatch.setattr(torch, "compile", lambda function: "compiled")
    trainer = trainer_of(make_module, stripes(), TrainingSettings(**limits))
    trainer.device = torch.device(device)
    trainer._compile(5)
    assert (trainer.encode == "compiled") == (trainer.decode == "compiled") == compiled


def test_an_encoder_that_searches_is_not_compiled(make_module, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function: "compiled")
    trainer = trainer_of(make_module, stripes(), TrainingSettings(max_epochs=1000))
    trainer.module.encoder.searches = True
    trainer.device = torch.device("cuda")
    trainer._compile(5)
    assert (trainer.encode == "compiled", trainer.decode == "compiled") == (False, True)


def heard_fit(trainer, source, *, ends=False, **options):
    """Fit with a listener, and return what it heard."""
    heard = []
    with listening(lambda forecast: heard.append(forecast) or ends):
        trainer.fit(source, **options)
    return heard


def coarse_trainer(make_module, settings, **values):
    return trainer_of(make_module, stripes(size=96), settings, decoder="separable", coarse=(2, 2), **values)


def test_a_training_with_a_listener_is_the_same_to_the_last_bit(make_module):
    settings = TrainingSettings(max_epochs=3, warmup_steps=5, mixing=0.5)
    X = stripes(size=96)
    alone = coarse_trainer(make_module, settings)
    alone.fit(Source(X, held=X[:8]))
    heard = coarse_trainer(make_module, settings)
    assert len(heard_fit(heard, Source(X, held=X[:8]))) == 1
    assert same_weights(alone.module, heard.module)
    assert without_seconds(alone.history) == without_seconds(heard.history)


def test_a_resumed_training_with_a_listener_is_the_same_to_the_last_bit(make_module, tmp_path):
    X = stripes()
    whole = trainer_of(make_module, X)
    whole.fit(Source(X, held=X[:8]))
    with pytest.raises(KeyboardInterrupt):
        trainer_of(make_module, X).fit(Interrupted(X, held=X[:8], at=(2, 1)), checkpoint=tmp_path / "c")
    resumed = trainer_of(make_module, X)
    (forecast,) = heard_fit(resumed, Source(X, held=X[:8]), checkpoint=tmp_path / "c")
    assert forecast.work == "2 passes over the data, in 5 batches each"
    assert same_weights(whole.module, resumed.module)
    assert without_seconds(whole.history) == without_seconds(resumed.history)


def test_the_time_of_a_training_is_the_sum_of_its_steps_on_every_grid(make_module, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("matvae.model.train.time", clock)
    step = Trainer.train_step

    def slow_step(self, data, progress, factors=None):
        clock.now += (1.0 if factors is None else 0.1) + (0.01 if progress < 0.5 else 0.0)
        return step(self, data, progress, factors)

    monkeypatch.setattr(Trainer, "train_step", slow_step)
    settings = TrainingSettings(max_epochs=20, coarse_fraction=0.75, aligned_fraction=0.5, patience=None)
    trainer, X = coarse_trainer(make_module, settings), stripes(size=96)
    (forecast,) = heard_fit(trainer, Slow(X, held=X[:16], clock=clock), ends=True)
    # Of 100 steps 75 are on the coarse grid, and structures are registered in 50; 40 batches are held out.
    assert forecast.seconds == pytest.approx(75 * 0.1 + 25 * 1.0 + 50 * 0.01 + 40 * 0.2)
    assert (forecast.work, forecast.is_limit) == ("20 passes over the data, in 5 batches each", False)
    assert (trainer.history, trainer.step) == ([], 0)


def test_a_limited_time_is_forecast_as_it_is(make_module):
    X = stripes()
    trainer = trainer_of(make_module, X, TrainingSettings(max_epochs=None, max_time=500.0))
    (forecast,) = heard_fit(trainer, Source(X), ends=True)
    assert (forecast.seconds, forecast.work, forecast.is_limit) == (500.0, "training for 500 s", True)
    trainer = trainer_of(make_module, X, TrainingSettings(max_epochs=10**7, max_time=500.0, patience=None))
    (forecast,) = heard_fit(trainer, Source(X), ends=True)
    assert (forecast.seconds, forecast.is_limit) == (500.0, False)
    assert forecast.work == "10000000 passes over the data, in 5 batches each, or as many as are made in 500 s"


def test_means_of_normalised_batches_do_not_remember_a_forecast(make_module):
    X = stripes()
    trainer = trainer_of(make_module, X)
    norm = trainer.module.norm = torch.nn.BatchNorm1d(trainer.module.spec.n_components)
    decode = trainer.decode
    trainer.decode = lambda z, factors=None: decode(norm(z), factors)
    trainer.module.train()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    trainer.forecast(Source(X))
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
    trainer.train_step(X[:8], 0.1)
    assert norm.num_batches_tracked == 1
