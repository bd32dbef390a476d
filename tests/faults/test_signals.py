"""SIGTERM and Ctrl-C at any moment: states are saved, nothing partial remains, and the exit code says what happened."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import time

import numpy as np
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


# Small windows of a small picture in place of those of the real alloy.
SMALL = """
from dataclasses import replace
from matvae.jobs.benchmark.materials_windows import MATERIALS
MATERIALS["alloy"] = replace(MATERIALS["alloy"], size=24, strides=(6, 6), held_out_strides=(12, 12))
"""
COMPARE = ("compare", "m.matvae", "l.zarr", "--n-components", "1,2", "--max-epochs", 1, "--json")
MATERIALS = ("benchmark", "materials", "--data", "data", "--quick", "--n-components", "1,2,3", "--n-realized", 2)
PAPER = ("benchmark", "paper", "--size", 16, "--n", 60, "--n-test", 16, "--n-components", 3, "--max-time", 3)
# Command, what it keeps while it runs, what must be there when it is killed, and the output.
RESUMED = {
    "inverse": (("inverse", "m.matvae", "z.npy", "-o", "o.zarr"), ".o.zarr.resume/*.npz", "o.zarr"),
    "reconstruct": (
        ("reconstruct", "s.zarr", "-o", "o.zarr", "--n-realizations", 8, "--max-iter", 20),
        ".o.zarr.resume/*.npz",
        "o.zarr",
    ),
    "compare": (COMPARE, ".m-l.compare.resume/*.json", None),
    "benchmark materials": ((*MATERIALS, "-o", "o"), "o/runs/.alloy-0.json.resume/*.json", "o"),
    "benchmark paper": ((*PAPER, "-o", "o"), "o/*.checkpoint", "o"),
}


@pytest.fixture
def inputs(folder, run):
    """The folder with latents z.npy, statistics s.zarr, and the picture of a material in data."""
    np.save(folder / "z.npy", np.random.default_rng(0).normal(size=(40_000, 2)).astype(np.float32))
    assert run("stats", "l.zarr", "-o", "s.zarr", cwd=folder).code == 0
    (folder / "data" / "micrographs").mkdir(parents=True)
    blocks = np.random.default_rng(1).random((24, 24)) < 0.4
    np.save(folder / "data" / "micrographs" / "alloy.npy", np.kron(blocks, np.ones((4, 4))).astype(np.uint8))
    return folder


@pytest.mark.parametrize("job", RESUMED)
def test_a_job_that_is_killed_again_and_again_continues_to_the_same_result(start, run, check, inputs, job):
    arguments, kept, output = RESUMED[job]
    before = {"benchmark materials": SMALL, "benchmark paper": EAGER}.get(job, "")
    undisturbed = run(*arguments, cwd=inputs, before=before)
    check(f"{job}, undisturbed", undisturbed, 0, folder=inputs)
    expected = _result(inputs, output, undisturbed)
    if output is not None:
        (inputs / output).rename(inputs / "whole")
    for number in (signal.SIGKILL, signal.SIGTERM):
        before_it = _newest(inputs, kept)
        command = start(*arguments, "--resume", cwd=inputs, before=before)
        command.wait_for(lambda earlier=before_it: _newest(inputs, kept) > earlier)
        time.sleep(0.3 * random.random())
        command.signal(number)
        outcome = command.end()
        # It may have ended before the signal.
        code = 143 if number == signal.SIGTERM else -number
        check(
            f"{signal.Signals(number).name} during {job} --resume",
            outcome,
            (code, 0),
            "--resume" if outcome.code == 143 and job != "benchmark materials" else "",
        )
        if outcome.code == 0:
            break
    resumed = run(*arguments, "--resume", cwd=inputs, before=before)
    check(
        f"{job} --resume has the result of an undisturbed run",
        resumed,
        0,
        folder=inputs,
        holds=_result(inputs, output, resumed) == expected,
    )
    assert not list(inputs.rglob("*.resume"))


def _newest(folder, pattern):
    """When the newest of some files was written; 0 if there are none."""
    return max((file.stat().st_mtime_ns for file in folder.glob(pattern)), default=0)


def _result(folder, output, outcome):
    """Everything in a result that does not depend on time."""
    if output is None:
        return _without_seconds(json.loads(outcome.out)["rows"])
    if output == "o.zarr":
        files = [file for file in (folder / output).rglob("*") if file.is_file()]
        return {str(file.relative_to(folder / output)): file.read_bytes() for file in files}
    result = json.loads((folder / output / "result.json").read_text())
    if result["benchmark"] == "paper":
        # How far training comes in its time differs from run to run.
        return len(result["rows"])
    return _without_seconds([result["decoded"], result["realized"], result["warnings"]])


def _without_seconds(values):
    if isinstance(values, dict):
        return {name: _without_seconds(value) for name, value in values.items() if "seconds" not in name}
    return [_without_seconds(value) for value in values] if isinstance(values, list) else values


def test_what_was_kept_is_not_mixed_with_another_request(start, run, check, inputs):
    inverse = ("inverse", "m.matvae", "z.npy", "-o", "o.zarr")
    command = start(*inverse, "--resume", cwd=inputs)
    command.wait_for(lambda: any(inputs.glob(".o.zarr.resume/*.npz")))
    command.signal(signal.SIGKILL)
    command.end()
    again = run(*inverse, "--resume", "--seed", 1, cwd=inputs)
    check("inverse --resume with another seed", again, 3, "--seed 0 instead of 1")
    np.save(inputs / "z.npy", np.zeros((40_000, 2), np.float32))
    check("inverse --resume with other latents", run(*inverse, "--resume", cwd=inputs), 3, "other latents")
    check("inverse without --resume", run(*inverse, cwd=inputs), 3, "Continue it with --resume")
    check("inverse --overwrite", run(*inverse, "--overwrite", cwd=inputs), 0, folder=inputs)
    assert not list(inputs.glob("*.resume"))
