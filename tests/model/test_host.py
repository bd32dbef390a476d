"""A training step as a GPU would run it: nothing on the host, no half precision where it matters. No GPU is needed.

Tensors of torch's device `meta` have a shape and no values: whatever asks for a value, or for another device's, is an
error there. What takes tensors of the host as well is noticed by a dispatcher that sees every operation.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from matvae.model import StatsVAE, Trainer, TrainingSettings
from matvae.model import vae as vae_module
from matvae.model.device import autocast
from matvae.model.objective import objective
from matvae.testing.models import small_spec, structures_for

META = torch.device("meta")
# Every encoder, decoder, kind of structure and of statistics that is trained.
SPECS = {
    "dense": small_spec((16, 16)),
    "convolutional": small_spec((16, 12), decoder="convolutional"),
    "volume": small_spec((8, 6, 4), decoder="convolutional", encoder="image"),
    "coarse": small_spec((96, 96), decoder="separable", coarse=(2, 2)),
    "three phases": small_spec((12, 12), phases=3),
    "states apart": small_spec((12, 12), phases=3, pairs=((0, 0), (0, 2))),
    "field": small_spec((12, 12), phases=1),
    "window": small_spec((12, 12), periodic=False, cutoff=(4, 4)),
    "lags": small_spec((12, 12), metric="lags"),
}
LOSSES = ("relative", "absolute", "voxels")


class Crossings(TorchDispatchMode):
    """Collects the operations that take or give tensors of the host, except for single numbers, which are no copies."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        tensors = [each for each in tree_leaves((args, kwargs, result)) if isinstance(each, torch.Tensor)]
        if any(each.ndim and each.device.type == "cpu" for each in tensors):
            self.names.append(str(function))
        return result


class HostGenerator(torch.Generator):
    """There are none on the device `meta`."""

    def __new__(cls, device=None):
        return super().__new__(cls)


@pytest.fixture
def transfers(monkeypatch):
    """Tensors of which the host has asked for the values."""
    asked = []

    def tolist(tensor):
        asked.append(tensor)
        return [0.0] * len(tensor)

    # Some of torch is imported by the first optimiser, and takes the generator for a type.
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    monkeypatch.setattr(torch, "Generator", HostGenerator)
    monkeypatch.setattr(torch.Tensor, "tolist", tolist)
    return asked


def weightless_trainer(spec, **settings):
    return Trainer(StatsVAE(spec).to(META), TrainingSettings(mixing=0.5, **settings), META, "float32", 0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", SPECS)
def test_a_step_asks_for_values_once_and_takes_only_the_batch_from_the_host(transfers, name, loss):
    spec = SPECS[name]
    trainer = weightless_trainer(spec, loss=loss)
    grids = [None] if spec.coarse is None else [None, spec.coarse]
    for factors in grids:
        # The first step may prepare what all others need.
        trainer.train_step(structures_for(spec, 4), 0.3, factors)
        transfers.clear()
        batch = structures_for(spec, 4)
        with Crossings() as crossings:
            trainer.train_step(batch, 0.3, factors)
        # The values of the loss, and the batch.
        assert len(transfers) == 1
        assert crossings.names == ["aten._to_copy.default"]


@pytest.mark.parametrize("name", [name for name in SPECS if name != "field"])
def test_encoding_and_decoding_take_nothing_from_the_host(name):
    spec = SPECS[name]
    module = StatsVAE(spec).to(META).eval()
    X = structures_for(spec, 4).to(META)
    with Crossings() as crossings, torch.no_grad():
        fields = module.fields(X)
        module.statistics(fields)
        crossings.names.clear()
        z = module.encode(module.statistics(fields), fields)[0]
        output = module.decode(z)
    assert output.shape == (4, spec.phases, *spec.shape)
    assert crossings.names == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda z: z + float(z.detach().mean()), "meta"),
        (lambda z: z[z.mean(1) > 0], "meta"),
        (lambda z: z + torch.ones(z.shape[1]), "device"),
        (lambda z: z.cpu(), "meta"),
    ],
)
def test_what_waits_for_the_device_or_mixes_devices_is_noticed(transfers, monkeypatch, fault, message):
    trainer = weightless_trainer(SPECS["dense"])
    decode = trainer.decode
    trainer.decode = lambda z, factors: decode(fault(z), factors)
    with pytest.raises((RuntimeError, NotImplementedError), match=message):
        trainer.train_step(structures_for(SPECS["dense"], 4), 0.3)


