"""Every built-in property conforms, and every check sees what it is there for."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, two_point_stats
from matvae.optimize import Measured, make_property
from matvae.optimize.geometry import VolumeFraction
from matvae.testing import check_property, property_checks
from matvae.testing.property import CHECKS

THREE = Grid((9, 8), phases=3)
TARGET = two_point_stats((np.random.default_rng(3).random((1, 9, 8)) < 0.4).astype(np.uint8), phases=2)[0]
BUILT_IN = [
    *(check for name in ("volume_fraction", "specific_surface", "correlation_length")
      for check in property_checks(make_property(name))),
    *property_checks(make_property("correlation_length", phase=2), [THREE]),
    *property_checks(make_property("statistics_error", target=TARGET), [Grid((9, 8))]),
]  # fmt: skip


@pytest.mark.parametrize("check", BUILT_IN, ids=str)
def test_built_in_properties_conform(check):
    check()


class Nameless(VolumeFraction):
    name = "volume fraction"


class Unreasonable(VolumeFraction):
    def measure(self, structures, grid):
        return Measured(np.full(len(structures), np.nan), (None,) * len(structures))


class Crowd(VolumeFraction):
    def measure(self, structures, grid):
        return Measured.of(super().measure(structures, grid).values / len(structures))


class Vandal(VolumeFraction):
    def measure(self, structures, grid):
        structures[0] = 0
        return super().measure(structures, grid)


class Homebody(VolumeFraction):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


class Off(VolumeFraction):
    def soft(self, fractions, grid):
        return super().soft(fractions, grid) + 0.1


class Flat(VolumeFraction):
    def soft(self, fractions, grid):
        found = super().soft(fractions, grid)
        return found.detach() + 0 * found


FAULTS = [
    ("declaration", Nameless, "no name"),
    ("one_value_or_reason_a_structure", Unreasonable, "only there"),
    ("structures_are_independent", Crowd, "one by one"),
    ("its_input_is_left_alone", Vandal, "read-only"),
    ("it_can_be_sent_to_a_worker", Homebody, "cannot be pickled"),
    ("soft_values_of_sharp_structures", Off, "soft and measured"),
    ("gradient", Flat, "finite differences give"),
]


@pytest.mark.parametrize(("name", "broken", "message"), FAULTS)
def test_a_fault_is_seen_by_its_check(name, broken, message):
    (check,) = [check for check in property_checks(broken()) if check.name == name]
    with pytest.raises((AssertionError, ValueError, TypeError), match=message):
        check()


def test_every_check_sees_a_fault():
    assert [name for name, _, _ in FAULTS] == [run.__name__.removeprefix("check_") for run in CHECKS]


def test_all_checks_in_one_say_which_failed():
    check_property(VolumeFraction())
    with pytest.raises(AssertionError, match="one by one") as failed:
        check_property(Crowd())
    assert failed.value.__notes__ == ["Raised in the check volume_fraction-structures_are_independent."]
