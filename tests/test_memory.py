"""Free memory as reported by the system, and refusals if it is insufficient."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from matvae import memory
from matvae.errors import InputError
from matvae.memory import check_memory, free_memory, peak_memory


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Simulate a system that has only the files whose text is passed."""

    def simulate(meminfo=None, limit=None):
        for name, text in (("MEMINFO", meminfo), ("LIMIT", limit)):
            file = tmp_path / name
            monkeypatch.setattr(memory, name, file)
            if text is not None:
                file.write_text(text)

    return simulate


MEMINFO = "MemTotal:       16000 kB\nMemFree:  100 kB\nMemAvailable:    8000 kB\n"


@pytest.mark.parametrize(
    ("meminfo", "limit", "expected"),
    [
        (MEMINFO, None, 8000 * 1024),
        (MEMINFO, "max\n", 8000 * 1024),
        (MEMINFO, "1000000\n", 1_000_000),
        (MEMINFO, "100000000000\n", 8000 * 1024),
        ("MemTotal: 16000 kB\n", None, None),
    ],
)
def test_free_memory_is_the_available_part_within_the_limit(system, meminfo, limit, expected):
    system(meminfo, limit)
    assert free_memory() == expected


def test_free_memory_of_other_systems_is_the_total_or_unknown(system, monkeypatch):
    system()
    assert free_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(os, "sysconf_names", {})
    assert free_memory() is None


def test_memory_of_other_accelerators_is_unknown():
    assert free_memory("mps") is None


def test_too_little_memory_is_refused_with_both_numbers(system):
    system(MEMINFO)
    check_memory(8_000_000, device="cpu", what="This", remedy="Take less.")
    with pytest.raises(InputError, match=r"^This needs about 2\.5 GB .* [\d.]+ \w+ are free on cpu\. Take less\.$"):
        check_memory(2_500_000_000, device="cpu", what="This", remedy="Take less.")


def test_nothing_is_refused_if_free_memory_is_unknown(system, monkeypatch):
    system()
    monkeypatch.setattr(os, "sysconf_names", {})
    check_memory(10**18, device="cpu", what="This", remedy="")


def test_the_peak_is_that_of_a_process_and_all_that_it_started(tmp_path, monkeypatch):
    own = os.getpid()
    for pid, children, peak in ((own, "2 3", 100), (2, "4", 20), (3, "", 3), (4, "5", 7)):
        (tmp_path / str(pid) / "task" / str(pid)).mkdir(parents=True)
        (tmp_path / str(pid) / "task" / str(pid) / "children").write_text(children)
        (tmp_path / str(pid) / "status").write_text(f"Name:\tpython\nVmHWM:\t  {peak} kB\nVmRSS:\t 1 kB\n")
    (tmp_path / "self").symlink_to(tmp_path / str(own))
    monkeypatch.setattr(memory, "PROCESSES", tmp_path)
    # Process 5 has ended.
    assert peak_memory() == 130 * 1024


def test_the_peak_of_this_process_covers_what_it_has_held():
    before = peak_memory()
    if before is None:
        pytest.skip("unknown on this system")
    held = np.ones(max(before, 50_000_000) // 8)
    assert peak_memory() >= held.nbytes
    del held
    assert peak_memory() >= before


def test_other_systems_tell_the_peak_of_this_process(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(memory, "PROCESSES", tmp_path)
    unit = 1 if sys.platform == "darwin" else 1024
    assert peak_memory() == unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
