from __future__ import annotations

import platform
import resource

import pytest
import torch

from matvae.model.heap import kept_heap

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")

N_PAGES = (64 << 20) // resource.getpagesize()


def page_faults(n):
    """Pages that the system has to provide for an array of 64 MB that is made and freed n times."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        torch.ones(16 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def fails():
    page_faults(1)
    raise ZeroDivisionError


def test_memory_is_used_again_only_inside_the_context():
    outside = page_faults(8)
    if outside < 4 * N_PAGES:
        pytest.skip("this system provides memory in huge pages")
    with kept_heap():
        page_faults(4)
        assert page_faults(8) < outside / 2
    assert page_faults(8) > 0.9 * outside


def test_memory_is_given_back_after_an_error():
    outside = page_faults(8)
    with pytest.raises(ZeroDivisionError), kept_heap():
        fails()
    assert page_faults(8) > 0.9 * outside
