"""Who hears what work foretells."""

from __future__ import annotations

import pytest

from matvae.forecast import Forecast, foretell, hearing, is_heard

FORECAST = Forecast(60.0, "20 passes")


def test_the_innermost_listener_hears_and_the_others_are_restored():
    outer, inner = [], []
    assert (is_heard(), foretell(FORECAST)) == (False, False)
    with hearing(outer.append):
        with hearing(inner.append):
            foretell(FORECAST)
        with hearing(None):
            assert not is_heard()
            foretell(FORECAST)
        assert (outer, inner) == ([], [FORECAST])
        foretell(FORECAST)
    assert outer == [FORECAST]
    assert not is_heard()


def test_a_listener_can_end_the_work_and_errors_do_not_leave_it_listening():
    with hearing(lambda forecast: True):
        assert foretell(FORECAST)

    def refuse(forecast):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hearing(refuse):
        foretell(FORECAST)
    assert not is_heard()
