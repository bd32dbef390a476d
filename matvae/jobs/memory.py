"""Whether a training fits the memory there is, asked before hours of work."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InputError

MEMINFO = Path("/proc/meminfo")
# Of a container (control groups, version 2).
LIMIT = Path("/sys/fs/cgroup/memory.max")


def free_memory(device: str = "cpu") -> int | None:
    """Bytes that a new job may take, or None where the system does not tell.

    Parameters
    ----------
    device : str
        ``"cpu"`` or a GPU as torch names it.
    """
    if device != "cpu":
        import torch

        return int(torch.cuda.mem_get_info(device)[0]) if device.startswith("cuda") else None
    known = [n for n in (_available(), _allowed()) if n is not None]
    return min(known) if known else None


def check_memory(needed: int, *, device: str, what: str, remedy: str) -> None:
    """Refuse what does not fit.

    Parameters
    ----------
    needed : int
        Bytes, estimated.
    device : str
        As in `free_memory`.
    what : str
        What needs them, for the message.
    remedy : str
        What takes less.

    Raises
    ------
    InputError
        If less is free. Where the system does not tell, nothing is refused.
    """
    free = free_memory(device)
    if free is not None and free < needed:
        raise InputError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory, but {free / 1e9:.1f} GB are free on {device}. "
            f"{remedy}"
        )


def _available() -> int | None:
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        # Not on Linux, and no call of Python's own tells what is free: all there is.
        if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
            return None
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return 1024 * kilobytes[0] if kilobytes else None


def _allowed() -> int | None:
    # What is used below the limit is not taken off: most of it may be files that are given up when memory is short.
    try:
        limit = LIMIT.read_text().strip()
    except OSError:
        return None
    return None if limit == "max" else int(limit)
