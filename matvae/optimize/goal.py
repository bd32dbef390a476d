"""Goals and constraints on the properties of a structure."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from .property import Property, make_property

MAXIMIZE, MINIMIZE, REACH = "maximize", "minimize", "reach"
_PROPERTY = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<options>.*)\))?\s*")
_CONSTRAINT = re.compile(
    r"(?P<property>\s*\w+\s*(?:\(.*\))?)\s*(?P<sign><=|>=|=)\s*"
    r"(?P<value>[^<>=]+?)(?:\s*\+-\s*(?P<tolerance>[^<>=]+))?\s*"
)


@dataclass(frozen=True)
class Goal:
    """Objective for one property; created by `maximize`, `minimize` and `reach`.

    Parameters
    ----------
    property : Property
    sense : ``"maximize"``, ``"minimize"`` or ``"reach"``
    target : float, optional
        Value to reach.
    label : str
        Name under which results are reported; by default the property's name.
    """

    property: Property
    sense: str
    target: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.property.name)
        if (self.sense == REACH) != (self.target is not None):
            raise InputError(
                "A goal is to maximize or minimize a property, or to reach a target, but "
                f"sense={self.sense!r} and target={self.target} were given."
            )
        if self.target is not None and not math.isfinite(self.target):
            raise InputError(f"A target must be a finite number, but {self.target} was given for {self.label}.")


@dataclass(frozen=True)
class Constraint:
    """Permitted range of one property; created by `between`.

    Parameters
    ----------
    property : Property
    low, high : float
    label : str
        As in `Goal`.
    """

    property: Property
    low: float = field(default=-math.inf)
    high: float = field(default=math.inf)
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.property.name)
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise InputError(
                f"A constraint is a range of numbers from low to high, but {self.low} to {self.high} was given for "
                f"{self.label}."
            )


def maximize(property: Property | str) -> Goal:
    """Maximise a property, given as an object or as text: ``"name"`` or ``"name(option=value)"``."""
    resolved, label = _resolve(property)
    return Goal(resolved, MAXIMIZE, label=label)


def minimize(property: Property | str) -> Goal:
    """Minimise a property, given as in `maximize`."""
    resolved, label = _resolve(property)
    return Goal(resolved, MINIMIZE, label=label)


def reach(property: Property | str, target: float) -> Goal:
    """Reach a target value of a property, given as in `maximize`."""
    resolved, label = _resolve(property)
    return Goal(resolved, REACH, float(target), label)


def between(property: Property | str, low: float = -math.inf, high: float = math.inf) -> Constraint:
    """Keep a property, given as in `maximize`, between `low` and `high`, both included."""
    resolved, label = _resolve(property)
    return Constraint(resolved, float(low), float(high), label)


def parse_property(text: str) -> tuple[Property, str]:
    """Parse a property and its label from ``"volume_fraction"`` or ``"volume_fraction(phase=2)"``.

    Raises
    ------
    InputError
        If the text has another form, or the property does not accept the options.
    PluginError
        If no property has this name.
    """
    match = _PROPERTY.fullmatch(text)
    if match is None:
        raise InputError(f"A property is written as name or name(option=value), but {text!r} was given.")
    try:
        call = ast.parse(f"f({match['options'] or ''})", mode="eval").body
        assert isinstance(call, ast.Call)
        if call.args:
            raise ValueError("every option needs its name")
        options = {str(option.arg): _literal(option.value) for option in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"Options of a property are written as name(phase=2), but {text!r} was given ({error})."
        ) from error
    label = "_".join([match["name"], *(str(part) for pair in options.items() for part in pair)])
    return make_property(match["name"], **options), re.sub(r"\W+", "_", label)


def parse_constraint(text: str, named: Mapping[str, Property] | None = None) -> Constraint:
    """Parse a constraint such as ``"volume_fraction=0.30+-0.01"``, ``"specific_surface<=0.2"`` or one with ``">="``.

    Parameters
    ----------
    text : str
    named : dict of str to Property, optional
        Properties that are not registered, such as linkages, by name.

    Raises
    ------
    InputError
        If the text has another form.
    """
    match = _CONSTRAINT.fullmatch(text)
    try:
        if match is None or (match["sign"] == "=") != (match["tolerance"] is not None):
            raise ValueError
        value, tolerance = float(match["value"]), float(match["tolerance"] or 0)
    except ValueError as error:
        raise InputError(
            f"A constraint is written as name=value+-tolerance, name<=value or name>=value, but {text!r} was given."
        ) from error
    assert match is not None
    property, label = _parse_named(match["property"].strip(), named)
    if match["sign"] == "=":
        return Constraint(property, value - tolerance, value + tolerance, label)
    low, high = (value, math.inf) if match["sign"] == ">=" else (-math.inf, value)
    return Constraint(property, low, high, label)


def parse_goal(text: str, named: Mapping[str, Property] | None = None) -> Goal:
    """Parse a goal such as ``"specific_surface=max"``, ``"specific_surface=min"`` or ``"volume_fraction=0.3"``.

    Parameters
    ----------
    text, named
        As in `parse_constraint`.

    Raises
    ------
    InputError
        If the text has another form.
    """
    property_text, sign, value = (part.strip() for part in text.rpartition("="))
    sense = {"max": MAXIMIZE, "min": MINIMIZE}.get(value, REACH)
    try:
        if not sign or property_text[-1:] in ("<", ">", ""):
            raise ValueError
        target = float(value) if sense == REACH else None
    except ValueError as error:
        raise InputError(f"A goal is written as name=max, name=min or name=value, but {text!r} was given.") from error
    property, label = _parse_named(property_text, named)
    return Goal(property, sense, target, label)


def read_goals(objective: Any, named: Mapping[str, Property] | None = None) -> list[Goal]:
    """Return the goals of a search.

    Parameters
    ----------
    objective : Goal or str, or sequence of them
        Text is read by `parse_goal`.
    named
        As in `parse_constraint`.

    Raises
    ------
    InputError
        If something is not a goal.
    """
    items = list(objective) if isinstance(objective, Sequence) and not isinstance(objective, str) else [objective]
    goals = [parse_goal(item, named) if isinstance(item, str) else item for item in items]
    for goal in goals:
        if not isinstance(goal, Goal):
            raise InputError(
                f"A goal, as maximize, minimize and reach return it, is expected, but {type(goal).__name__} was given. "
                "Pass ranges, as between returns them, as constraints."
            )
    return goals


def read_constraints(items: Sequence[Any], named: Mapping[str, Property] | None = None) -> list[Constraint]:
    """Return the constraints of a search.

    Parameters
    ----------
    items : sequence of Constraint or str
    named
        As in `parse_constraint`.

    Raises
    ------
    InputError
        If something is not a constraint.
    """
    constraints = [parse_constraint(item, named) if isinstance(item, str) else item for item in items]
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise InputError(
                f"A constraint, as between returns it, is expected, but {type(constraint).__name__} was given. Pass "
                "goals, as maximize, minimize and reach return them, as the objective."
            )
    return constraints


def check_requirements(goals: Sequence[Goal], constraints: Sequence[Constraint]) -> None:
    """Refuse goals and constraints that are incomplete or contradict each other.

    Raises
    ------
    InputError
        If there is no goal, a label stands for two properties, a property has two goals, or constraints and targets
        exclude each other.
    """
    if not goals:
        raise InputError("A search needs a goal: maximize(...), minimize(...) or reach(...) a property.")
    labels = [goal.label for goal in goals]
    if len(set(labels)) < len(labels):
        raise InputError(f"Each property can have one goal, but {labels} were given. Turn the others into constraints.")
    properties: dict[str, Property] = {}
    requirements: list[Goal | Constraint] = [*goals, *constraints]
    for requirement in requirements:
        label, other = requirement.label, requirement.property
        first = properties.setdefault(label, other)
        # A class without its own equality compares by identity, which would reject two equal instances.
        if first is not other and first != other and type(first).__eq__ is not object.__eq__:
            raise InputError(f"The label {label!r} stands for two different properties: {first} and {other}.")
    for label in {constraint.label for constraint in constraints}:
        ranges = [constraint for constraint in constraints if constraint.label == label]
        low = max(constraint.low for constraint in ranges)
        high = min(constraint.high for constraint in ranges)
        if low > high:
            raise InputError(f"The constraints on {label} contradict each other: at least {low} and at most {high}.")
        for goal in goals:
            if goal.label == label and goal.target is not None and not low <= goal.target <= high:
                raise InputError(
                    f"The target {goal.target} of {label} contradicts its constraint of {low} to {high}. Change one of "
                    "the two."
                )


def _resolve(property: Property | str) -> tuple[Property, str]:
    return parse_property(property) if isinstance(property, str) else (property, property.name)


def _parse_named(text: str, named: Mapping[str, Property] | None) -> tuple[Property, str]:
    return (named[text], text) if named and text in named else parse_property(text)


def _literal(node: Any) -> Any:
    """Value of an option; a bare word is a string."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
