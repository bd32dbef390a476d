"""Names from data in pictures: no mathematics in them, and none too long."""

from __future__ import annotations

MOST = 48


def label_text(name: object, unit: str | None = None) -> str:
    """A name as matplotlib draws it letter by letter, with its unit.

    Parameters
    ----------
    name : object
        Anything; a name in a store may hold what matplotlib takes for mathematics, or several lines.
    unit : str, optional
        ``"1"`` is none.

    Returns
    -------
    str
    """
    text = " ".join(str(name).split())
    text = text if len(text) <= MOST else text[: MOST - 1] + "…"
    if unit and unit != "1":
        text += f" / {' '.join(unit.split())[:MOST]}"
    return text.replace("$", r"\$")
