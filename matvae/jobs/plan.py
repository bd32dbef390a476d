"""What a job will take in time, memory and room on the disk: measured on its own first blocks.

A running job is measured by a `Meter` that hears of its progress, or of what the job announces of itself. `rehearse`
begins a job for a few seconds to learn the same before it is run: the kernels, reads and writes are those of the job.
"""

from __future__ import annotations

import inspect
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..data.sample_blocks import Progress
from ..errors import InputError
from ..forecast import Forecast, listening
from ..memory import free_memory, peak_memory
from ..room import ABOUT, AT_MOST, EXACT, Expected, expected_results, free_room
from ..sizes import size_text
from .files.outputs import check_output, is_model, is_result

# Work is measured for so long from the first report on, before which libraries are loaded and files opened.
WORK_SECONDS = 2.0
# A rehearsal waits for its first report so long, and for the second as long as the first took, or at least the latter.
MOST_SECONDS, SECOND_SECONDS = 60.0, 10.0
# From how many seconds on which unit is used, and its length.
UNITS = ((172_800, 86_400, "days"), (6_000, 3_600, "h"), (100, 60, "min"), (0, 1, "s"))
# Name of the parameter of jobs that names their output.
OUT = "out"


@dataclass(frozen=True)
class Plan:
    """What a job will take, as far as its first blocks tell.

    Attributes
    ----------
    seconds : float or None
        From start to end. None if nothing was done in the time of a rehearsal.
    memory : int or None
        Peak in bytes, of the process and its workers; None if the system does not tell.
    disk : int or None
        Bytes of the result; None if it has none or its size is unknown.
    disk_certainty : str or None
        ``"exactly"``, ``"at most"`` or ``"about"``.
    measured_seconds : float
        Duration of what was measured.
    done, total : int
        Steps of the job, such as structures, that were done by then, and their number; 0 if it has not said.
    work : str or None
        What there is to do, as far as the job has announced it.
    is_limit : bool
        Whether it may end earlier, as a training does that no longer improves.
    """

    seconds: float | None
    memory: int | None
    disk: int | None
    disk_certainty: str | None
    measured_seconds: float
    done: int
    total: int
    work: str | None = None
    is_limit: bool = False

    def sentence(self) -> str:
        """Return time, memory and disk in one line."""
        parts = [] if self.seconds is None else [f"{'at most ' if self.is_limit else ''}about {duration(self.seconds)}"]
        if self.memory is not None:
            parts.append(f"{size_text(self.memory)} of memory")
        if self.disk is not None:
            parts.append(f"{self.disk_certainty} {size_text(self.disk)} on the disk".removeprefix(f"{EXACT} "))
        return f"This takes {', '.join(parts)}."


