"""Training state on disk: written whole or not at all, and read without running code from the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError, StoreError

SCHEMA = 1


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write `state` beside `path` and move it there when it is complete.

    A process killed at any moment leaves the previous checkpoint or the new one, never a torn file.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            torch.save({"schema": SCHEMA, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(
            f"The checkpoint {target} cannot be written ({error}). Choose a folder with space and write permission."
        ) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load_checkpoint(path: str | os.PathLike[str], fingerprint: str) -> dict[str, Any]:
    """Read a training state and check that it belongs to this training.

    Parameters
    ----------
    path : path
    fingerprint : str
        What identifies data and parameters; must equal the one that was saved.

    Raises
    ------
    StoreError
        If the file is damaged or of another version.
    InputError
        If it belongs to another training.
    """
    try:
        # Said explicitly: an environment variable can turn torch's safe default off.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises a dozen types for a damaged file
        raise StoreError(
            f"The checkpoint {path} cannot be read ({type(error).__name__}). It is damaged: delete it to start over."
        ) from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise StoreError(f"The checkpoint {path} is of another version of matvae. Delete it to start over.")
    if state.get("fingerprint") != fingerprint:
        raise InputError(
            f"The checkpoint {path} belongs to a training on other data or with other parameters, so it cannot be "
            "resumed here. Use the same ones, delete it to start over, or name another checkpoint."
        )
    return state