def test_what_is_copied_from_the_host_in_every_step_is_noticed(transfers):
    trainer = weightless_trainer(SPECS["dense"])
    decode = trainer.decode
    trainer.decode = lambda z, factors: decode(z + torch.ones(z.shape[1]).to(z.device), factors)
    with Crossings() as crossings:
        trainer.train_step(structures_for(SPECS["dense"], 4), 0.3)
    assert crossings.names.count("aten._to_copy.default") == 2


class Precisions(TorchDispatchMode):
    """Collects the types of numbers that Fourier transforms and matrix products take."""

    def __init__(self):
        super().__init__()
        self.of = {"fft": set(), "mm": set()}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for kind, found in self.of.items():
            if kind in str(function):
                found |= {each.dtype for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        return function(*args, **(kwargs or {}))


def calibrated(spec):
    torch.manual_seed(0)
    module = StatsVAE(spec)
    X = structures_for(spec)
    module.calibrate([X])
    return module, X


def outcome(spec, precision, settings):
    """Statistics, loss and gradient of a batch, and the types of numbers on the way."""
    module, X = calibrated(spec)
    fields = module.fields(X)
    with Precisions() as precisions:
        statistics = module.statistics(fields)
        with autocast(torch.device("cpu"), precision):
            mean, log_variance = module.encode(statistics, fields)
            output = module.decode(mean)
        loss, terms = objective(
            module, settings, 0.3, fields=fields, statistics=statistics, output=output.float(), mean=mean,
            log_variance=log_variance,
        )  # fmt: skip
        loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])
    assert {each.dtype for each in (statistics, mean, log_variance, loss, *terms.values())} == {torch.float32}
    return loss.item(), gradient, precisions.of


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", SPECS)
def test_half_precision_is_that_of_networks_and_leaves_the_loss_near_that_of_single(name, loss):
    # Registration may choose another of two equally good shifts.
    settings = TrainingSettings(loss=loss, aligned_fraction=0.0)
    exact, gradient, of_single = outcome(SPECS[name], "float32", settings)
    rounded, same, of_half = outcome(SPECS[name], "bfloat16", settings)
    assert math.isfinite(rounded)
    # A number of bfloat16 has eight bits.
    assert rounded == pytest.approx(exact, rel=0.02)
    assert (same - gradient).norm() < 0.1 * gradient.norm()
    # The networks are rounded, and what is transformed is not.
    assert torch.bfloat16 in of_half["mm"]
    assert torch.bfloat16 not in of_single["mm"]
    assert of_half["fft"] <= {torch.float32, torch.complex64}
    assert torch.float32 in of_half["fft"]


def test_a_trainer_in_half_precision_learns_as_one_in_single():
    histories = []
    for precision in ("float32", "bfloat16"):
        module, X = calibrated(SPECS["convolutional"])
        trainer = Trainer(module, TrainingSettings(warmup_steps=5), torch.device("cpu"), precision, 0)
        histories.append([trainer.train_step(X, 0.6)["loss"] for _ in range(20)])
    single, half = histories
    assert half[-1] < half[0]
    assert half == pytest.approx(single, rel=0.05)


def test_what_inference_has_prepared_serves_training_as_well():
    spec = small_spec((9, 7), periodic=False, cutoff=(3, 2))
    module, X = calibrated(spec)
    vae_module._counts_on.cache_clear()
    with torch.inference_mode():
        module.statistics(module.fields(X))
    fields = module.fields(X).requires_grad_()
    module.statistics(fields).sum().backward()
    assert torch.isfinite(fields.grad).all()