class Meter:
    """Measures a job that reports its progress, and extrapolates.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        # The first report, and the total that it named.
        self._first: tuple[float, int] | None = None
        self._total = 0

    def measure(self, done: int, total: int) -> Plan | None:
        """Hear of the progress of the job, and return the plan as soon as enough has been measured.

        Parameters
        ----------
        done, total : int
            As jobs report them. A new total is a new stage of the job, which is measured by itself.
        """
        spent = self._clock() - self._started
        if total != self._total:
            self._first, self._total = None, total
        if done <= 0:
            return None
        if done < total:
            if self._first is None:
                self._first = (spent, done)
            if spent < self._first[0] + WORK_SECONDS:
                return None
        return self._plan(spent, done, total)

    def stopped(self, done: int, total: int) -> Plan:
        """Return the plan of a job that was stopped before enough was measured."""
        return self._plan(self._clock() - self._started, done, total)

    def announced(self, forecast: Forecast) -> Plan:
        """Return the plan of a job that has itself measured what it will take from now on."""
        spent = self._clock() - self._started
        plan = self._plan(spent, 0, 0)
        # The job itself is not measured first.
        seconds = spent - forecast.measured_seconds + forecast.seconds
        return replace(plan, seconds=seconds, work=forecast.work, is_limit=forecast.is_limit)

    def _plan(self, spent: float, done: int, total: int) -> Plan:
        known = expected_results()
        return Plan(
            seconds=self._extrapolated(spent, done, total) if done else None,
            memory=peak_memory(),
            disk=sum(each.n_bytes for each in known) if known else None,
            disk_certainty=_least_certain(known),
            measured_seconds=spent,
            done=done,
            total=total,
        )

    def _extrapolated(self, spent: float, done: int, total: int) -> float:
        first_spent, first_done = self._first or (0.0, 0)
        if done == first_done:
            # Nothing tells the start from the work.
            return max(spent, total * first_spent / done)
        return spent + (total - done) * (spent - first_spent) / (done - first_done)


def _least_certain(known: list[Expected]) -> str | None:
    """Certainty of the sum of several sizes."""
    kinds = {each.certainty for each in known}
    return None if not kinds else kinds.pop() if len(kinds) == 1 else ABOUT


def plan_job(
    job: Callable[..., Any], *arguments: Any, most_seconds: float = MOST_SECONDS, **options: Any
) -> dict[str, Any]:
    """Run the first blocks of a job to learn what it will take; nothing of it remains.

    Parameters
    ----------
    job : callable
        A function of `matvae.jobs` that takes ``progress``, such as `compute_statistics`.
    *arguments, **options
        Of the job. Its output is checked, but a folder beside it is written instead, and removed.
    most_seconds : float
        After this time the plan is given up.

    Returns
    -------
    dict
        As `checked` returns it.

    Raises
    ------
    InputError, StoreError
        As by the job, which refuses what surely does not fit.

    Notes
    -----
    This takes some ten seconds, and more only where the first block of the job does. Of jobs that fit and measure
    several models, such as `compare_methods`, a part of each is measured, which may take minutes.
    """
    if "progress" not in inspect.signature(job).parameters:
        raise InputError(
            f"Jobs of matvae.jobs that report their progress can be planned, but {job!r} takes no progress. Pass one "
            "that does, such as matvae.jobs.compute_statistics."
        )
    given = dict(inspect.signature(job).bind(*arguments, **options).arguments)
    given |= given.pop("parameters", {})
    if OUT not in given:
        return checked(lambda progress: job(**{**given, "progress": progress}), Path.cwd() / OUT, most_seconds)
    out = check_planned(given[OUT], overwrite=given.get("overwrite", False))
    with scratch_beside(out) as scratch:
        return checked(lambda progress: job(**{**given, OUT: scratch, "progress": progress}), scratch, most_seconds)


def check_planned(out: str | Path, *, overwrite: bool) -> Path:
    """Check that a job could write its output, as `check_output` does."""
    return check_output(out, [], overwrite=overwrite, replaceable=lambda path: is_model(path) or is_result(path))


@contextmanager
def scratch_beside(out: Path) -> Iterator[Path]:
    """Yield a path of the same name in a new folder beside an output, on the same disk; the folder is removed."""
    with tempfile.TemporaryDirectory(prefix=".matvae-plan-", dir=out.absolute().parent) as folder:
        yield Path(folder) / out.name


def checked(run: Callable[[Progress], Any], out: Path, most_seconds: float = MOST_SECONDS) -> dict[str, Any]:
    """Rehearse a job, and compare what it will take with what is free.

    Parameters
    ----------
    run : callable
        Runs the job with the ``progress`` it is given.
    out : Path
        Where it writes; tells the disk.
    most_seconds : float
        As in `rehearse`.

    Returns
    -------
    dict
        The attributes of `Plan`; ``free_memory`` and ``free_disk`` in bytes (before the job; None if unknown); and
        ``problems``, a list of sentences that is empty if the job fits.
    """
    free, room = free_memory(), free_room(out)
    plan = rehearse(run, most_seconds=most_seconds)
    problems = []
    if free is not None and plan.memory is not None and plan.memory > free:
        problems.append(
            f"It needs {size_text(plan.memory)} of memory, but {size_text(free)} are free. Close "
            "other programs, start fewer workers, or run it where there is more memory."
        )
    if plan.disk is not None and plan.disk > room and plan.disk_certainty != AT_MOST:
        problems.append(
            f"It needs {size_text(plan.disk)} on the disk, but {size_text(room)} are free. Free "
            "some space, or choose another folder."
        )
    return {**asdict(plan), "free_memory": free, "free_disk": room, "problems": problems}


class _Measured(BaseException):
    """Ends a rehearsed job. No error, so that nothing between handles it as one."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.plan = plan


def rehearse(
    run: Callable[[Progress], Any], *, clock: Callable[[], float] = time.monotonic, most_seconds: float = MOST_SECONDS
) -> Plan:
    """Run a job until its first blocks have been measured, and stop it there.

    Parameters
    ----------
    run : callable
        Runs the job with the ``progress`` it is given.
    clock : callable
        Returns seconds.
    most_seconds : float
        The job is stopped after this time in any case, where the system can (in the main thread, not on Windows).
    """
    meter = Meter(clock)
    last = (0, 0)
    started = clock()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if not last[0] and done:
            alarm.set(max(SECOND_SECONDS, clock() - started))
        last = (done, total)
        plan = meter.measure(done, total)
        if plan is not None:
            raise _Measured(plan)

    def give_up(*_: Any) -> None:
        raise _Measured(meter.stopped(*last))

    def announced(forecast: Forecast) -> None:
        raise _Measured(meter.announced(forecast))

    try:
        with _Alarm(give_up) as alarm, listening(announced):
            alarm.set(most_seconds)
            run(progress)
    except _Measured as end:
        return end.plan
    # All done without a report.
    return replace(meter.stopped(1, 1), done=0, total=0)


class _Alarm:
    """Calls a function in the main thread after some time, unless the block ends before.

    It never does in other threads, and on Windows.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self._function = function
        self._works = os.name == "posix" and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> _Alarm:
        if self._works:
            self._before = signal.signal(signal.SIGALRM, self._function)
        return self

    def set(self, seconds: float) -> None:
        """Call the function after so many seconds from now, and no longer at the time that was set before."""
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def __exit__(self, *_: object) -> None:
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)


def duration(seconds: float) -> str:
    """Put a duration into words, rounded as an estimate deserves: ``"4 min"``."""
    size, unit = next((size, unit) for least, size, unit in UNITS if seconds >= least)
    return f"{float(f'{max(seconds / size, 1):.2g}'):g} {unit}"
