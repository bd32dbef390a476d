"""SIGTERM interrupts like Ctrl-C, and the exit code says which it was."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings

import pytest

from matvae import jobs
from matvae.cli.signals import INTERRUPTED, as_interrupts


@pytest.fixture(autouse=True)
def in_the_foreground():
    """Handle Ctrl-C as in a terminal; a process that a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_an_interrupt_with_its_exit_code(number, code):
    before = signal.getsignal(number)
    with as_interrupts(to_the_end=False) as interrupts:
        assert interrupts.exit_code == INTERRUPTED
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        # Saving the state is not interrupted by another one.
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.exit_code == code
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["info", "stats"])
def test_commands_end_with_the_code_of_the_signal(matvae, monkeypatch, store, tmp_path, number, code, command):
    def interrupted(*arguments, **options):
        signal.raise_signal(number)

    monkeypatch.setattr(jobs, "describe", interrupted, raising=False)
    monkeypatch.setattr(jobs, "compute_statistics", interrupted, raising=False)
    ran = matvae(command, store, *(["-o", tmp_path / "s.zarr"] if command == "stats" else []))
    assert ran.code == code
    assert "Traceback" not in ran.err


def test_what_a_process_was_started_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with as_interrupts(to_the_end=False):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_at_the_end_of_the_process_signals_no_longer_change_its_exit_code():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with as_interrupts(to_the_end=True):
            pass
        for number in before:
            signal.raise_signal(number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_another_thread_leaves_signals_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def run():
        with as_interrupts(to_the_end=True) as interrupts:
            seen.append(interrupts.exit_code)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [130]
    assert signal.getsignal(signal.SIGTERM) == before


class StruckWhileDestroyed:
    """Receives a signal in its destructor, where Python ignores exceptions."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        time.sleep(0.01)


def work_for_long(number):
    StruckWhileDestroyed(number)
    time.sleep(30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_arrives_in_a_destructor_is_not_lost(number, capfd):
    began = time.monotonic()
    with as_interrupts(to_the_end=False) as interrupts, pytest.raises(KeyboardInterrupt):
        work_for_long(number)
    assert time.monotonic() - began < 20
    assert interrupts.exit_code == 128 + number
    assert capfd.readouterr().err == ""


def test_a_coroutine_that_an_interrupt_has_kept_from_beginning_is_no_matter(recwarn):
    async def coroutine():
        pass

    warnings.simplefilter("always")
    with as_interrupts(to_the_end=False), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    coroutine()
    assert not recwarn.list


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_other_errors_of_destructors_are_reported_as_before(monkeypatch):
    class Fails:
        def __del__(self):
            raise ZeroDivisionError

    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type))
    with as_interrupts(to_the_end=False):
        Fails()
    assert seen == [ZeroDivisionError]
