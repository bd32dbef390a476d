"""Who hears what work announces."""

from __future__ import annotations

import pytest

from matvae.forecast import Forecast, announce, has_listener, listening

FORECAST = Forecast(60.0, "20 passes")


def test_the_innermost_listener_hears_and_the_others_are_restored():
    outer, inner = [], []
    assert (has_listener(), announce(FORECAST)) == (False, False)
    with listening(outer.append):
        with listening(inner.append):
            announce(FORECAST)
        with listening(None):
            assert not has_listener()
            announce(FORECAST)
        assert (outer, inner) == ([], [FORECAST])
        announce(FORECAST)
    assert outer == [FORECAST]
    assert not has_listener()


def test_a_listener_can_end_the_work_and_errors_do_not_leave_it_listening():
    with listening(lambda forecast: True):
        assert announce(FORECAST)

    def refuse(forecast):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), listening(refuse):
        announce(FORECAST)
    assert not has_listener()
