"""The conformance suite of statistics: `check_statistic(MINE)`, or one test a check with `statistic_checks(MINE)`.

Built-in statistics pass it, and so must those of plugins. Each check is a function of the statistic; its name without
``check_`` is the check's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..stats import Statistic
from . import statistic_inputs, statistic_results
from .check import Check

CHECKS: tuple[Callable[[Statistic], None], ...] = (*statistic_results.CHECKS, *statistic_inputs.CHECKS)


def statistic_checks(statistic: Statistic) -> list[Check]:
    """All checks of a statistic, one by one.

    Parameters
    ----------
    statistic : Statistic
        What is to be checked.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", statistic_checks(MINE), ids=str)``, whose test calls ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), statistic.name, partial(run, statistic)) for run in CHECKS]


def check_statistic(statistic: Statistic) -> None:
    """Run all checks of a statistic.

    Parameters
    ----------
    statistic : Statistic
        What is to be checked.

    Raises
    ------
    AssertionError
        At the first check that fails, saying what was expected; a note names the check. An error that the statistic
        raises where it should not is passed on with such a note.
    """
    for check in statistic_checks(statistic):
        try:
            check()
        except Exception as error:
            error.add_note(f"Raised in the check {check}.")
            raise
