"""Computations on a GPU: parity with the CPU, memory and speed. `make gpu` runs and prints them.

Without a GPU they are skipped. MATVAE_GPU=cpu rehearses them on the CPU, which tests the tests.
"""

from __future__ import annotations

import copy
import os
import warnings
from time import perf_counter

import numpy as np
import pytest
import torch

from matvae import load, save_structures
from matvae.jobs import fit_model, fit_on_ranks
from matvae.model import StatsVAE, Trainer, TrainingSettings
from matvae.model.device import place
from matvae.model.objective import objective
from matvae.testing.models import small_spec

from ..structures import lines

pytestmark = pytest.mark.gpu
# Steps whose speed and memory are measured, after as many that warm up.
STEPS = 8


@pytest.fixture(scope="module")
def gpu():
    """The device, in full precision of single floats."""
    if os.environ.get("MATVAE_GPU") == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        pytest.skip(f"torch {torch.__version__} finds no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def card(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def module_of(X, **values):
    torch.manual_seed(0)
    module = StatsVAE(small_spec(tuple(X.shape[1:]), 2, **values))
    module.calibrate([X])
    return module


@pytest.mark.parametrize("decoder", ["dense", "convolutional", "separable"])
def test_loss_and_gradients_are_those_of_the_cpu(gpu, decoder):
    X = torch.from_numpy(lines(8, 32))
    on_cpu = module_of(X, decoder=decoder)
    on_gpu = place(copy.deepcopy(on_cpu), gpu)
    z = torch.randn(8, on_cpu.spec.n_components, generator=torch.Generator().manual_seed(0))
    results = []
    for module, device in ((on_cpu, torch.device("cpu")), (on_gpu, gpu)):
        fields = module.fields(X.to(device))
        statistics = module.statistics(fields)
        mean, log_variance = module.encode(statistics, fields)
        # Registration may choose another of two equally good shifts.
        loss, _ = objective(
            module,
            TrainingSettings(aligned_fraction=0.0),
            0.5,
            fields=fields,
            statistics=statistics,
            output=module.decode(z.to(device) + mean),
            mean=mean,
            log_variance=log_variance,
        )
        loss.backward()
        gradients = [p.grad.flatten().cpu() for p in module.parameters() if p.grad is not None]
        results.append((statistics.cpu(), loss.detach().cpu(), torch.cat(gradients)))
    (f, loss, gradient), (same_f, same_loss, same_gradient) = results
    torch.testing.assert_close(same_f, f, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(same_loss, loss, rtol=1e-4, atol=1e-6)
    assert (same_gradient - gradient).norm() < 1e-3 * gradient.norm()


def test_latents_of_a_model_fitted_on_the_gpu_are_the_same_on_the_cpu(gpu, tmp_path):
    X = lines(60, 32)
    save_structures(tmp_path / "x.zarr", X)
    fit_model(
        tmp_path / "x.zarr", tmp_path / "m.matvae", n_components=2, max_epochs=3, decoder="dense", width=32,
        periodic=True, seed=0, device=gpu.type, precision="float32",
    )  # fmt: skip
    model = load(tmp_path / "m.matvae")
    latents = model.transform(X)
    model.module_ = model.module_.cpu()
    np.testing.assert_allclose(model.set_params(device="cpu").transform(X), latents, rtol=1e-3, atol=1e-4)


def test_memory_is_flat_and_steps_do_not_wait_for_the_host(gpu, capsys):
    X = torch.from_numpy(lines(128 if gpu.type == "cuda" else 4, 224))
    module = module_of(X, decoder="separable")
    trainer = Trainer(module, TrainingSettings(), gpu, "auto", seed=0)

    def steps():
        if gpu.type == "cuda":
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        started = perf_counter()
        for _ in range(STEPS):
            trainer.train_step(X, 0.5)
        seconds = perf_counter() - started
        return seconds, torch.cuda.max_memory_allocated() if gpu.type == "cuda" else 0

    steps()
    seconds, memory = steps()
    _, later = steps()
    with capsys.disabled():
        print(
            f"\n{card(gpu)}: {STEPS * len(X) / seconds:.0f} images of 224 x 224 per second, full grid, batches of "
            f"{len(X)}, {memory / 1e9:.2f} GB"
        )
    assert later <= 1.05 * memory
    if gpu.type == "cuda":
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as waits:
                warnings.simplefilter("always")
                trainer.train_step(X.pin_memory(), 0.5)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        # The values of the loss, once per step.
        assert len([each for each in waits if "synchronizing" in str(each.message)]) <= 1


def test_two_gpus_learn_what_one_learns(gpu, tmp_path):
    if gpu.type == "cuda" and torch.cuda.device_count() < 2:
        pytest.skip(f"there is a single GPU ({card(gpu)})")
    save_structures(tmp_path / "x.zarr", lines(60, 32))
    options = {"n_components": 2, "max_epochs": 3, "decoder": "dense", "width": 32, "periodic": True, "seed": 0}
    options |= {"device": gpu.type, "precision": "float32", "aligned_fraction": 0.0}
    fit_model(tmp_path / "x.zarr", tmp_path / "one.matvae", **options)
    fit_on_ranks(tmp_path / "x.zarr", tmp_path / "two.matvae", devices=2, **options)
    one, two = (load(tmp_path / name).history_ for name in ("one.matvae", "two.matvae"))
    np.testing.assert_allclose([r["loss"] for r in two], [r["loss"] for r in one], rtol=1e-4)
