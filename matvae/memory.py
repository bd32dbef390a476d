"""Check that a job fits into memory, before hours of work."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError
from .sizes import size_text

PROCESSES = Path("/proc")
MEMINFO = PROCESSES / "meminfo"
# Of a container (control groups, version 2).
LIMIT = Path("/sys/fs/cgroup/memory.max")


def free_memory(device: str = "cpu") -> int | None:
    """Bytes that a new job may allocate, or None if the system does not tell.

    Parameters
    ----------
    device : str
        ``"cpu"`` or a GPU as torch names it.
    """
    if device != "cpu":
        import torch

        return int(torch.cuda.mem_get_info(device)[0]) if device.startswith("cuda") else None
    limits = [limit for limit in (_available(), _allowed()) if limit is not None]
    return min(limits) if limits else None


def check_memory(needed: int, *, device: str, what: str, remedy: str) -> None:
    """Refuse a job that does not fit into memory.

    Parameters
    ----------
    needed : int
        Estimated bytes.
    device : str
        As in `free_memory`.
    what : str
        Name of the job, for the message.
    remedy : str
        Advice on how to need less.

    Raises
    ------
    InputError
        If less is free. Nothing is refused if the system does not tell.
    """
    free = free_memory(device)
    if free is not None and free < needed:
        raise InputError(
            f"{what} needs about {size_text(needed)} of memory, but {size_text(free)} are free on {device}. {remedy}"
        )


def peak_memory() -> int | None:
    """Most memory in bytes that this process and those it started, such as workers, have taken, or None if unknown.

    Of other systems than Linux, the workers are left out.
    """
    if (PROCESSES / "self" / "status").exists():
        return sum(_peak_of(pid) for pid in _family(os.getpid()))
    if os.name != "posix":
        return None
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _family(pid: int) -> list[int]:
    """A process and all that it started, directly or not."""
    try:
        children = [int(word) for task in PROCESSES.glob(f"{pid}/task/*/children") for word in task.read_text().split()]
    except OSError:
        # It has just ended.
        children = []
    return [pid, *(relative for child in children for relative in _family(child))]


def _peak_of(pid: int) -> int:
    try:
        lines = (PROCESSES / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _available() -> int | None:
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        # Not Linux. Python cannot tell what is free, so take the total.
        if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
            return None
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else None


def _allowed() -> int | None:
    # Memory already used below the limit is not subtracted: most of it may be page cache, which can be reclaimed.
    try:
        limit = LIMIT.read_text().strip()
    except OSError:
        return None
    return None if limit == "max" else int(limit)
