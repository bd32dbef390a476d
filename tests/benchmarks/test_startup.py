"""Start-up time of the package and of the command line."""

from __future__ import annotations

import subprocess
import sys
import time

from .ratios import interleaved, report


def test_time_of_starting_up():
    work = {
        "python": lambda: run("pass"),
        "import": lambda: run("import matvae"),
        "help": lambda: run("from matvae.cli import main; main()", "--help"),
        "numpy": lambda: run("import numpy"),
    }
    times = interleaved(work, rounds=5)
    report("import matvae, seconds beyond a bare interpreter", times["import"] - times["python"], "< 0.3")
    report("matvae --help, seconds in all", times["help"], "< 0.6")
    report("matvae --help / import numpy", times["help"] / times["numpy"], "-")


def run(code: str, *arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began
