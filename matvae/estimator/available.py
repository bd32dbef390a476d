"""Methods that an estimator has only after some fits."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any, cast

from ..errors import InputError


class UnavailableError(InputError, AttributeError):
    """A method that this estimator does not have after this fit; ``hasattr`` is False then, as scikit-learn has it."""


def available_if(check: Callable[[Any], None]) -> Callable[[Callable[..., Any]], Any]:
    """Make a method available only where a check accepts the estimator.

    scikit-learn's decorator of this name raises an AttributeError in words of its own; this one says why.

    Parameters
    ----------
    check : callable
        Takes the estimator, and raises an InputError that says why it does not have the method.

    Returns
    -------
    callable
        Decorator of the method.
    """
    return lambda method: _Available(check, method)


class _Available:
    def __init__(self, check: Callable[[Any], None], method: Callable[..., Any]) -> None:
        self.check, self.method = check, method
        update_wrapper(cast(Any, self), method)

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        if estimator is None:
            return self.method
        try:
            self.check(estimator)
        except InputError as error:
            raise UnavailableError(str(error)) from None
        return MethodType(self.method, estimator)
