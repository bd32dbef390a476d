"""Built-in properties pass the suite, and each fault is detected by its check."""

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


class InvalidName(VolumeFraction):
    name = "volume fraction"


class MissingReason(VolumeFraction):
    def measure(self, structures, grid):
        return Measured(np.full(len(structures), np.nan), (None,) * len(structures))


class DependsOnBatch(VolumeFraction):
    def measure(self, structures, grid):
        return Measured.of(super().measure(structures, grid).values / len(structures))


class ChangesInput(VolumeFraction):
    def measure(self, structures, grid):
        structures[0] = 0
        return super().measure(structures, grid)


class CannotBePickled(VolumeFraction):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


class OffsetSoft(VolumeFraction):
    def soft(self, fractions, grid):
        return super().soft(fractions, grid) + 0.1


class ZeroGradient(VolumeFraction):
    def soft(self, fractions, grid):
        values = super().soft(fractions, grid)
        return values.detach() + 0 * values


FAULTS = [
    ("declaration", InvalidName, "string of letters, digits and _"),
    ("one_value_or_reason_per_structure", MissingReason, "Missing values, and only those, must have a reason"),
    ("structures_are_independent", DependsOnBatch, "one by one"),
    ("input_is_unchanged", ChangesInput, "read-only"),
    ("pickling", CannotBePickled, "cannot be pickled"),
    ("soft_values_of_sharp_structures", OffsetSoft, "soft and measured"),
    ("gradient", ZeroGradient, "finite differences give"),
]


@pytest.mark.parametrize(("name", "broken", "message"), FAULTS)
def test_check_detects_its_fault(name, broken, message):
    (check,) = [check for check in property_checks(broken()) if check.name == name]
    with pytest.raises((AssertionError, ValueError, TypeError), match=message):
        check()


def test_every_check_has_a_fault_to_detect():
    assert [name for name, _, _ in FAULTS] == [run.__name__.removeprefix("check_") for run in CHECKS]


def test_check_property_names_the_failed_check():
    check_property(VolumeFraction())
    with pytest.raises(AssertionError, match="one by one") as failed:
        check_property(DependsOnBatch())
    assert failed.value.__notes__ == ["Raised in the check volume_fraction-structures_are_independent."]
