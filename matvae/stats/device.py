"""Choice of the device to compute on."""

from __future__ import annotations

import torch

from ..errors import InputError


def resolve_device(name: str) -> torch.device:
    """Return the device of a name; ``"auto"`` is the first GPU if one is available, otherwise the CPU.

    Raises
    ------
    InputError
        If torch does not know the name, or the device is not available.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        # Reading a value back excludes devices such as "meta", which accept arrays but store no data.
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(
            f'device must be "auto", "cpu", "cuda" or "cuda:1" and be available, but {name!r} was given '
            f"({str(error).splitlines()[0]})."
        ) from error
    return device
