"""Too little memory, told from damage: libraries say it in several ways."""

from __future__ import annotations

import errno

# In messages of Python, torch on the CPU, torch on a GPU, and the loader of libraries.
SHORTAGES = (
    "can't start new thread",
    "error return without exception set",
    "can't allocate memory",
    "out of memory",
    "failed to map segment",
)


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that there is too little memory, as libraries do in several ways.

    Parameters
    ----------
    error : BaseException
        For example the `RuntimeError` of torch, or that of Python if there is no memory for another thread.
    """
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = SHORTAGES if isinstance(error, RuntimeError | SystemError | ImportError) else ()
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def raise_shortage(error: Exception) -> None:
    """Raise MemoryError for an error that means too little memory, before it is taken for damage.

    Raises
    ------
    MemoryError
        If `is_shortage`.
    """
    if is_shortage(error):
        raise MemoryError(str(error)) from error
