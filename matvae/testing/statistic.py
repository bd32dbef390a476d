"""The conformance suite of statistics: `check_statistic(MINE)`, or `statistic_checks(MINE)` with one test per check.

Built-in statistics pass it, and those of plugins must, too. Each check is a function of the statistic, and its name
without ``check_`` is that of the check.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..stats import Statistic
from . import statistic_inputs, statistic_results
from .check import Check, run_all

CHECKS: tuple[Callable[[Statistic], None], ...] = (*statistic_results.CHECKS, *statistic_inputs.CHECKS)


def statistic_checks(statistic: Statistic) -> list[Check]:
    """List the checks of a statistic.

    Parameters
    ----------
    statistic : Statistic
        The statistic to check.

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
        The statistic to check.

    Raises
    ------
    AssertionError
        At the first check that fails; the message says what was expected, and a note names the check. Unexpected errors
        of the statistic are passed on with such a note, too.
    """
    run_all(statistic_checks(statistic))
