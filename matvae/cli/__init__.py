"""The command line `matvae`: parse, call one job, print. Nothing heavy is imported before a job runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .signals import INTERRUPTED, as_interrupts

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.
    """
    with as_interrupts(to_the_end=arguments is None) as interrupts:
        try:
            # Imported here, so that a signal in the meantime ends the program like any other.
            from .app import run

            run(sys.argv[1:] if arguments is None else arguments)
        except KeyboardInterrupt:
            sys.exit(interrupts.exit_code)
        except SystemExit as end:
            sys.exit(interrupts.exit_code if end.code == INTERRUPTED else end.code)
