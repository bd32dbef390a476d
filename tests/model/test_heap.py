from __future__ import annotations

import platform
import resource

import psutil
import pytest
import torch

from matvae.model.heap import kept_heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")

SIZE = 64 << 20
N_PAGES = SIZE // resource.getpagesize()


def page_faults(n):
    """Pages that the system has to provide for an array of 64 MiB that is made and freed n times."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        torch.ones(SIZE // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident():
    return psutil.Process().memory_info().rss


def use_and_fail(seen):
    page_faults(1)
    seen.append(resident())
    raise ZeroDivisionError


def test_memory_is_used_again():
    outside = page_faults(8)
    if outside < 4 * N_PAGES:
        pytest.skip("this system provides memory in huge pages, or keeps it already")
    with kept_heap():
        page_faults(4)
        assert page_faults(8) < outside / 2


def test_memory_is_given_back_at_the_end_even_after_an_error():
    before, kept = resident(), []
    with pytest.raises(ZeroDivisionError), kept_heap():
        use_and_fail(kept)
    assert kept[0] - before > 0.9 * SIZE
    assert resident() - before < 0.1 * SIZE
