"""Completion of a `ModelSpec` from the choices of the user and a sample of the data."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..stats.metric import LAGS, PLAIN
from .coarse import coarsest
from .decoders import DECODERS
from .decoders.separable import few_products
from .encoders import ENCODERS, STATISTICS, STRUCTURES
from .loss import VOXELS
from .spec import ModelSpec

AUTO = "auto"
# Beyond this many outputs the last layer of a perceptron dominates the cost, and convolutions are used instead.
DENSE_OUTPUTS = 1 << 16
DEFAULT_ENCODER = "statistics"
# Variance of the mean structure over the voxels, relative to that of a phase, above which places matter.
SAME_PLACES = 0.25


def check_parts(encoder: str, decoder: str, *, from_statistics: bool, loss: str, weights: Any = None) -> None:
    """Refuse an encoder and a decoder that do not suit each other, the input, the loss or the weights.

    Parameters
    ----------
    encoder, decoder : str
        Registered names; the decoder may be ``"auto"``.
    from_statistics : bool
        Whether training samples are 2-point statistics instead of structures.
    loss : str
        As in `TrainingSettings`.
    weights : path or str, optional
        Trained weights the encoder is to start from.

    Raises
    ------
    InputError
        Naming the two choices that contradict each other.
    PluginError
        If there is no such encoder or decoder.
    """
    reader = ENCODERS.get(encoder)
    if weights is not None and not reader.takes_weights:
        raise InputError(
            f"encoder_weights={os.fspath(weights)!r} was given, but the encoder {encoder!r} does not start from "
            'trained weights. Omit them, or choose encoder="resnet152".'
        )
    if decoder != AUTO:
        # The default encoder gives way to the one that a decoder brings along.
        own_encoder = DECODERS.get(decoder).encoder
        required_encoder = encoder if encoder == DEFAULT_ENCODER else own_encoder or encoder
        required_decoder = reader.decoder or decoder
        if (required_encoder, required_decoder) != (encoder, decoder):
            pair = (encoder, required_decoder) if required_decoder != decoder else (required_encoder, decoder)
            raise InputError(
                f"The encoder {encoder!r} does not work with the decoder {decoder!r}. Choose encoder={pair[0]!r} and "
                f"decoder={pair[1]!r}."
            )
    if from_statistics and reader.reads != STATISTICS:
        raise InputError(
            f'input="statistics" provides no structures, but the encoder {encoder!r} reads structures. Choose '
            'encoder="statistics".'
        )
    if loss == VOXELS and reader.reads == STATISTICS:
        raise InputError(
            f'loss="{VOXELS}" compares structures voxel by voxel, but the encoder {encoder!r} reads statistics, which '
            'do not say where anything lies. Choose encoder="image", or another loss.'
        )


def plan_model(
    spec: ModelSpec, batches: Sequence[Tensor], previous: ModelSpec | None = None, *, closed_form: bool = True
) -> ModelSpec:
    """Complete a spec by everything that depends on the data: decoder, coarse grid and options of the decoder.

    Parameters
    ----------
    spec : ModelSpec
        Its decoder may be ``"auto"``.
    batches : sequence of Tensor
        A few batches of training structures, see `Decoder.plan`; empty if only statistics are known.
    previous : ModelSpec, optional
        Spec of a fitted model whose training continues: its decoder replaces ``"auto"``, and its options are kept.
    closed_form : bool
        Whether the model is fitted at once, see `choose_decoder`.

    Returns
    -------
    ModelSpec
        Ready to build the model.

    Raises
    ------
    InputError
        If the decoder cannot draw structures of this kind.
    """
    name = ENCODERS.get(spec.encoder).decoder or spec.decoder
    reason = ""
    if name == AUTO and previous is not None:
        name, reason = previous.decoder, previous.reason
    elif name == AUTO:
        name, reason = choose_decoder(spec, batches, closed_form=closed_form)
    decoder = DECODERS.get(name)
    encoder_name = decoder.encoder or spec.encoder
    default_metric = PLAIN if decoder.decodes == STRUCTURES else LAGS
    metric = default_metric if spec.metric == AUTO else spec.metric
    planned = replace(spec, encoder=encoder_name, decoder=name, metric=metric, reason=reason)
    planned = replace(planned, coarse=_coarsest_grid(planned))
    options = decoder.plan(planned, batches) if previous is None else previous.decoder_options
    return replace(planned, decoder_options=dict(options))


def _coarsest_grid(spec: ModelSpec) -> tuple[int, ...] | None:
    """Coarsest grid on which training begins; None without coarse grids.

    The statistics of block means follow from those of voxels only if all lags are known and count alike; an encoder of
    structures reads a single shape.
    """
    coarsens = DECODERS.get(spec.decoder).coarsens and ENCODERS.get(spec.encoder).reads == STATISTICS
    factors = coarsest(spec.shape) if coarsens and spec.all_lags and spec.metric == PLAIN else (1,)
    return factors if max(factors) > 1 else None


def choose_decoder(spec: ModelSpec, batches: Sequence[Tensor], *, closed_form: bool = True) -> tuple[str, str]:
    """Name the decoder that ``"auto"`` stands for, and the reason.

    Layouts have features whose position or arrangement matters: images that are sums of few products of profiles
    (lines, boxes, layers) get the separable decoder, and phases that lie at the same places in all samples the dense
    one if the structures are small, otherwise the convolutional one. Textures, i.e. windows of a material, get the
    decoder of statistics.

    Parameters
    ----------
    spec : ModelSpec
    batches : sequence of Tensor
        A few batches of training structures; empty if only statistics are known.
    closed_form : bool
        Whether the model is fitted at once, as the decoder of statistics has to be.
    """
    network = "dense" if math.prod(spec.shape) * spec.channels <= DENSE_OUTPUTS else "convolutional"
    if spec.encoder != DEFAULT_ENCODER:
        return network, f"the encoder {spec.encoder!r} needs a decoder of structures"
    images = spec.all_lags and len(spec.shape) == 2 and spec.phases == 2
    if images and batches and batches[0].ndim == 3 and few_products(batches[0]):
        return "separable", "layout: the structures are sums of few products of profiles along the axes"
    if spec.phases == 1:
        return network, "continuous fields are not determined by their 2-point statistics"
    if not closed_form:
        return network, "training pass by pass needs a network"
    if batches and _same_places(torch.cat(list(batches)), len(spec.shape), spec.phases):
        return network, "layout: the phases lie at the same places in most structures"
    return "statistics", "texture: the phases lie anywhere, so that only their statistics matter"


def is_layout(structures: Tensor, phases: int) -> bool:
    """Whether the places of features matter in structures, so that they are no windows of a material.

    Parameters
    ----------
    structures : Tensor ``(sample, *space)``
        Labels.
    phases : int
    """
    products = structures.ndim == 3 and phases == 2 and few_products(structures)
    return products or _same_places(structures, structures.ndim - 1, phases)


def _same_places(structures: Tensor, ndim: int, phases: int) -> bool:
    """Whether phases lie at the same places: their mean over the samples varies much over the voxels."""
    if structures.ndim == ndim + 1:
        structures = torch.stack([structures == phase for phase in range(phases)], dim=1)
    mean = structures.double().mean(0).flatten(1)
    volume_fractions = mean.mean(1)
    possible = (volume_fractions * (1 - volume_fractions)).sum()
    variance = mean.var(1, correction=0).sum()
    return bool(variance > max(SAME_PLACES, 4 / len(structures)) * possible)
