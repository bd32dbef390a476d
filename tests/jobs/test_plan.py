"""Plans of jobs: their time by a simulated clock, their disk against what they really write, and refusals."""

from __future__ import annotations

import shutil
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from matvae import Grid, memory
from matvae.data import sample_blocks, save_structures
from matvae.errors import InputError
from matvae.forecast import Forecast, announce, has_listener
from matvae.jobs import (
    compute_statistics,
    describe,
    evaluate_model,
    fit_model,
    inverse_latents,
    make_dataset,
    reconstruct_statistics,
    transform_structures,
)
from matvae.jobs import plan as plan_module
from matvae.jobs.plan import Meter, Plan, duration, plan_job, rehearse
from matvae.room import expecting, size_on_disk


class Clock:
    """A clock that goes on only when told."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def simulated(clock, *, start, each, n, size):
    """A job that starts for some seconds, and then takes some per block of `size` of its `n` samples."""

    def run(progress):
        clock.now += start
        for done in range(size, n + size, size):
            clock.now += each
            progress(min(done, n), n)

    return run


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize(
    ("start", "each", "n", "size"),
    [
        (0, 1, 1000, 10),
        (8, 0.01, 100_000, 10),
        (5, 20, 200, 64),
        (0.1, 0.5, 40, 10),
        (3, 0.7, 95, 10),
        (30, 4, 1000, 1),
    ],
)
def test_the_time_of_a_uniform_job_is_forecast_from_few_blocks(clock, start, each, n, size):
    run = simulated(clock, start=start, each=each, n=n, size=size)
    plan = rehearse(run, clock=clock)
    planned = clock.now - 1000
    clock.now = 1000.0
    run(lambda done, total: None)
    real = clock.now - 1000
    assert plan.total == n
    # The last block may be smaller.
    assert real - each <= plan.seconds <= real + 1e-6
    assert plan.measured_seconds == planned <= start + 3 * max(each, 2)


def test_a_start_that_takes_long_is_not_taken_for_work(clock):
    plan = rehearse(simulated(clock, start=100, each=0.5, n=1000, size=1), clock=clock)
    assert plan.seconds == pytest.approx(600)


def test_the_stages_of_a_job_are_measured_by_themselves(clock):
    meter = Meter(clock)
    clock.now += 50
    assert meter.measure(1, 2) is None
    for done in (1, 2):
        clock.now += 1
        assert meter.measure(done, 100) is None
    clock.now += 1
    assert meter.measure(3, 100).seconds == pytest.approx(150)


def test_nothing_is_forecast_before_anything_is_done(clock):
    meter = Meter(clock)
    clock.now += 100
    assert meter.measure(0, 10) is None
    assert meter.stopped(0, 10).seconds is None


def test_a_single_report_counts_its_start_as_work(clock):
    meter = Meter(clock)
    clock.now += 30
    assert meter.measure(1, 4) is None
    clock.now += 10
    assert meter.stopped(1, 4).seconds == pytest.approx(120)


def test_a_job_that_announces_its_time_ends_there(clock):
    def run(progress):
        clock.now += 7
        announce(Forecast(90, "20 passes", 2, is_limit=True))
        raise AssertionError("It goes on.")

    plan = rehearse(run, clock=clock)
    assert (plan.seconds, plan.measured_seconds, plan.work, plan.is_limit) == (95, 7, "20 passes", True)
    assert plan.sentence().startswith("This takes at most about 95 s")
    assert not has_listener()


def test_a_job_without_a_report_was_done(clock):
    def run(progress):
        clock.now += 7

    assert (rehearse(run, clock=clock).seconds, rehearse(run, clock=clock).total) == (7, 0)


def test_a_job_whose_first_block_takes_too_long_is_given_up():
    begun = time.monotonic()
    plan = rehearse(lambda progress: time.sleep(60), most_seconds=0.05)
    assert time.monotonic() - begun < 30
    assert (plan.seconds, plan.done) == (None, 0)


def test_after_the_first_report_a_second_one_is_waited_for_only_so_long(monkeypatch):
    monkeypatch.setattr(plan_module, "SECOND_SECONDS", 0.05)

    def run(progress):
        progress(1, 50)
        time.sleep(60)

    begun = time.monotonic()
    assert rehearse(run).done == 1
    assert time.monotonic() - begun < 30


def test_in_another_thread_the_job_ends_by_itself(clock):
    plans = []
    run = simulated(clock, start=1, each=1, n=100, size=1)
    thread = threading.Thread(target=lambda: plans.append(rehearse(run, clock=clock)))
    thread.start()
    thread.join()
    assert plans[0].seconds == pytest.approx(101)


def test_errors_of_the_job_are_raised():
    def run(progress):
        raise InputError("This is refused.")

    with pytest.raises(InputError, match="This is refused"):
        rehearse(run)


@pytest.fixture
def names(tmp_path):
    """The names in the folder now, and at the end of a test."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())


