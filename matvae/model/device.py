"""Device and precision of computations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

PRECISIONS = ("auto", "float32", "bfloat16")
# Compilation takes about a minute: it pays off on a GPU, for training of at least this many steps and seconds.
COMPILE_STEPS = 5000
COMPILE_SECONDS = 600.0


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Context that sets the precision of networks: bfloat16 on a GPU by default, float32 elsewhere."""
    if precision == "bfloat16" or (precision == "auto" and device.type == "cuda"):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def place(module: nn.Module, device: torch.device) -> nn.Module:
    """Move a module to a device; on a GPU in channels-last memory format, in which convolutions are faster."""
    if device.type == "cuda" and any(isinstance(part, nn.Conv2d) for part in module.modules()):
        return module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module.to(device=device)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Context that flushes denormal numbers to zero: they slow a CPU down tenfold and change nothing."""
    # torch does not expose the current state; whether a denormal survives does.
    flushed_before = torch.tensor(1e-310, dtype=torch.float64).mul(0.5).item() == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed_before)
