"""Work ends at its next step once it shall, in whichever thread the step is, and nobody else's does."""

from __future__ import annotations

import threading

import pytest

from matvae.interrupt import Interrupted, interrupt_check, interruptible


def test_work_goes_on_until_it_shall_end():
    end = threading.Event()
    with interruptible(end.is_set):
        check = interrupt_check()
        check()
        end.set()
        with pytest.raises(Interrupted):
            check()
    interrupt_check()()


def test_other_threads_are_not_interrupted():
    others = []
    with interruptible(lambda: True):
        thread = threading.Thread(target=lambda: others.append(interrupt_check()()))
        thread.start()
        thread.join()
    assert others == [None]


def test_an_interrupt_is_no_error_of_the_work():
    assert not issubclass(Interrupted, Exception)
