"""What is wanted of a structure: goals to be reached, and constraints to be kept."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from .property import Property, make_property

MAXIMIZE, MINIMIZE, REACH = "maximize", "minimize", "reach"
_SPEC = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<options>.*)\))?\s*")
_CONSTRAINT = re.compile(
    r"(?P<spec>\s*\w+\s*(?:\(.*\))?)\s*(?P<sign><=|>=|=)\s*(?P<value>[^<>=]+?)(?:\s*\+-\s*(?P<tolerance>[^<>=]+))?\s*"
)


@dataclass(frozen=True)
class Goal:
    """One thing to search for; made by `maximize`, `minimize` and `reach`.

    Parameters
    ----------
    property : Property
    sense : ``"maximize"``, ``"minimize"`` or ``"reach"``
    target : float, optional
        The value to reach.
    label : str
        Under which results are given; by default the property's name.
    """

    property: Property
    sense: str
    target: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.property.name)
        if (self.sense == REACH) != (self.target is not None):
            raise InputError(
                f"A goal is to maximize, to minimize, or to reach a target, but sense={self.sense!r} and "
                f"target={self.target} were given."
            )
        if self.target is not None and not math.isfinite(self.target):
            raise InputError(f"A target is a finite number, but {self.target} was given for {self.label}.")


@dataclass(frozen=True)
class Constraint:
    """A range in which a property has to stay; made by `between`.

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


def maximize(wanted: Property | str) -> Goal:
    """As much as possible of a property, given itself or as ``"name"`` or ``"name(option=value)"``."""
    return Goal(*_split(wanted, MAXIMIZE))


def minimize(wanted: Property | str) -> Goal:
    """As little as possible of a property, given as in `maximize`."""
    return Goal(*_split(wanted, MINIMIZE))


def reach(wanted: Property | str, target: float) -> Goal:
    """A property of this value, given as in `maximize`."""
    found, sense, _, label = _split(wanted, REACH)
    return Goal(found, sense, float(target), label)


def between(wanted: Property | str, low: float = -math.inf, high: float = math.inf) -> Constraint:
    """A property no smaller than `low` and no larger than `high`, given as in `maximize`."""
    found, _, _, label = _split(wanted, REACH)
    return Constraint(found, float(low), float(high), label)


def parse_property(text: str) -> tuple[Property, str]:
    """A property and its label from ``"volume_fraction"`` or ``"volume_fraction(phase=2)"``.

    Raises
    ------
    InputError
        If the text is of another form, or the property does not take the options.
    PluginError
        If there is no such property.
    """
    match = _SPEC.fullmatch(text)
    if match is None:
        raise InputError(f"A property is written as name or name(option=value), but {text!r} was given.")
    try:
        call = ast.parse(f"f({match['options'] or ''})", mode="eval").body
        assert isinstance(call, ast.Call)
        if call.args:
            raise ValueError("options have names")
        options = {str(option.arg): _literal(option.value) for option in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"Options of a property are written as name(phase=2), but {text!r} was given ({error})."
        ) from error
    label = "_".join([match["name"], *(str(part) for pair in options.items() for part in pair)])
    return make_property(match["name"], **options), re.sub(r"\W+", "_", label)


def parse_constraint(text: str, known: dict[str, Property] | None = None) -> Constraint:
    """A constraint from ``"volume_fraction=0.30+-0.01"``, ``"specific_surface<=0.2"`` or ``">="``.

    Parameters
    ----------
    text : str
    known : dict of str to Property, optional
        Properties that go by a name of their own, such as linkages.

    Raises
    ------
    InputError
        If the text is of another form.
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
    spec = match["spec"].strip()
    found, label = (known[spec], spec) if known and spec in known else parse_property(spec)
    if match["sign"] == "=":
        return Constraint(found, value - tolerance, value + tolerance, label)
    low, high = (value, math.inf) if match["sign"] == ">=" else (-math.inf, value)
    return Constraint(found, low, high, label)


def parse_goal(text: str, known: dict[str, Property] | None = None) -> Goal:
    """A goal from ``"specific_surface=max"``, ``"specific_surface=min"`` or ``"volume_fraction=0.3"``.

    Parameters
    ----------
    text, known
        As in `parse_constraint`.

    Raises
    ------
    InputError
        If the text is of another form.
    """
    spec, sign, wanted = (part.strip() for part in text.rpartition("="))
    sense = {"max": MAXIMIZE, "min": MINIMIZE}.get(wanted, REACH)
    try:
        if not sign or spec[-1:] in ("<", ">", ""):
            raise ValueError
        target = float(wanted) if sense == REACH else None
    except ValueError as error:
        raise InputError(f"A goal is written as name=max, name=min or name=value, but {text!r} was given.") from error
    found, label = (known[spec], spec) if known and spec in known else parse_property(spec)
    return Goal(found, sense, target, label)


def check_wishes(goals: Sequence[Goal], constraints: Sequence[Constraint]) -> None:
    """Refuse goals and constraints that no structure can meet together.

    Raises
    ------
    InputError
        If there is no goal, a label means two properties, two goals are one, or ranges and targets exclude each other.
    """
    if not goals:
        raise InputError("A search needs a goal: maximize(...), minimize(...) or reach(...) a property.")
    labels = [goal.label for goal in goals]
    if len(set(labels)) < len(labels):
        raise InputError(f"Each property can have one goal, but {labels} were given. Make a constraint of the others.")
    meant: dict[str, Property] = {}
    wishes: list[Goal | Constraint] = [*goals, *constraints]
    for wish in wishes:
        # Properties that do not define equality are equal to themselves alone, so the class decides for them.
        known = meant.setdefault(wish.label, wish.property)
        if known is not wish.property and known != wish.property and type(known).__eq__ is not object.__eq__:
            raise InputError(f"The label {wish.label!r} means two different properties: {known} and {wish.property}.")
    for label in {one.label for one in constraints}:
        ranges = [one for one in constraints if one.label == label]
        low, high = max(one.low for one in ranges), min(one.high for one in ranges)
        if low > high:
            raise InputError(f"The constraints on {label} contradict each other: at least {low} and at most {high}.")
        for goal in goals:
            if goal.label == label and goal.target is not None and not low <= goal.target <= high:
                raise InputError(
                    f"The target {goal.target} of {label} contradicts its constraint of {low} to {high}. Change one of "
                    "the two."
                )


def _literal(node: Any) -> Any:
    """Value of an option; a bare word is a text."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _split(wanted: Property | str, sense: str) -> tuple[Property, str, None, str]:
    if isinstance(wanted, str):
        found, label = parse_property(wanted)
        return found, sense, None, label
    return wanted, sense, None, wanted.name
