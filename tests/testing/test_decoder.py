"""Built-in decoders pass the suite, and each fault is detected by its check."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from matvae.errors import InputError
from matvae.model import DECODERS, Decoder
from matvae.testing import check_decoder, decoder_checks
from matvae.testing.decoder import CHECKS, new
from matvae.testing.models import SPECS as SMALL
from matvae.testing.models import applicable, small_spec

BUILTIN = [check for name in ("dense", "convolutional", "separable") for check in decoder_checks(name)]
SPECS = (small_spec((8, 6)), small_spec((8, 6), phases=3))


class Linear(Decoder):
    """A conforming decoder."""

    def __init__(self, spec):
        super().__init__()
        self.shape = (spec.channels, *spec.shape)
        self.layer = nn.Linear(spec.n_components, spec.channels * spec.shape[0] * spec.shape[1])

    def forward(self, z, factors=None):
        return self.layer(z).view(-1, *self.shape)


class UnknownEncoder(Linear):
    encoder = "nowhere"


class TuplePlan(Linear):
    @classmethod
    def plan(cls, spec, batches):
        return {"shape": spec.shape}


class Transposed(Linear):
    def forward(self, z, factors=None):
        return super().forward(z).transpose(2, 3)


class Negative(Linear):
    writes_fractions = True


class BatchMean(Linear):
    def forward(self, z, factors=None):
        return super().forward(z - z.mean(0))


class Noisy(Linear):
    def forward(self, z, factors=None):
        return super().forward(z) + torch.rand(())


class Double(Linear):
    def forward(self, z, factors=None):
        return super().forward(z).double()


class TwoPhasesOnly(Linear):
    @classmethod
    def plan(cls, spec, batches):
        if spec.phases != 2:
            raise InputError("This decoder generates two phases only.")
        return {}


class NothingSupported(Linear):
    def __init__(self, spec):
        raise InputError("This decoder supports no model.")


class Constant(Linear):
    def forward(self, z, factors=None):
        return super().forward(0 * z)


class Forgetful(Linear):
    def calibrate(self, batches):
        self.offset = sum(batch.mean() for batch in batches) + torch.rand(())

    def forward(self, z, factors=None):
        return super().forward(z) + self.offset


class Detached(Linear):
    def forward(self, z, factors=None):
        return super().forward(z.detach())


class WrongCoarse(Linear):
    coarsens = True
    writes_fractions = True

    def forward(self, z, factors=None):
        fractions = super().forward(z).sigmoid()
        return fractions if factors is None else fractions[..., :: factors[0], :: factors[1]]


FAULTS = {
    UnknownEncoder: "declaration",
    TuplePlan: "plan_is_json",
    Transposed: "shapes",
    Negative: "shapes",
    Double: "shapes",
    NothingSupported: "shapes",
    Noisy: "repeats",
    BatchMean: "samples_are_independent",
    Constant: "latents_matter",
    Forgetful: "weights_survive",
    Detached: "gradients",
    WrongCoarse: "coarse_grids",
}


@pytest.mark.parametrize("check", BUILTIN, ids=str)
def test_built_in_decoders_conform(check):
    check()


@pytest.mark.parametrize("name", ["dense", "convolutional", "separable"])
def test_built_in_decoders_are_checked_with_every_model(name):
    assert applicable(partial(new, name), SMALL) == list(SMALL)


def test_a_conforming_decoder_passes(register):
    register(DECODERS, Linear)
    check_decoder("mine", SPECS)


def test_models_that_a_decoder_refuses_are_skipped(register):
    register(DECODERS, TwoPhasesOnly)
    check_decoder("mine", SPECS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_detected_by_its_check(register, kind):
    register(DECODERS, kind)
    (check,) = [check for check in decoder_checks("mine", SPECS) if check.name == FAULTS[kind]]
    with pytest.raises(AssertionError):
        check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == set(FAULTS.values())
