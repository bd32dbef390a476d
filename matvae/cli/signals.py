"""Signals that end a command: Ctrl-C, and SIGTERM, which SLURM and Kubernetes send before they kill a process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 128 + signal.SIGINT
# Until an interrupt that came to nothing is repeated.
AGAIN_SECONDS = 0.05


class Interrupts:
    """What `as_interrupts` has received."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        self._report = sys.unraisablehook
        self._again: threading.Timer | None = None

    def raise_interrupt(self, number: int, frame: FrameType | None) -> None:
        """Unwind the command, so that states are saved and partial outputs removed."""
        self.exit_code = 128 + number
        # A second SIGTERM, as some schedulers send it, must not interrupt the saving; a second Ctrl-C may.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # zarr may have made a coroutine that it has not begun.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        raise KeyboardInterrupt

    def repeat(self, unraisable: Any) -> None:
        """Take the place of `sys.unraisablehook`: Python goes on after an exception in a destructor.

        The signal is sent again, to arrive outside of it.
        """
        if unraisable.exc_type is not KeyboardInterrupt:
            self._report(unraisable)
            return
        number = self.exit_code - 128
        signal.signal(number, self.raise_interrupt)
        self._again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
        self._again.daemon = True
        self._again.start()

    def end(self) -> None:
        """Send nothing any more."""
        sys.unraisablehook = self._report
        if self._again is not None:
            self._again.cancel()


@contextmanager
def as_interrupts(*, to_the_end: bool) -> Iterator[Interrupts]:
    """Raise KeyboardInterrupt in the block on SIGTERM as on Ctrl-C, unless the process was started to ignore them.

    Parameters
    ----------
    to_the_end : bool
        Whether the process ends after the block: its exit code is known then, and signals no longer change it.
        Otherwise, signals are handled as before.

    Yields
    ------
    Interrupts
        Its ``exit_code`` is 130, or 143 after SIGTERM.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may handle signals.
        yield interrupts
        return
    handled = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupts.raise_interrupt) for number in handled}
    sys.unraisablehook = interrupts.repeat
    try:
        yield interrupts
    finally:
        interrupts.end()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if to_the_end else handler)
