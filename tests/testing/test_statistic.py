"""Built-in statistics pass the suite, and each fault is detected by its check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from matvae.stats import STATISTICS, get_statistic
from matvae.testing import check_statistic, statistic_checks
from matvae.testing.statistic import CHECKS

from .broken import FAULTS, GOOD

BUILT_IN = [check for name in STATISTICS.builtin for check in statistic_checks(get_statistic(name))]


@pytest.mark.parametrize("check", BUILT_IN, ids=str)
def test_built_in_statistics_conform(check):
    check()


@pytest.mark.parametrize(("name", "broken", "message"), FAULTS)
def test_a_fault_is_detected_by_its_check(name, broken, message):
    (check,) = [check for check in statistic_checks(broken) if check.name == name]
    with pytest.raises((AssertionError, ValueError, UserWarning), match=message):
        check()


def test_every_check_detects_a_fault():
    assert {name for name, _, _ in FAULTS} == {check.name for check in statistic_checks(GOOD)}
    assert len(CHECKS) == len({check.name for check in statistic_checks(GOOD)})


def test_check_statistic_names_the_check_that_failed():
    check_statistic(GOOD)
    with pytest.raises(AssertionError, match="but the result has the shape") as failed:
        check_statistic(replace(GOOD, coordinates=lambda shape, axes, **options: {}))
    assert failed.value.__notes__ == ["Raised in the check lineal_path-shape_is_that_of_the_coordinates."]
    with pytest.raises(TypeError) as raised:
        check_statistic(replace(GOOD, function=lambda X: X))
    assert "Raised in the check" in raised.value.__notes__[0]
