"""Built-in encoders pass the suite, and each fault is detected by its check."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from matvae.model import ENCODERS, Encoder
from matvae.testing import check_encoder, encoder_checks
from matvae.testing.encoder import CHECKS, new
from matvae.testing.models import SPECS as SMALL
from matvae.testing.models import applicable, small_spec

BUILTIN = [check for name in ("statistics", "image") for check in encoder_checks(name)]
SPECS = (small_spec((8, 6)), small_spec((8, 6), phases=3))


class Linear(Encoder):
    """A conforming encoder."""

    def __init__(self, spec):
        super().__init__()
        self.layer = nn.Linear(len(spec.pairs) * spec.shape[0] * spec.shape[1], 2 * spec.n_components)

    def forward(self, x):
        mean, log_variance = self.layer(x.flatten(1)).chunk(2, dim=1)
        return mean, log_variance


class UnknownInput(Linear):
    reads = "pictures"


class OneResult(Linear):
    def forward(self, x):
        return super().forward(x)[0]


class BatchMean(Linear):
    def forward(self, x):
        return super().forward(x - x.mean(0))


class Noisy(Linear):
    def forward(self, x):
        mean, log_variance = super().forward(x)
        return mean + torch.rand(()), log_variance


class Forgetful(Linear):
    def calibrate(self, batches):
        self.offset = sum(batch.mean() for batch in batches) + torch.rand(())

    def forward(self, x):
        mean, log_variance = super().forward(x)
        return mean + self.offset, log_variance


class Detached(Linear):
    def forward(self, x):
        mean, log_variance = super().forward(x)
        return mean.detach().requires_grad_(), log_variance.detach().requires_grad_()


FAULTS = {
    UnknownInput: "declaration",
    OneResult: "shapes",
    BatchMean: "samples_are_independent",
    Noisy: "repeats",
    Forgetful: "weights_survive",
    Detached: "gradients",
}


@pytest.mark.parametrize("check", BUILTIN, ids=str)
def test_built_in_encoders_conform(check):
    check()


@pytest.mark.parametrize("name", ["statistics", "image"])
def test_built_in_encoders_are_checked_with_every_model(name):
    assert applicable(partial(new, name), SMALL) == list(SMALL)


def test_a_conforming_encoder_passes(register):
    register(ENCODERS, Linear)
    check_encoder("mine", SPECS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_detected_by_its_check(register, kind):
    register(ENCODERS, kind)
    (check,) = [check for check in encoder_checks("mine", SPECS) if check.name == FAULTS[kind]]
    with pytest.raises(AssertionError):
        check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == set(FAULTS.values())