def test_the_size_of_npy_latents_is_exact(trained, tmp_path, names):
    plan = plan_job(transform_structures, trained / "m.matvae", trained / "train.zarr", tmp_path / "z.npy")
    assert names() == []
    transform_structures(trained / "m.matvae", trained / "train.zarr", tmp_path / "z.npy")
    assert plan["disk"] == (tmp_path / "z.npy").stat().st_size
    assert plan["disk_certainty"] == "exactly"
    assert (plan["total"], plan["problems"]) == (40, [])


def test_the_size_of_latents_as_text_is_not_exceeded(trained, tmp_path):
    plan = plan_job(transform_structures, trained / "m.matvae", trained / "train.zarr", tmp_path / "z.csv")
    transform_structures(trained / "m.matvae", trained / "train.zarr", tmp_path / "z.csv")
    real = (tmp_path / "z.csv").stat().st_size
    assert plan["disk_certainty"] == "at most"
    assert real <= plan["disk"] < 2 * real


def test_the_size_of_compressed_statistics_follows_from_their_first_part(tmp_path, names):
    X = (np.random.default_rng(0).random((300, 128, 128)) < 0.3).astype(np.uint8)
    save_structures(tmp_path / "x.zarr", X)
    plan = plan_job(compute_statistics, tmp_path / "x.zarr", tmp_path / "s.zarr")
    assert names() == ["x.zarr"]
    compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr")
    assert plan["disk_certainty"] == "about"
    assert plan["disk"] == pytest.approx(size_on_disk(tmp_path / "s.zarr"), rel=0.05)
    assert plan["memory"] is None or plan["memory"] > 20_000_000


@pytest.mark.parametrize("kind", ["fit", "inverse", "dataset", "evaluate"])
def test_nothing_remains_of_what_was_begun(kind, trained, tmp_path, names):
    np.save(tmp_path / "z.npy", np.zeros((5, 3), np.float32))
    model, data = trained / "m.matvae", trained / "train.zarr"
    plan = {
        "fit": lambda: plan_job(fit_model, data, tmp_path / "o.matvae", decoder="dense", width=8, max_epochs=2, seed=0),
        "inverse": lambda: plan_job(inverse_latents, model, tmp_path / "z.npy", tmp_path / "o.zarr"),
        "dataset": lambda: plan_job(make_dataset, "lines", tmp_path / "o.zarr", n=20, size=16),
        "evaluate": lambda: plan_job(evaluate_model, model, data, train=data, n_realized=0),
    }[kind]()
    # A training announces itself what there is to do.
    assert plan["work"] == ("2 passes over the data, in 1 batch each" if kind == "fit" else None)
    assert (plan["total"] == 0) == (kind == "fit")
    assert min(plan["seconds"], plan["measured_seconds"]) > 0
    assert (plan["disk"] is None) == (kind == "evaluate")
    assert names() == ["z.npy"]


def test_an_existing_output_is_refused_and_kept(trained, tmp_path):
    out = tmp_path / "z.npy"
    np.save(out, np.zeros(3))
    before = out.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        plan_job(transform_structures, trained / "m.matvae", trained / "train.zarr", out)
    plan_job(transform_structures, trained / "m.matvae", trained / "train.zarr", out, overwrite=True)
    assert out.read_bytes() == before


def test_a_function_that_reports_nothing_cannot_be_planned(trained):
    with pytest.raises(InputError, match="takes no progress"):
        plan_job(describe, trained / "train.zarr")


