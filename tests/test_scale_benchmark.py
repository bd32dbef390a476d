"""The benchmark of scale, `make bench-scale`, on few structures: that it runs, and what its figures are made of."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed")
SCRIPT = Path(__file__).parent / "benchmarks" / "scale.py"


@pytest.fixture(scope="module")
def scale():
    spec = importlib.util.spec_from_file_location("scale", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules["scale"] = module
    spec.loader.exec_module(module)
    return module


def test_a_run_knows_the_memory_and_time_of_all_its_processes(scale, monkeypatch):
    child = "import numpy, time; x = numpy.ones(10_000_000); time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    with subprocess.Popen([sys.executable, "-c", parent]) as process:
        watched = scale.Watched(process.pid)
        process.wait()
        peak = watched.stop()
    assert 80e6 < peak < 400e6


def test_ratios_are_free_of_start_up(scale):
    one = scale.Pair(scale.Run(10, 8, 500), scale.Run(40, 32, 510), 300)
    two = scale.Pair(scale.Run(12, 9, 800), scale.Run(27, 33, 840), 300)
    assert one.speed == 10
    assert two.speed == 20
    assert one.cpu_speed == 12.5
    assert one.growth == pytest.approx(1.02)
    assert scale.ratio(two.speed, one.speed) == "2.00"


def test_kernels_are_measured_on_data_in_memory(scale):
    assert scale.kernel_speed(np.eye(80, dtype=np.uint8)[None].repeat(4, 0), seconds=0.01) > 1


@pytest.mark.slow
def test_the_table_of_volumes_is_printed():
    command = [sys.executable, SCRIPT, "--only", "volume", "--volume", "64", "--workers", "0"]
    table = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200).stdout
    lines = [line for line in table.splitlines() if line.startswith(("import of", "stats"))]
    assert len(lines) == 2
    assert table.count("peak memory") == 2
