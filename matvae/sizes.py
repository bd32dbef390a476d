"""Sizes in bytes as text."""

from __future__ import annotations


def size_text(n_bytes: int) -> str:
    """Describe a size with a decimal prefix and three significant digits.

    Parameters
    ----------
    n_bytes : int
        At least 0.

    Returns
    -------
    str
        Such as ``"608 bytes"``, ``"26.2 kB"`` or ``"1.5 GB"``.
    """
    size = float(n_bytes)
    if size < 1000:
        return f"{n_bytes} byte{'' if n_bytes == 1 else 's'}"
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.3g} EB"
