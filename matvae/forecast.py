"""Forecasts of how long work will take, announced by the work itself to whoever listens.

The first blocks of most jobs tell how long the others will take. Those of a training do not: it begins on coarse grids,
where a step takes a fraction of one on the full grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Forecast:
    """What work will take from now on.

    Attributes
    ----------
    seconds : float
        Until its end.
    work : str
        What there is to do, such as ``"20 passes over 900 structures"``.
    measured_seconds : float
        How long it took to measure this.
    is_limit : bool
        Whether the work may end earlier.
    """

    seconds: float
    work: str
    measured_seconds: float = 0.0
    is_limit: bool = False


# Returns True if the work shall end here, without having been done.
Listener = Callable[[Forecast], bool | None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Pass the forecasts that work in the block announces to this function, or with None to nobody."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def has_listener() -> bool:
    """Whether somebody listens: otherwise nothing needs to be measured."""
    return _listener.get() is not None


def announce(forecast: Forecast) -> bool:
    """Tell whoever listens, and return whether the work shall end here."""
    listener = _listener.get()
    return listener is not None and bool(listener(forecast))
