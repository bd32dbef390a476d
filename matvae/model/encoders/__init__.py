"""Encoders by name; `base` defines their contract, and plugins add to the entry point group ``matvae.encoders``."""

from ...registry import Registry
from .base import STATISTICS, STRUCTURES, Encoder

ENCODERS = Registry(
    "encoder",
    "matvae.encoders",
    {
        "statistics": "matvae.model.encoders.statistics:StatisticsEncoder",
        "image": "matvae.model.encoders.image:ImageEncoder",
        "projection": "matvae.model.encoders.projection:ProjectionEncoder",
        "resnet152": "matvae.model.encoders.pretrained:ResNet152Encoder",
    },
    contract=Encoder,
)

__all__ = ["ENCODERS", "STATISTICS", "STRUCTURES", "Encoder"]