def test_too_little_memory_or_room_is_a_problem(trained, tmp_path, monkeypatch):
    job = (compute_statistics, trained / "train.zarr", tmp_path / "s.zarr")
    if memory.peak_memory() is not None:
        monkeypatch.setattr(plan_module, "free_memory", lambda: 1_000_000)
        (problem,) = plan_job(*job)["problems"]
        assert "but 1 MB are free" in problem
        monkeypatch.undo()
    # A little too little: less is refused by the job itself.
    monkeypatch.setattr(plan_module, "free_room", lambda out: 5)
    (problem,) = plan_job(*job)["problems"]
    assert problem.startswith("It needs 1.74 kB on the disk")
    assert "but 5 bytes are free. Free some space" in problem


def test_jobs_refuse_what_does_not_fit_into_memory_before_they_begin(trained, tmp_path, monkeypatch):
    # 4 kB, whose padded transforms are 128 x 128, or 72 x 72 up to a cutoff.
    save_structures(tmp_path / "x.zarr", np.eye(64, dtype=np.uint8)[None], grid=Grid((64, 64), periodic=False))
    monkeypatch.setattr(memory, "free_memory", lambda device="cpu": 90_000)
    with pytest.raises(InputError, match=r"2-point statistics of 64 x 64 voxels at all lags need.* \(--cutoff 32\)\."):
        plan_job(compute_statistics, tmp_path / "x.zarr", tmp_path / "o.zarr")
    with pytest.raises(InputError, match=r"statistics of 64 x 64 voxels needs .* smaller cutoff \(--cutoff\)\."):
        plan_job(compute_statistics, tmp_path / "x.zarr", tmp_path / "o.zarr", cutoff=8)
    np.save(tmp_path / "f.npy", np.full((1, 65, 65, 1), 0.2))
    with pytest.raises(InputError, match="Reconstructing one structure of 65 x 65 voxels needs"):
        plan_job(reconstruct_statistics, tmp_path / "f.npy", tmp_path / "o.zarr", size=65, phases=2, periodic=True)
    arguments = (trained / "train.zarr", tmp_path / "o.zarr")
    with pytest.raises(InputError, match="Encoding structures of 8 x 8 voxels needs about"):
        plan_job(transform_structures, trained / "m.matvae", *arguments)
    with pytest.raises(InputError, match=r"A model of 8 x 8 x 1 statistics needs .* cutoff=16"):
        plan_job(fit_model, *arguments, decoder="statistics", n_components=2)


def test_a_job_refuses_a_result_of_known_size_that_does_not_fit(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(InputError, match=r"z\.npy needs about 608 bytes .* but 100 bytes are free"):
        transform_structures(trained / "m.matvae", trained / "train.zarr", tmp_path / "z.npy")
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_result_is_refused_when_its_first_part_tells(tmp_path, monkeypatch):
    X = (np.random.default_rng(0).random((300, 128, 128)) < 0.3).astype(np.uint8)
    save_structures(tmp_path / "x.zarr", X)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    # Blocks of 12 samples, of which ten share a chunk.
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 1 << 20)
    reports = []
    with pytest.raises(InputError, match=r"The rest of .*s\.zarr needs about .* but 1 MB are free"):
        compute_statistics(tmp_path / "x.zarr", tmp_path / "s.zarr", progress=lambda *report: reports.append(report))
    assert 0 < reports[-1][0] < 128
    assert [path.name for path in tmp_path.iterdir()] == ["x.zarr"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (42.4, "42 s"),
        (99, "99 s"),
        (100, "1.7 min"),
        (1500, "25 min"),
        (7000, "1.9 h"),
        (3e5, "3.5 days"),
    ],
)
def test_durations_are_rounded(seconds, text):
    assert duration(seconds) == text


def test_the_sentence_says_time_memory_and_disk(clock, tmp_path):
    assert Plan(247, 612_000_000, 1_230_000_000, "at most", 3, 1, 9).sentence() == (
        "This takes about 4.1 min, 612 MB of memory, at most 1.23 GB on the disk."
    )
    assert Plan(247, None, None, None, 3, 1, 9).sentence() == "This takes about 4.1 min."
    with expecting(tmp_path / "a.npy", 100, exactly=True), expecting(tmp_path / "b.zarr", 50):
        plan = Meter(clock).stopped(1, 1)
    assert (plan.disk, plan.disk_certainty) == (150, "about")
