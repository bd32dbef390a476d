"""Decoders by name; `base` defines their contract, and plugins add to the entry point group ``matvae.decoders``."""

from ...registry import Registry
from .base import Decoder

DECODERS = Registry(
    "decoder",
    "matvae.decoders",
    {
        "dense": "matvae.model.decoders.dense:DenseDecoder",
        "convolutional": "matvae.model.decoders.convolutional:ConvolutionalDecoder",
        "separable": "matvae.model.decoders.separable:SeparableDecoder",
        "statistics": "matvae.model.decoders.statistics:StatisticsDecoder",
    },
    contract=Decoder,
)

__all__ = ["DECODERS", "Decoder"]
