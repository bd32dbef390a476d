"""Methods that exist only after some fits, and the error that says why they do not."""

from __future__ import annotations

import pytest

from matvae.errors import InputError
from matvae.estimator.available import available_if


def check(estimator) -> None:
    if estimator.refused:
        raise InputError("Fit it on labels.")


class Estimator:
    refused = False

    @available_if(check)
    def invert(self, value: int, scale: int = 1) -> int:
        """Invert."""
        return -value * scale


def test_a_method_is_there_unless_the_check_refuses_it():
    estimator = Estimator()
    assert estimator.invert(2, scale=3) == -6
    assert Estimator.invert(estimator, 2) == -2
    assert Estimator.invert.__doc__ == "Invert."
    estimator.refused = True
    assert not hasattr(estimator, "invert")
    with pytest.raises(InputError, match=r"Fit it on labels\."):
        estimator.invert(2)
    with pytest.raises(AttributeError, match=r"Fit it on labels\."):
        estimator.invert(2)
