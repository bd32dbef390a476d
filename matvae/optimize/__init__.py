"""Inverse design: latents whose structures have wanted properties."""

from .goal import Constraint, Goal, between, maximize, minimize, parse_constraint, parse_goal, parse_property, reach
from .latents import optimize_latents
from .property import PROPERTIES, Measured, Property, make_property, unit_on
from .result import Candidates

__all__ = [
    "PROPERTIES",
    "Candidates",
    "Constraint",
    "Goal",
    "Measured",
    "Property",
    "between",
    "make_property",
    "maximize",
    "minimize",
    "optimize_latents",
    "parse_constraint",
    "parse_goal",
    "parse_property",
    "reach",
    "unit_on",
]
