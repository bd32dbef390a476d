"""Conformance suites: what a part has to keep to, run by whoever writes one, built in or in a plugin."""

from .check import Check
from .property import check_property, property_checks
from .statistic import check_statistic, statistic_checks

__all__ = ["Check", "check_property", "check_statistic", "property_checks", "statistic_checks"]
