"""Conformance suite for decoders: `check_decoder` runs all checks, `decoder_checks` returns them one by one.

Built-in decoders pass it, and so must those of plugins.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch

from ..model import DECODERS, ENCODERS, Decoder, ModelSpec
from ..model.coarse import coarsen
from .check import Check, require, require_close, run_all
from .models import SPECS, applicable, latents_for, structures_for


def decoder_checks(name: str, specs: Sequence[ModelSpec] = SPECS) -> list[Check]:
    """Return the checks of a decoder one by one.

    Parameters
    ----------
    name : str
        Registered name of the decoder.
    specs : sequence of ModelSpec
        Models to check it in; their field ``decoder`` is replaced. By default small ones in one to three dimensions,
        with one to three phases. Those that `plan` or the constructor refuses by an InputError are left out.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", decoder_checks("mine"), ids=str)`` on a test that calls ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), name, partial(run, name, specs)) for run in CHECKS]


def check_decoder(name: str, specs: Sequence[ModelSpec] = SPECS) -> None:
    """Run all checks of a decoder.

    Parameters
    ----------
    name, specs
        As in `decoder_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(decoder_checks(name, specs))


def new(name: str, spec: ModelSpec, seed: int = 0) -> Decoder:
    """A decoder that has not been calibrated."""
    kind = DECODERS.get(name)
    spec = replace(spec, decoder=name, encoder=kind.encoder or spec.encoder)
    spec = replace(spec, decoder_options=dict(kind.plan(spec, [structures_for(spec)])))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(spec)


def built(name: str, spec: ModelSpec, seed: int = 0) -> Decoder:
    """A calibrated decoder."""
    decoder, structures = new(name, spec, seed), structures_for(spec)
    fields = [structures] if spec.phases == 1 else [structures == phase for phase in range(spec.phases)]
    states = torch.stack(fields, dim=1).float()
    # A generator: the contract promises one pass only.
    decoder.calibrate(part for part in (states[:6], states[6:]))
    return decoder.eval()


def check_declaration(name: str, specs: Sequence[ModelSpec]) -> None:
    """The class attributes have the types of the contract, and an encoder it requires exists."""
    kind = DECODERS.get(name)
    require(issubclass(kind, Decoder), "A decoder must derive from matvae.model.Decoder.")
    require(kind.encoder is None or kind.encoder in ENCODERS.names(), "encoder must be a registered name or None.")
    for attribute in ("writes_fractions", "coarsens", "needs_structures"):
        require(isinstance(getattr(kind, attribute), bool), f"{attribute} must be True or False.")


def check_plan_is_json(name: str, specs: Sequence[ModelSpec]) -> None:
    """The options of `plan` survive JSON, in which models are saved."""
    for spec in applicable(partial(new, name), specs):
        options = dict(DECODERS.get(name).plan(replace(spec, decoder=name), [structures_for(spec)]))
        require(json.loads(json.dumps(options)) == options, f"Options {options} change when saved as JSON.")


def check_shapes(name: str, specs: Sequence[ModelSpec]) -> None:
    """The result is finite and has the shape (sample, channel, *space); fractions are not negative."""
    for spec in applicable(partial(new, name), specs):
        z = latents_for(spec)
        result = built(name, spec)(z)
        expected = (len(z), spec.channels, *spec.shape)
        require(result.shape == expected, f"The result must have the shape {expected}, not {tuple(result.shape)}.")
        require(result.dtype == z.dtype, f"The result must have the type {z.dtype} of the latent, not {result.dtype}.")
        require(result.isfinite().all(), "The result must be finite.")
        if DECODERS.get(name).writes_fractions and spec.phases > 1:
            require((result >= 0).all(), "Fractions must not be negative.")


def check_samples_are_independent(name: str, specs: Sequence[ModelSpec]) -> None:
    """In evaluation mode, the structure of a latent does not depend on the other latents of its batch."""
    for spec in applicable(partial(new, name), specs):
        decoder, z = built(name, spec), latents_for(spec)
        with torch.no_grad():
            require_close(torch.cat([decoder(x[None]) for x in z]), decoder(z), "Structures of single latents", 1e-4)


def check_repeats(name: str, specs: Sequence[ModelSpec]) -> None:
    """The same latent gives the same structure, and the same seed the same weights."""
    for spec in applicable(partial(new, name), specs):
        decoder, again, z = built(name, spec), built(name, spec), latents_for(spec)
        with torch.no_grad():
            structures = decoder(z)
            require(torch.equal(structures, decoder(z)), "The same latent must give the same structure twice.")
            require(torch.equal(structures, again(z)), "Two decoders of one seed must give the same structures.")


def check_latents_matter(name: str, specs: Sequence[ModelSpec]) -> None:
    """Different latents decode to different structures."""
    for spec in applicable(partial(new, name), specs):
        with torch.no_grad():
            result = built(name, spec)(latents_for(spec))
        require(bool((result - result[:1]).abs().max() > 0), "All latents decode to the same structure.")


def check_weights_survive(name: str, specs: Sequence[ModelSpec]) -> None:
    """The state_dict holds everything that calibration and training set."""
    for spec in applicable(partial(new, name), specs):
        decoder, other, z = built(name, spec), built(name, spec, seed=1), latents_for(spec)
        other.load_state_dict(decoder.state_dict())
        with torch.no_grad():
            require_close(other(z), decoder(z), "Structures after loading the state_dict into a new decoder")


def check_gradients(name: str, specs: Sequence[ModelSpec]) -> None:
    """Gradients reach the latent and the weights: structures are optimised through the decoder."""
    for spec in applicable(partial(new, name), specs):
        decoder, z = built(name, spec).train(), latents_for(spec).requires_grad_()
        decoder(z).square().sum().backward()
        gradients = [p.grad for p in decoder.parameters() if p.requires_grad and p.grad is not None]
        of_latent = torch.zeros_like(z) if z.grad is None else z.grad
        require(of_latent.abs().max() > 0, "The latent has no gradient.")
        require(gradients, "No weight of the decoder has a gradient.")
        require(all(g.isfinite().all() for g in [of_latent, *gradients]), "Gradients must be finite.")


def check_coarse_grids(name: str, specs: Sequence[ModelSpec]) -> None:
    """A decoder that coarsens and writes fractions returns the block means of the fine structure."""
    if not DECODERS.get(name).coarsens:
        return
    for spec in applicable(partial(new, name), specs):
        if spec.phases == 1 or not spec.all_lags or any(n % 2 for n in spec.shape):
            continue
        decoder, z, factors = built(name, spec), latents_for(spec), (2,) * len(spec.shape)
        with torch.no_grad():
            coarse, fine = decoder(z, factors), decoder(z)
        expected = tuple(n // 2 for n in spec.shape)
        require(coarse.shape[2:] == expected, f"The coarse grid must have {expected} voxels, not {coarse.shape[2:]}.")
        if decoder.writes_fractions:
            require_close(coarse, coarsen(fine, factors), "The coarse structure against block means of the fine one")


CHECKS = (
    check_declaration,
    check_plan_is_json,
    check_shapes,
    check_samples_are_independent,
    check_repeats,
    check_latents_matter,
    check_weights_survive,
    check_gradients,
    check_coarse_grids,
)
