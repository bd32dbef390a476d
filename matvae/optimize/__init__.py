"""Inverse design: search for latents whose structures have requested properties."""

from .goal import Constraint, Goal, between, maximize, minimize, parse_constraint, parse_goal, parse_property, reach
from .latents import optimize_latents
from .linkage import Linkage, load_linkage, save_linkage
from .property import PROPERTIES, Measured, Property, make_property, unit_on
from .result import Candidates

__all__ = [
    "PROPERTIES",
    "Candidates",
    "Constraint",
    "Goal",
    "Linkage",
    "Measured",
    "Property",
    "between",
    "load_linkage",
    "make_property",
    "maximize",
    "minimize",
    "optimize_latents",
    "parse_constraint",
    "parse_goal",
    "parse_property",
    "reach",
    "save_linkage",
    "unit_on",
]
