"""Too little memory is told from damage, however a library says it."""

from __future__ import annotations

import errno
import threading

import numpy as np
import pytest
import torch

from matvae.shortage import is_shortage, raise_shortage


def raised(function):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is what differs
        function()
    return caught.value


def test_real_shortages_of_numpy_and_torch_are_recognised():
    for function in (lambda: np.empty(10**17), lambda: torch.empty(10**15)):
        error = raised(function)
        assert is_shortage(error), error
        with pytest.raises(MemoryError):
            raise_shortage(error)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_their_messages_are_recognised(error):
    assert is_shortage(error)


def test_no_thread_for_lack_of_memory_has_the_message_of_python(monkeypatch):
    # The message is part of Python; this test fails when it changes.
    monkeypatch.setattr(threading, "_start_new_thread", raise_as_python_does)
    assert is_shortage(raised(threading.Thread(target=print).start))


def raise_as_python_does(*arguments):
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("corrupt"), OSError(errno.ENOSPC, "full")])
def test_other_errors_are_left_alone(error):
    assert not is_shortage(error)
    raise_shortage(error)
