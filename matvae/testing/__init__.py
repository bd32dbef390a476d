"""Conformance suites: the contracts of parts as checks, run by their authors, built in or in a plugin."""

from .check import Check
from .decoder import check_decoder, decoder_checks
from .encoder import check_encoder, encoder_checks
from .property import check_property, property_checks
from .statistic import check_statistic, statistic_checks

__all__ = [
    "Check",
    "check_decoder",
    "check_encoder",
    "check_property",
    "check_statistic",
    "decoder_checks",
    "encoder_checks",
    "property_checks",
    "statistic_checks",
]
