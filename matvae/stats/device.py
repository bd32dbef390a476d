"""Where to compute."""

from __future__ import annotations

import torch

from ..errors import InputError


def resolve_device(device: str) -> torch.device:
    """The device of a name; ``"auto"`` takes the first GPU there is, else the CPU.

    Raises
    ------
    InputError
        If torch does not know the name, or the device is not there.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("cpu")
    try:
        found = torch.device(device)
        # A value must come back: the device "meta", for one, takes arrays but holds nothing.
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(
            f'device must be "auto", "cpu", "cuda" or "cuda:1" and be present, but {device!r} was given '
            f"({str(error).splitlines()[0]})."
        ) from error
    return found
