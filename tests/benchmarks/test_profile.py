"""Profile of training by size of the grid, and the share of the device's speed that its matrix products reach."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from matvae.data.datasets.lines import Lines
from matvae.model import ModelSpec, StatsVAE, Trainer, TrainingSettings, resolve_device
from matvae.model.coarse import coarsest, level_at

SIZE, BATCH, WIDTH, STEPS = 224, 128, 512, 4
# Kinds of torch operations; the first key that the name of an operation contains determines its kind.
KINDS = {"fft": "Fourier transforms", "mm": "matrix products", "adam": "optimiser", "": "everything else"}


def trainer() -> tuple[Trainer, list[torch.Tensor]]:
    shape = (SIZE, SIZE)
    generator, rng = Lines(shape), np.random.default_rng(0)
    X = torch.from_numpy(np.stack([generator.sample(rng)[0] for _ in range(2 * BATCH)]))
    spec = ModelSpec(shape, 2, ((1, 1),), True, None, 9, "statistics", "separable", WIDTH, coarsest(shape))
    torch.manual_seed(0)
    module = StatsVAE(spec)
    module.calibrate([X])
    settings = TrainingSettings(aligned_fraction=0.7, coarse_fraction=0.9)
    return Trainer(module, settings, resolve_device("auto"), "auto", seed=0), list(X.split(BATCH))


def synchronized(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()


def peak(device: torch.device, n: int = 2048) -> float:
    """Return the operations per second of one large matrix product, in the precision of training."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    a = torch.randn(n, n, device=device, dtype=dtype)
    a @ a
    started = synchronized(device)
    for _ in range(3):
        a @ a
    return 3 * 2 * n**3 / (synchronized(device) - started)


def operations(module: StatsVAE) -> float:
    """Return the operations per sample of the networks' matrix products, forward and backward, except for profiles."""
    weights = sum(layer.weight.numel() for layer in module.modules() if isinstance(layer, torch.nn.Linear))
    return 6.0 * weights


def shares(
    train: Trainer, batches: list[torch.Tensor], progress: float, factors: tuple[int, ...] | None
) -> dict[str, float]:
    activities = [ProfilerActivity.CUDA if train.device.type == "cuda" else ProfilerActivity.CPU]
    with profile(activities=activities) as profiler:
        for batch in batches:
            train.train_step(batch, progress, factors)
    times = dict.fromkeys(KINDS.values(), 0.0)
    for event in profiler.key_averages():
        own = event.self_device_time_total if train.device.type == "cuda" else event.self_cpu_time_total
        name = event.key.lower()
        times[next(kind for part, kind in KINDS.items() if part in name)] += own
    return {kind: time / sum(times.values()) for kind, time in times.items()}


@pytest.mark.parametrize("progress", [0.1, 0.4, 0.7, 0.9])
def test_shares_of_the_training_time(progress):
    train, batches = trainer()
    factors = level_at(train.module.spec.coarse, progress, train.settings.coarse_fraction)
    side = SIZE // (factors[0] if factors else 1)
    train.train_step(batches[0], progress, factors)
    started = synchronized(train.device)
    for k in range(STEPS):
        train.train_step(batches[k % 2], progress, factors)
    seconds = (synchronized(train.device) - started) / (STEPS * BATCH)
    parts = ", ".join(
        f"{kind} {100 * share:.0f} %" for kind, share in shares(train, batches, progress, factors).items()
    )
    print(f"\n{train.device} {side:>3} x {side:<3} {1 / seconds:7.0f} images per second   {parts}", end="")
    if factors is None:
        share = operations(train.module) / seconds / peak(train.device)
        print(f"\n  matrix products of the networks: {100 * share:.0f} % of the device's speed", end="")
    assert np.isfinite(seconds)
