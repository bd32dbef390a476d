from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")

# In a process of its own: another thread than the first one has its large arrays from elsewhere.
PROGRAM = """
import resource
import psutil, torch
from matvae.model.heap import kept_heap

def page_faults(n):
    # Pages that the system provides for an array of 64 MiB that is made and freed n times.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        torch.ones(16 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return psutil.Process().memory_info().rss

outside, before = page_faults(8), resident()
try:
    with kept_heap():
        page_faults(4)
        inside, kept = page_faults(8), resident()
        raise ZeroDivisionError
except ZeroDivisionError:
    print(outside * resource.getpagesize(), inside * resource.getpagesize(), kept - before, resident() - before)
"""


def test_memory_is_used_again_and_given_back_at_the_end_even_after_an_error():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    outside, inside, kept, at_end = map(int, ran.stdout.split())
    size = 64 << 20
    if outside < 4 * size:
        pytest.skip("this system provides memory in huge pages")
    assert inside < outside / 2
    assert kept > 0.9 * size
    assert at_end < 0.1 * size
