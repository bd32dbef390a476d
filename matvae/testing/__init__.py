"""Conformance suites: the contracts of parts as checks, run by their authors, built in or in a plugin."""

from .check import Check
from .dataset import check_dataset, dataset_checks
from .decoder import check_decoder, decoder_checks
from .encoder import check_encoder, encoder_checks
from .property import check_property, property_checks
from .reader import Example, check_reader, reader_checks
from .statistic import check_statistic, statistic_checks
from .writer import Content, check_writer, writer_checks

__all__ = [
    "Check",
    "Content",
    "Example",
    "check_dataset",
    "check_decoder",
    "check_encoder",
    "check_property",
    "check_reader",
    "check_statistic",
    "check_writer",
    "dataset_checks",
    "decoder_checks",
    "encoder_checks",
    "property_checks",
    "reader_checks",
    "statistic_checks",
    "writer_checks",
]
