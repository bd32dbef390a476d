"""Conformance suite for encoders: `check_encoder` runs all checks, `encoder_checks` returns them one by one.

Built-in encoders pass it, and so must those of plugins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..model import DECODERS, ENCODERS, STATISTICS, STRUCTURES, Encoder, ModelSpec, StatsVAE, plan_model
from .check import Check, require, require_close, run_all
from .models import SPECS, applicable, structures_for


def encoder_checks(name: str, specs: Sequence[ModelSpec] = SPECS) -> list[Check]:
    """Return the checks of an encoder one by one.

    Parameters
    ----------
    name : str
        Registered name of the encoder.
    specs : sequence of ModelSpec
        Models to check it in; their fields ``encoder`` and, if the encoder requires one, ``decoder`` are replaced. By
        default small ones in one to three dimensions, with one to three phases. Those that the decoder's `plan` or a
        constructor refuses by an InputError are left out.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", encoder_checks("mine"), ids=str)`` on a test that calls ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), name, partial(run, name, specs)) for run in CHECKS]


def check_encoder(name: str, specs: Sequence[ModelSpec] = SPECS) -> None:
    """Run all checks of an encoder.

    Parameters
    ----------
    name, specs
        As in `encoder_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(encoder_checks(name, specs))


def new(name: str, spec: ModelSpec, seed: int = 0) -> StatsVAE:
    """A model with the encoder that has not been calibrated."""
    decoder = ENCODERS.get(name).decoder or spec.decoder
    require(decoder in DECODERS.names(), f"The encoder requires the decoder {decoder!r}, which does not exist.")
    spec = plan_model(replace(spec, encoder=name, decoder=decoder), [structures_for(spec)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return StatsVAE(spec)


def built(name: str, spec: ModelSpec, seed: int = 0) -> tuple[StatsVAE, Tensor]:
    """A calibrated model with the encoder, and what the encoder reads of some structures."""
    module, structures = new(name, spec, seed), structures_for(spec)
    module.calibrate([structures[:6], structures[6:]])
    module.eval()
    fields = module.fields(structures)
    return module, module.statistics(fields) if module.reads_statistics else fields


def check_declaration(name: str, specs: Sequence[ModelSpec]) -> None:
    """The class attributes have the types of the contract."""
    kind = ENCODERS.get(name)
    require(issubclass(kind, Encoder), "An encoder must derive from matvae.model.Encoder.")
    require(kind.reads in (STATISTICS, STRUCTURES), f"reads must be {STATISTICS!r} or {STRUCTURES!r}.")
    require(kind.decoder is None or isinstance(kind.decoder, str), "decoder must be a name or None.")
    require(isinstance(kind.searches, bool), "searches must be True or False.")
    require(isinstance(kind.takes_weights, bool), "takes_weights must be True or False.")


def check_shapes(name: str, specs: Sequence[ModelSpec]) -> None:
    """Mean and log-variance are finite and have the shape (sample, component)."""
    for spec in applicable(partial(new, name), specs):
        module, data = built(name, spec)
        result = module.encoder(data)
        require(isinstance(result, tuple) and len(result) == 2, "forward must return the mean and the log-variance.")
        for label, values in zip(("mean", "log-variance"), result, strict=True):
            expected = (len(data), spec.n_components)
            require(values.shape == expected, f"The {label} must have the shape {expected}, not {tuple(values.shape)}.")
            require(values.dtype == data.dtype, f"The {label} must have the type {data.dtype}, not {values.dtype}.")
            require(values.isfinite().all(), f"The {label} of random structures of shape {spec.shape} must be finite.")


def check_samples_are_independent(name: str, specs: Sequence[ModelSpec]) -> None:
    """In evaluation mode, the latent of a sample does not depend on the other samples of its batch."""
    for spec in applicable(partial(new, name), specs):
        module, data = built(name, spec)
        with torch.no_grad():
            together, alone = module.encoder(data)[0], torch.cat([module.encoder(x[None])[0] for x in data])
        require_close(alone, together, f"Latents of structures of shape {spec.shape}, one by one", 1e-4)


def check_repeats(name: str, specs: Sequence[ModelSpec]) -> None:
    """The same input gives the same latent, and the same seed the same weights."""
    for spec in applicable(partial(new, name), specs):
        (module, data), (again, _) = built(name, spec), built(name, spec)
        with torch.no_grad():
            first, second = module.encoder(data)[0], module.encoder(data)[0]
            require(torch.equal(first, second), "The same input must give the same latent twice.")
            require(torch.equal(first, again.encoder(data)[0]), "Two models of one seed must give the same latents.")


def check_weights_survive(name: str, specs: Sequence[ModelSpec]) -> None:
    """The state_dict holds everything that calibration and training set."""
    for spec in applicable(partial(new, name), specs):
        (module, data), (other, _) = built(name, spec), built(name, spec, seed=1)
        other.load_state_dict(module.state_dict())
        with torch.no_grad():
            require_close(
                other.encoder(data)[0], module.encoder(data)[0], "Latents after loading the state_dict into a new model"
            )


def check_gradients(name: str, specs: Sequence[ModelSpec]) -> None:
    """Gradients of the mean and the log-variance reach the weights; the mean of an encoder that searches needs none."""
    for spec in applicable(partial(new, name), specs):
        module, data = built(name, spec)
        module.train()
        mean, log_variance = module.encoder(data)
        total = log_variance.square().sum() + (0 if module.encoder.searches else mean.square().sum())
        total.backward()
        gradients = [p.grad for p in module.encoder.parameters() if p.requires_grad and p.grad is not None]
        require(gradients, "No weight of the encoder has a gradient.")
        require(all(g.isfinite().all() for g in gradients), "Gradients must be finite.")
        require(any(bool(g.abs().max() > 0) for g in gradients), "All gradients of the encoder's weights are zero.")


CHECKS = (
    check_declaration,
    check_shapes,
    check_samples_are_independent,
    check_repeats,
    check_weights_survive,
    check_gradients,
)
