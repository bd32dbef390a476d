"""Completion of a `ModelSpec` from the choices of the user and a sample of the data."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..errors import InputError
from .coarse import coarsest
from .decoders import DECODERS
from .decoders.separable import few_products
from .encoders import ENCODERS, STATISTICS
from .loss import VOXELS
from .spec import ModelSpec

AUTO = "auto"
# Beyond this many outputs the last layer of a perceptron dominates the cost, and convolutions are used instead.
DENSE_OUTPUTS = 1 << 16


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
        required_encoder = DECODERS.get(decoder).encoder or encoder
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


def plan_model(spec: ModelSpec, batches: Sequence[Tensor], previous: ModelSpec | None = None) -> ModelSpec:
    """Complete a spec by everything that depends on the data: decoder, coarse grid and options of the decoder.

    Parameters
    ----------
    spec : ModelSpec
        Its decoder may be ``"auto"``.
    batches : sequence of Tensor
        A few batches of training structures, see `Decoder.plan`; empty if only statistics are known.
    previous : ModelSpec, optional
        Spec of a fitted model whose training continues: its decoder replaces ``"auto"``, and its options are kept.

    Returns
    -------
    ModelSpec
        Ready to build the model.

    Raises
    ------
    InputError
        If the decoder cannot draw structures of this kind.
    """
    encoder = ENCODERS.get(spec.encoder)
    name = encoder.decoder or spec.decoder
    if name == AUTO:
        name = choose_decoder(spec, batches) if previous is None else previous.decoder
    decoder = DECODERS.get(name)
    # The statistics of block means follow from those of voxels only if all lags are known; an encoder of structures
    # reads a single shape.
    coarse = coarsest(spec.shape) if decoder.coarsens and encoder.reads == STATISTICS and spec.all_lags else (1,)
    planned = replace(spec, decoder=name, coarse=coarse if max(coarse) > 1 else None)
    options = decoder.plan(planned, batches) if previous is None else previous.decoder_options
    return replace(planned, decoder_options=dict(options))


def choose_decoder(spec: ModelSpec, batches: Sequence[Tensor]) -> str:
    """Name the decoder that ``"auto"`` stands for.

    Separable for two-phase images that are sums of few products of profiles, whatever their size; otherwise dense for
    small structures and convolutional for large ones.
    """
    images = spec.all_lags and len(spec.shape) == 2 and spec.phases == 2
    if images and batches and batches[0].ndim == 3 and few_products(batches[0]):
        return "separable"
    return "dense" if math.prod(spec.shape) * spec.channels <= DENSE_OUTPUTS else "convolutional"
