"""Start several processes on this machine that do one job together, and follow them until all have ended."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, NoReturn

import torch
from torch import distributed

from ..errors import MatvaeError
from ..model.ranks import RankLostError
from ..warn import warn

logger = logging.getLogger("matvae")
# After one rank has ended with an error, or an interrupt, the others have so long to save and end by themselves.
GRACE_SECONDS = 20.0
HOST = "127.0.0.1"

Work = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Worker:
    """One rank: its process, and the connection over which it reports."""

    process: Any
    reports: Connection


def start_ranks(
    count: int, work: Work, options: Mapping[str, Any], listeners: Mapping[str, Callable[..., Any]]
) -> dict[str, Any]:
    """Do a job in several processes, and return what the first returns.

    The processes find in their environment what `joined_ranks` needs. What the first one logs and warns of appears
    here. All end if this process ends.

    Parameters
    ----------
    count : int
        Number of processes.
    work : callable
        Function of a module, called in each process with `options`, with ``report``, a function that calls one of the
        listeners by its name with further arguments, and with ``on_lost`` for `joined_ranks`.
    options : mapping
        Can be pickled.
    listeners : mapping of str to callable
        Called here.

    Raises
    ------
    RankLostError
        If a process was killed, naming it; the others have been ended.
    KeyboardInterrupt
        On Ctrl-C, after the first process has saved its state.
    Exception
        The error that a process raised.
    """
    context = multiprocessing.get_context("spawn")
    listening = socket.create_server((HOST, 0))
    port = listening.getsockname()[1]
    store = distributed.TCPStore(
        HOST, port, is_master=True, wait_for_workers=False, master_listen_fd=listening.detach()
    )
    workers: list[Worker] = []
    try:
        for number in range(count):
            reports, sender = context.Pipe(duplex=False)
            process = context.Process(
                target=_be_rank, args=(work, dict(options), number, count, port, sender), daemon=True
            )
            with _interrupts_ignored():
                # Inherited, so that a process which is still starting does not print a traceback on Ctrl-C.
                process.start()
            sender.close()
            workers.append(Worker(process, reports))
        return _Followed(workers, listeners).result()
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()
            worker.reports.close()
        del store


class _Followed:
    """Workers that are followed until all have ended, or for a while after one has failed."""

    def __init__(self, workers: list[Worker], listeners: Mapping[str, Callable[..., Any]]) -> None:
        self.workers = workers
        self.listeners: dict[str, Callable[..., Any]] = {
            **listeners,
            "ready": self._is_ready,
            "log": logger.log,
            "warn": warn,
        }
        self.open = {worker.reports: number for number, worker in enumerate(workers)}
        self.errors: dict[int, BaseException] = {}
        self.results: dict[int, dict[str, Any]] = {}
        self.deadline: float | None = None
        self.can_be_interrupted = False

    def result(self) -> dict[str, Any]:
        """Result of the first worker, or the error that comes first."""
        try:
            self._follow()
        except KeyboardInterrupt:
            if not self.can_be_interrupted:
                raise
            # The state is the same on every rank, and the first one saves it.
            with suppress(ProcessLookupError):
                os.kill(self.workers[0].process.pid, signal.SIGINT)
            self._limit_time()
            self._follow()
            if 0 not in self.results and 0 not in self.errors:
                raise
        if 0 in self.results:
            return self.results[0]
        # What ranks say that only lost another one explains nothing.
        if own := [error for error in self.errors.values() if not isinstance(error, RankLostError)]:
            raise own[0]
        for number, worker in enumerate(self.workers):
            if number not in self.errors and worker.process.exitcode:
                raise RankLostError(_end_of(number, len(self.workers), worker.process))
        raise next(iter(self.errors.values()))

    def _follow(self) -> None:
        """Pass reports on, until all workers have ended, the first one has its result, or the time is over."""
        while self.open and 0 not in self.results:
            timeout = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
            ready: list[Any] = wait(list(self.open), timeout)
            if not ready:
                return
            for reports in ready:
                number = self.open[reports]
                try:
                    name, arguments = reports.recv()
                except (EOFError, ConnectionError):
                    del self.open[reports]
                    self.workers[number].process.join(GRACE_SECONDS)
                    self._limit_time()
                    continue
                if name == "error":
                    self.errors[number] = arguments[0]
                elif name == "result":
                    self.results[number] = arguments[0]
                else:
                    self.listeners[name](*arguments)

    def _is_ready(self) -> None:
        self.can_be_interrupted = True

    def _limit_time(self) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + GRACE_SECONDS


def _end_of(number: int, count: int, process: Any) -> str:
    code = process.exitcode
    name = f"Rank {number} of {count} (process {process.pid})"
    if code < 0:
        cause = " Often memory ran out; then use fewer processes or smaller batches." if code == -signal.SIGKILL else ""
        return f"{name} was killed by {signal.Signals(-code).name}, and the others were ended.{cause}"
    return f"{name} failed with exit code {code}; its output above says why. The others were ended."


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set how signals are handled.
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Reports(logging.Handler):
    """Reports of a worker, among them all that it logs."""

    def __init__(self, sender: Connection) -> None:
        super().__init__()
        self.sender, self.sending = sender, threading.Lock()

    def send(self, name: str, *arguments: Any) -> None:
        with self.sending:
            self.sender.send((name, arguments))

    def send_last(self, error: BaseException) -> None:
        # Whoever started the ranks may have been killed: then nobody needs to know.
        with suppress(BrokenPipeError):
            self.send("error", error)

    def emit(self, record: logging.LogRecord) -> None:
        self.send("log", record.levelno, "%s", record.getMessage())


def _be_rank(work: Work, options: dict[str, Any], number: int, count: int, port: int, sender: Connection) -> NoReturn:
    """Run in a new process: do the work, and report."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN if number else _interrupt)
    os.environ.update(
        RANK=str(number),
        LOCAL_RANK=str(number),
        WORLD_SIZE=str(count),
        MASTER_ADDR=HOST,
        MASTER_PORT=str(port),
        # The store is in the process that starts the ranks.
        TORCHELASTIC_USE_AGENT_STORE=str(True),
    )
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // count))
    reports = _Reports(sender)

    def lost(error: MatvaeError) -> None:
        reports.send_last(error)
        os._exit(1)

    if number == 0:
        reports.send("ready")
        logger.addHandler(reports)
        logger.setLevel(logging.INFO)
        warnings.showwarning = lambda message, *_, **__: reports.send("warn", str(message))
    else:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    try:
        result = work(**options, report=reports.send, on_lost=lost)
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        if isinstance(error, MatvaeError | KeyboardInterrupt) or type(error).__module__ == "builtins":
            # Anything else may not survive the way to another process.
            reports.send_last(error)
        else:
            traceback.print_exc()
        os._exit(1)
    reports.send("result", result)
    sys.exit(0)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A terminal and the parent may both send one, and the second must not interrupt the saving.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
