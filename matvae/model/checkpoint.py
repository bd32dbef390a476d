"""Training state on disk: written atomically, verified, and read without executing code from the file.

A file consists of a SHA-256 digest and the output of `torch.save`, which by itself does not detect a flipped bit.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError, StoreError
from ..files import atomic_output
from ..room import check_room
from ..shortage import raise_shortage

SCHEMA = 1
DIGEST_BYTES = hashlib.sha256().digest_size


def check_folder(path: str | os.PathLike[str], state_bytes: int, model_bytes: int) -> None:
    """Refuse, before any work is done, a checkpoint that could not be written, or the model after it.

    Parameters
    ----------
    path : path
        The checkpoint; the model is supposed to be written beside it.
    state_bytes, model_bytes : int
        Sizes of the training state and of the model.

    Raises
    ------
    StoreError
        If the folder does not exist or cannot be written.
    InputError
        If there is too little room in it.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StoreError(
            f"The checkpoint {path} needs the folder {folder}, which does not exist or cannot be written. "
            "Create it, or choose another one."
        )
    check_room(path, total_bytes(state_bytes, model_bytes), largest=state_bytes, what="This training")


def total_bytes(state_bytes: int, model_bytes: int) -> int:
    """Most bytes that a training takes on the disk: a new state is complete before it replaces the old one."""
    return 2 * state_bytes + model_bytes


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write `state` next to `path` and move it there when it is complete.

    A process killed at any moment leaves the previous checkpoint or the new one, never a torn file.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    MemoryError
        If there is too little memory for a copy of the state.
    """
    target = Path(path)
    buffer = io.BytesIO()
    try:
        torch.save({"schema": SCHEMA, **state}, buffer)
    except RuntimeError as error:
        # A buffer in memory fails for want of memory alone, which torch calls an unexpected position.
        raise MemoryError(str(error)) from error
    try:
        with atomic_output(target) as temporary, open(temporary, "wb") as file:
            file.write(hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except StoreError:
        # Another process is writing it.
        raise
    except OSError as error:
        raise StoreError(
            f"The checkpoint {target} cannot be written ({error}). Choose a folder with space and write permission."
        ) from error


def load_checkpoint(path: str | os.PathLike[str], fingerprint: str) -> dict[str, Any]:
    """Read a training state and check that it belongs to this training run.

    Parameters
    ----------
    path : path
    fingerprint : str
        Identifies data and parameters; must equal the one that was saved.

    Raises
    ------
    StoreError
        If the file is damaged or was written by another version.
    InputError
        If it belongs to another training run.
    """
    try:
        content = memoryview(Path(path).read_bytes())
        digest, payload = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != digest:
            raise ValueError("its checksum does not match")
        # Stated explicitly: an environment variable can disable torch's safe default.
        state = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # What torch says of it suggests to run the code.
        raise StoreError(
            f"The checkpoint {path} cannot be read: it holds something other than numbers. Delete it to start over, or "
            "name another one."
        ) from error
    except (OSError, ValueError, LookupError, RuntimeError, EOFError) as error:
        raise_shortage(error)
        raise StoreError(
            f"The checkpoint {path} cannot be read ({error}). It is damaged or not a checkpoint: delete it to "
            "start over, or name another one."
        ) from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise StoreError(
            f"The checkpoint {path} was written by another version of matvae. Delete it, or name another one."
        )
    if state.get("fingerprint") != fingerprint:
        raise InputError(
            f"The checkpoint {path} belongs to a training run on other data or with other parameters, so it "
            "cannot be resumed here. Use the same ones, delete it to start over, or name another checkpoint."
        )
    return state
