"""SIGTERM and Ctrl-C at any moment: states are saved, nothing partial remains, and the exit code says what happened."""

from __future__ import annotations

import os
import random
import resource
import signal
import time

import pytest

from .conftest import EAGER

FIT = ("fit", "l.zarr", "-o", "f.matvae", "--n-components", "2", "--width", "16", "--decoder", "dense")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_training_keeps_its_state_and_resume_completes_it(start, run, check, folder, number):
    fit = start(*FIT, "--max-epochs", 100_000, cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    fit.signal(number)
    name = signal.Signals(number).name
    check(f"{name} during fit", fit.end(), CODES[number], "--resume", folder=folder)
    assert sorted(os.listdir(folder)) == ["f.matvae.checkpoint", "l.zarr", "m.matvae"]
    resumed = run(*FIT, "--max-epochs", 1, "--resume", cwd=folder)
    check(f"fit --resume after {name}", resumed, 0, "Training continues", folder=folder)


JOBS = {
    "dataset make": ("dataset", "make", "lines", "o.zarr", "--n", 100_000, "--size", 64),
    "import": ("import", "many.zarr", "o.zarr", "--window", 8),
    "stats": ("stats", "many.zarr", "-o", "o.zarr", "--cutoff", 16),
    "export": ("export", "many.zarr", "o.npy"),
}


@pytest.mark.parametrize("job", JOBS)
def test_sigterm_removes_what_is_partial(start, check, made, folder, job):
    (folder / "many.zarr").symlink_to(made / "many.zarr")
    command = start(*JOBS[job], cwd=folder)
    command.wait_for(lambda: any(name.endswith(".partial") for name in os.listdir(folder)))
    time.sleep(random.random())
    command.signal(signal.SIGTERM)
    check(f"SIGTERM during {job}", command.end(), 143, "Interrupted", folder=folder)
    assert sorted(os.listdir(folder)) == ["l.zarr", "m.matvae", "many.zarr"]


@pytest.mark.parametrize("number", CODES)
def test_a_signal_at_the_very_end_gives_a_right_exit_code(start, check, folder, number):
    # From the moment at which the result appears, the command prints it and ends.
    for delay in (0.0, 0.01, 0.03, 0.1, 0.3):
        command = start("stats", "l.zarr", "-o", f"{delay}.zarr", cwd=folder)
        command.wait_for((folder / f"{delay}.zarr").exists)
        time.sleep(delay)
        command.signal(number)
        outcome = command.end()
        # A result that was printed is a success, and a success has printed its result.
        check(
            f"{signal.Signals(number).name} {delay} s after stats has its output",
            outcome,
            (0, CODES[number]),
            folder=folder,
            holds=(outcome.code == 0) == ("written" in outcome.out),
        )


@pytest.mark.parametrize("number", CODES)
def test_a_signal_at_the_very_beginning_gives_a_right_exit_code(start, check, folder, number):
    for delay in (0.2, 0.5, 1.0):
        command = start("stats", "l.zarr", "-o", "o.zarr", "--overwrite", cwd=folder)
        time.sleep(delay)
        command.signal(number)
        # Before Python runs the program, the signal itself ends it.
        name = signal.Signals(number).name
        outcome = command.end()
        if outcome.code != 130 or "Traceback" not in outcome.err:
            check(f"{name} {delay} s after the start", outcome, (0, CODES[number], -number), folder=folder)


def test_a_second_sigterm_does_not_interrupt_the_saving(start, check, folder):
    fit = start(*FIT, "--max-epochs", 100_000, cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    for _ in range(20):
        fit.signal(signal.SIGTERM)
        time.sleep(0.005)
    check("SIGTERM twenty times during fit", fit.end(), 143, "--resume", folder=folder)


def test_the_next_run_removes_what_a_killed_one_left(start, run, check, folder):
    fit = start(*FIT, "--max-epochs", 100_000, cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    fit.signal(signal.SIGKILL)
    assert fit.end().code == -signal.SIGKILL
    assert any(name.endswith(".partial") for name in os.listdir(folder))
    check("kill -9 of fit, then --resume", run(*FIT, "--max-epochs", 1, "--resume", cwd=folder), 0, folder=folder)
    make = start("dataset", "make", "lines", "o.zarr", "--n", 100_000, "--size", 64, cwd=folder)
    make.wait_for(lambda: any(name.endswith(".partial") for name in os.listdir(folder)))
    make.signal(signal.SIGKILL)
    make.end()
    again = run("dataset", "make", "lines", "o.zarr", "--n", 10, "--size", 32, cwd=folder)
    check("kill -9 of dataset make, then again", again, 0, folder=folder)


def test_a_second_writer_of_an_output_is_refused_by_name(start, run, check, folder):
    make = ("dataset", "make", "lines", "o.zarr", "--n", 200_000, "--size", 64)
    first = start(*make, cwd=folder)
    first.wait_for(lambda: any(name.endswith(".partial") for name in os.listdir(folder)))
    second = run(*make, cwd=folder)
    check("two writers of a store", second, 4, f"another process, {first.process.pid} on")
    assert first.process.poll() is None


def test_a_second_fit_of_a_checkpoint_is_refused_by_name(start, run, check, folder):
    first = start(*FIT, "--max-epochs", 100_000, cwd=folder, before=EAGER)
    first.wait_for((folder / "f.matvae.checkpoint").exists)
    state = (folder / "f.matvae.checkpoint").stat().st_ino
    for options in ((), ("--resume",), ("--overwrite",)):
        second = run(*FIT, *options, cwd=folder)
        check(f"two fits of a checkpoint {' '.join(options)}", second, 4, f"process, {first.process.pid} on")
    assert first.process.poll() is None
    assert state
    first.signal(signal.SIGTERM)
    check("SIGTERM to the first of them", first.end(), 143, "--resume", folder=folder)


def test_a_limit_reached_in_the_course_of_training_costs_nothing(start, run, check, folder):
    fit = start(*FIT, "--max-epochs", 300, "--json", cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    # The weights still fit, the state of training no longer does.
    size = (folder / "m.matvae" / "weights.safetensors").stat().st_size
    fit.limit(resource.RLIMIT_FSIZE, size + 4096)
    outcome = fit.end()
    check("no room for checkpoints any more during fit", outcome, 0, "training is not affected", folder=folder)
    assert (folder / "f.matvae").exists()


def test_a_failed_save_keeps_the_training_and_says_how_to_go_on(start, run, check, folder):
    fit = start(*FIT, "--max-epochs", 300, cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    fit.limit(resource.RLIMIT_FSIZE, 8192)
    check("no room for the model at the end of fit", fit.end(), 4, "--resume", folder=folder)
    assert not (folder / "f.matvae").exists()
    again = run(*FIT, "--max-epochs", 300, "--resume", cwd=folder)
    check("fit --resume with room again", again, 0, folder=folder)
