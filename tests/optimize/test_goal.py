"""Goals and constraints are parsed, and contradictions are refused."""

from __future__ import annotations

import math

import pytest

from matvae.errors import InputError, PluginError
from matvae.optimize.geometry import VolumeFraction
from matvae.optimize.goal import (
    Constraint,
    Goal,
    between,
    check_requirements,
    maximize,
    minimize,
    parse_constraint,
    parse_goal,
    parse_property,
    reach,
    read_constraints,
    read_goals,
)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("volume_fraction=0.30+-0.01", 0.29, 0.31),
        (" volume_fraction = 3e-1 +- 1e-2 ", 0.29, 0.31),
        ("volume_fraction<=0.4", -math.inf, 0.4),
        ("volume_fraction >= .2", 0.2, math.inf),
    ],
)
def test_constraint_is_a_range(text, low, high):
    constraint = parse_constraint(text)
    assert (constraint.label, constraint.low, constraint.high) == (
        "volume_fraction",
        pytest.approx(low),
        pytest.approx(high),
    )


def test_options_are_part_of_the_label():
    assert parse_property("volume_fraction(phase=2)") == (VolumeFraction(2), "volume_fraction_phase_2")
    constraint = parse_constraint("specific_surface(phase=0, isotropic=False)<=0.2")
    assert (constraint.property.phase, constraint.property.isotropic) == (0, False)
    assert constraint.label == "specific_surface_phase_0_isotropic_False"


@pytest.mark.parametrize(
    "text", ["volume_fraction", "volume_fraction=0.3", "volume_fraction=a+-b", "<=3", "v(1)<=3", ""]
)
def test_malformed_constraint_is_refused(text):
    with pytest.raises((InputError, PluginError)):
        parse_constraint(text)


@pytest.mark.parametrize(
    "text", ["volume_fraction(1)", "volume_fraction(phase=)", "volume_fraction(phase=print())", "a b"]
)
def test_malformed_property_is_refused(text):
    with pytest.raises(InputError, match="written as"):
        parse_property(text)


def test_constraint_on_a_named_property():
    property = VolumeFraction(0)
    constraint = parse_constraint("stiffness<=2", {"stiffness": property})
    assert constraint == Constraint(property, -math.inf, 2.0, "stiffness")


def test_goal_has_a_sense():
    assert [goal.sense for goal in (maximize("volume_fraction"), minimize("volume_fraction"))] == [
        "maximize",
        "minimize",
    ]
    assert reach("volume_fraction", 0.3).target == 0.3
    with pytest.raises(InputError, match="must be a finite number"):
        reach("volume_fraction", math.nan)
    with pytest.raises(InputError, match="to reach a target"):
        Goal(VolumeFraction(), "reach")


def test_goals_and_constraints_are_not_confused():
    goal, constraint = maximize("volume_fraction"), between("specific_surface", 0.1)
    assert read_goals(goal) == read_goals("volume_fraction=max") == read_goals(["volume_fraction=max"]) == [goal]
    assert read_constraints([constraint, "specific_surface>=0.1"]) == [constraint] * 2
    for objective in (constraint, [goal, constraint], 3):
        with pytest.raises(InputError, match="A goal, as maximize"):
            read_goals(objective)
    with pytest.raises(InputError, match="A constraint, as between"):
        read_constraints([goal])


def test_contradictions_are_refused():
    goal = reach("volume_fraction", 0.3)
    check_requirements([goal], [parse_constraint("volume_fraction<=0.3")])
    for goals, constraints, message in (
        ([], [], "needs a goal"),
        ([goal, goal], [], "can have one goal"),
        ([goal], [between("volume_fraction", 0.4)], "contradicts its constraint"),
        ([goal], [between("specific_surface", 0.4), between("specific_surface", high=0.3)], "contradict each other"),
        ([goal], [between(VolumeFraction(0), 0.4)], "stands for two different properties"),
    ):
        with pytest.raises(InputError, match=message):
            check_requirements(goals, constraints)
    for low, high in ((0.4, 0.3), (-math.inf, math.inf), (math.nan, 1)):
        with pytest.raises(InputError, match="is a range of numbers from low to high"):
            between("volume_fraction", low, high)


def test_goal_is_parsed_from_text():
    for text, expected in (
        ("volume_fraction=max", maximize("volume_fraction")),
        (" volume_fraction = min", minimize("volume_fraction")),
        ("volume_fraction(phase=1)=0.3", reach("volume_fraction(phase=1)", 0.3)),
    ):
        assert parse_goal(text) == expected
    assert parse_goal("stiffness=max", {"stiffness": VolumeFraction(0)}).label == "stiffness"
    for text in ("volume_fraction", "volume_fraction<=0.3", "=max", "volume_fraction=most"):
        with pytest.raises(InputError, match="A goal is written as"):
            parse_goal(text)
