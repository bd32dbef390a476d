"""The real command line under faults: every test starts `matvae` as a process, and its rows make a table.

A test prepares a folder, runs or starts a command in it with limits or signals, and passes the outcome to `check`,
which adds a row to the table and asserts what holds for every fault: the exit code, one error instead of a traceback,
and no partial output left.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "from matvae.cli import main\nmain()"
# Saves the state of training after every step instead of every half minute, so that a test need not wait for it.
EAGER = """
from dataclasses import dataclass
from matvae.estimator import training

@dataclass(frozen=True)
class Eager(training.TrainingSettings):
    checkpoint_seconds: float = 0.0

training.TrainingSettings = Eager
"""
# Seconds after which a command hangs; no test fails because a machine is slow.
PATIENCE = 900
NOISE = ("Traceback", "Event loop is closed", "was never awaited", "Task was destroyed", "Exception ignored")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """Last line on stderr, or else on stdout."""
        return (self.err.strip() or self.out.strip() or "-").splitlines()[-1]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    expected: str
    code: int
    last: str
    ok: bool


@dataclass
class Table:
    """Rows of all tests of the session."""

    rows: list[Row] = field(default_factory=list)

    def check(
        self,
        what: str,
        outcome: Outcome,
        code: int | Sequence[int],
        says: str = "",
        *,
        folder: Path | None = None,
        holds: bool = True,
        threads_may_fail: bool = False,
    ) -> None:
        """Add a row and assert it.

        Parameters
        ----------
        what : str
            What was done, for the table.
        outcome : Outcome
            How the command ended.
        code : int or sequence of int
            Exit codes that are right.
        says : str
            What stderr must contain.
        folder : Path, optional
            Folder in which no partial output may remain.
        holds : bool
            What else the test requires.
        threads_may_fail : bool
            Whether a thread may report its own failure before the command reports that of the job.
        """
        codes = (code,) if isinstance(code, int) else tuple(code)
        left = [] if folder is None else [name for name in os.listdir(folder) if name.endswith(".partial")]
        noise = [] if threads_may_fail else [word for word in NOISE if word in outcome.err]
        ok = outcome.code in codes and says in outcome.err and not left and not noise and holds
        self.rows.append(Row(what, " or ".join(map(str, codes)), outcome.code, outcome.last, ok))
        assert outcome.code in codes, outcome
        assert says in outcome.err, outcome.err
        assert not noise, outcome.err
        assert not left
        assert holds, what


_tables = pytest.StashKey[Table]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_tables] = Table()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            # On a machine that is busy with something else, a row takes many times as long.
            item.add_marker(pytest.mark.timeout(3600))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[_tables].rows
    if not rows:
        return
    terminalreporter.section("faults")
    cells = [("what was done", "expected", "code", "", "last line")]
    cells += [(row.what, row.expected, str(row.code), "ok" if row.ok else "FAILED", row.last[:110]) for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    for row in cells:
        terminalreporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    terminalreporter.write_line(f"{len(rows)} faults, of which {sum(not row.ok for row in rows)} failed")


@pytest.fixture
def check(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`Table.check` of the table of this session."""
    return request.config.stash[_tables].check


def contents(path: Path) -> dict[str, bytes]:
    """What a file or all files of a folder hold, by their names."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files}


class Started:
    """A command that runs.

    Parameters
    ----------
    process : subprocess.Popen
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait_for(self, happened: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Wait until something has happened; fail if the command ends before."""
        deadline = time.monotonic() + timeout
        while not happened():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"It did not happen; the command said: {self.end()}")
            time.sleep(0.01)

    def signal(self, number: int) -> None:
        """Send a signal, unless the command has ended."""
        self.process.send_signal(number)

    def limit(self, which: int, value: int) -> None:
        """Set a limit of the running command, such as `resource.RLIMIT_FSIZE`."""
        resource.prlimit(self.process.pid, which, (value, value))

    def end(self, timeout: float = PATIENCE) -> Outcome:
        """Wait until the command ends."""
        out, err = self.process.communicate(timeout=timeout)
        return Outcome(self.process.returncode, out or "", err or "")


Starter = Callable[..., Started]


@pytest.fixture
def start() -> Iterator[Starter]:
    """Start `matvae ARGUMENTS` with limits; what still runs at the end of the test is killed."""
    started: list[Started] = []

    def start(
        *arguments: Any,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        file_size: int | None = None,
        memory: int | None = None,
        before: str = "",
        prefix: Sequence[str] = (),
        **options: Any,
    ) -> Started:
        """Start a command.

        Parameters
        ----------
        *arguments
            Of the command line.
        cwd : Path
            Folder in which it runs.
        env : mapping, optional
            Further environment variables.
        file_size, memory : int, optional
            Largest size of a file, and of the address space, in bytes.
        before : str
            Python that runs before the command line.
        prefix : sequence of str
            Program, with its arguments, that runs the command.
        **options
            Of `subprocess.Popen`.
        """

        def prepare() -> None:
            # Background jobs of a shell ignore Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for which, value in ((resource.RLIMIT_FSIZE, file_size), (resource.RLIMIT_AS, memory)):
                if value is not None:
                    resource.setrlimit(which, (value, value))

        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", before + PROGRAM, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **(env or {})},
            preexec_fn=prepare,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        started.append(Started(process))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


@pytest.fixture
def run(start: Starter) -> Callable[..., Outcome]:
    """Run `matvae ARGUMENTS` to its end; takes what `start` takes, and a timeout in seconds."""

    def run(*arguments: Any, timeout: float = PATIENCE, **options: Any) -> Outcome:
        return start(*arguments, **options).end(timeout)

    return run


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Structures ``l.zarr``, twelve files of them ``many.zarr``, and a model ``m.matvae`` of the first."""
    folder = tmp_path_factory.mktemp("made")
    for arguments in (
        "dataset make lines l.zarr --n 60 --size 32",
        "dataset make lines many.zarr --n 50000 --size 64",
        "fit l.zarr -o m.matvae --n-components 2 --width 16 --decoder dense --max-epochs 1",
    ):
        subprocess.run([sys.executable, "-c", PROGRAM, *arguments.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of what `made` describes, without the many files."""
    for name in ("l.zarr", "m.matvae"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path
