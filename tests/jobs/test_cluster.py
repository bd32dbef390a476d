"""Jobs in several processes: the bytes of one process, in order, in bounded memory, though workers die."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import time
import warnings

import dask
import distributed
import numpy as np
import pytest
import zarr

from matvae import Grid, StatsVAETransformer, jobs, open_structures, save_structures
from matvae.crew import ALONE
from matvae.data import sample_blocks
from matvae.data.datasets import make
from matvae.errors import InputError, MissingExtraError
from matvae.jobs import cluster
from matvae.jobs import inverse as inverse_job
from matvae.jobs import reconstruct as reconstruct_job
from matvae.jobs import transform as transform_job
from matvae.jobs.cluster import crew_of
from matvae.jobs.files import arrays

from ..structures import blobs

# Every test kills a worker. Those that follow are forked from a process that has imported what takes seconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["distributed", "matvae.jobs", "torch"])


def be_worker(address):
    async def work():
        async with distributed.Worker(address, nthreads=1, dashboard=False) as worker:
            await worker.finished()

    asyncio.run(work())


class Workers:
    """A scheduler and two worker processes without a nanny, as on the nodes of a cluster."""

    def __init__(self, scheduler):
        self.scheduler = scheduler
        self.processes = []
        for _ in range(2):
            self.start()

    @property
    def address(self):
        return self.scheduler.scheduler_address

    def start(self):
        self.processes.append(FORKS.Process(target=be_worker, args=(self.address,), daemon=True))
        self.processes[-1].start()

    def wait(self):
        """Wait for two workers, in place of those that died."""
        self.processes = [process for process in self.processes if process.is_alive()]
        for _ in range(2 - len(self.processes)):
            self.start()
        self.scheduler.wait_for_workers(2, timeout=100)

    def kill_one(self):
        victim = self.processes.pop(0)
        victim.kill()
        victim.join()
        # In place of it, while the job goes on with the other.
        self.start()


@pytest.fixture(scope="module")
def workers():
    with (
        pytest.MonkeyPatch.context() as patch,
        distributed.LocalCluster(
            n_workers=0, dashboard_address="127.0.0.1:0", scheduler_port=0, silence_logs=50
        ) as scheduler,
    ):
        patch.setenv("OMP_NUM_THREADS", "1")
        started = Workers(scheduler)
        yield started
        for process in started.processes:
            process.kill()
            process.join()


@pytest.fixture
def address(workers):
    workers.wait()
    return workers.address


def numbered(n, taken):
    for number in range(n):
        taken.append(number)
        yield number, number % 3 == 0


def add(given, number, is_slow):
    # Every third block takes longer, so that blocks finish out of order.
    time.sleep(0.02 * is_slow)
    return float(given.sum()) + number, os.getpid()


@pytest.mark.parametrize("where", ["alone", "cluster"])
def test_results_are_in_order_and_tasks_taken_as_needed(where, request):
    address = None if where == "alone" else request.getfixturevalue("address")
    most_ahead = 0 if address is None else 2 * cluster.BLOCKS_AHEAD
    taken, sums, processes = [], [], set()
    with crew_of(None, address) as crew:
        for result, process in crew.in_order(add, numbered(20, taken), np.ones(3)):
            sums.append(result)
            processes.add(process)
            assert len(taken) - len(sums) <= most_ahead
        assert sums == [3.0 + number for number in range(20)]
        assert list(crew.in_order(add, iter(()))) == []
    assert processes == {os.getpid()} if address is None else len(processes) == 2


def read_double(given, number):
    return given * 2 + number


def square(given, block, number):
    return given, block**2, number


def test_what_is_read_goes_to_the_function(address):
    for scheduler in (None, address):
        with crew_of(None, scheduler) as crew:
            results = list(crew.in_order(square, ((k,) for k in range(7)), 10, read=read_double))
        assert results == [(10, (20 + k) ** 2, k) for k in range(7)]


def fail(given, number):
    if number == 3:
        raise InputError("Block 3 is bad.")
    warnings.warn(f"Block {number} is odd.", UserWarning, stacklevel=1)
    return number


def test_errors_and_warnings_of_blocks_are_those_of_this_process(address):
    for scheduler in (None, address):
        with (
            crew_of(None, scheduler) as crew,
            pytest.warns(UserWarning, match=r"Block 2 is odd\."),
            pytest.raises(InputError, match="Block 3 is bad"),
        ):
            list(crew.in_order(fail, ((k,) for k in range(9))))


def test_what_cannot_work_is_refused(address, tmp_path, monkeypatch):
    def enter(*arguments):
        with crew_of(*arguments):
            pass

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    for wrong in ("tcp://127.0.0.1:9", "nowhere://x"):
        with pytest.raises(InputError, match=f"no dask scheduler at {wrong}"):
            enter(None, wrong)
    with pytest.raises(InputError, match="Give one of the two"):
        enter(2, "tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="workers must be"):
        enter(0, None)
    with pytest.raises(InputError, match=r"does not see .*/lost\.zarr"):
        enter(None, address, [None, tmp_path / "lost.zarr"])
    monkeypatch.setattr(cluster, "__version__", "0.0.1")
    with pytest.raises(InputError, match=r"but this is matvae 0\.0\.1"):
        enter(None, address)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address="127.0.0.1:0", scheduler_port=0
        ) as empty,
        pytest.raises(InputError, match="has no workers"),
    ):
        enter(None, empty.scheduler_address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[cluster\]"):
        enter(2, None)


def deadly(given, number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_ends_if_a_block_kills_worker_after_worker():
    # Each is started again by its nanny; usually three times.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        pytest.raises(InputError, match=r"failed.*more memory"),
        crew_of(1, None) as crew,
    ):
        list(crew.in_order(deadly, [(0,)]))


def test_a_job_ends_if_all_workers_are_gone(workers, address, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 1)
    with pytest.raises(InputError, match="All workers are gone"), crew_of(None, address) as crew:
        list(crew.in_order(deadly, [(0,)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Structures, statistics, and models of structures and of textures with latents."""
    path = tmp_path_factory.mktemp("jobs")
    grid = Grid((16, 16), voxel_size=0.5, unit="micrometer")
    labels = blobs(60, (16, 16), width=1.5, volume_fraction=np.linspace(0.3, 0.5, 60))
    save_structures(path / "x.zarr", labels, grid=grid, properties={"k": labels.mean((1, 2))})
    save_structures(path / "large.zarr", blobs(6, (40, 40), width=1.5, volume_fraction=0.4))
    save_structures(path / "few.zarr", labels[:12], grid=grid)
    jobs.compute_statistics(path / "few.zarr", path / "s.zarr")
    network = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=2, width=16, random_state=0)
    network.fit(open_structures(path / "x.zarr")).save(path / "m.matvae")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        texture = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0)
        texture.fit(open_structures(path / "x.zarr")).save(path / "t.matvae")
    for name in "mt":
        jobs.transform_structures(path / f"{name}.matvae", path / "few.zarr", path / f"{name}.npy")
    return path


# Job, its inputs in the folder, whether it writes an output, and options.
EVERY_JOB = {
    "make": (jobs.make_dataset, ["lines"], True, {"n": 40, "size": 32}),
    "import": (jobs.import_structures, ["large.zarr"], True, {"window": 16, "stride": 4}),
    "stats": (jobs.compute_statistics, ["x.zarr"], True, {"cutoff": 5}),
    "stats by name": (jobs.compute_statistics, ["x.zarr"], True, {"statistic": "lineal_path"}),
    "transform": (jobs.transform_structures, ["m.matvae", "x.zarr"], True, {}),
    "inverse": (jobs.inverse_latents, ["m.matvae", "m.npy"], True, {"n_realizations": 2}),
    "inverse, textures": (jobs.inverse_latents, ["t.matvae", "t.npy"], True, {}),
    "reconstruct": (jobs.reconstruct_statistics, ["s.zarr"], True, {"max_iter": 10, "n_realizations": 2}),
    "evaluate": (jobs.evaluate_model, ["m.matvae", "x.zarr"], False, {"n_realized": 8}),
    "evaluate, textures": (jobs.evaluate_model, ["t.matvae", "x.zarr"], False, {"n_realized": 8}),
    "compare": (jobs.compare_methods, ["m.matvae", "x.zarr"], False, {"n_components": 1, "max_epochs": 1}),
    "optimize": (
        jobs.optimize_structures,
        ["t.matvae"],
        True,
        {"objective": "volume_fraction=0.4", "n_candidates": 3, "n_realizations": 2, "max_iter": 5},
    ),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", EVERY_JOB)
def test_every_job_gives_the_same_bytes_though_a_worker_is_killed(
    name, folder, tmp_path, workers, address, monkeypatch
):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 16**2 * 8)
    monkeypatch.setattr(transform_job, "BLOCK_VOXELS", 16**2 * 8)
    monkeypatch.setattr(reconstruct_job, "BLOCK_STRUCTURES", 4)
    monkeypatch.setattr(inverse_job, "MOST_REALIZED", 2)
    monkeypatch.setattr(make, "_BLOCK_SAMPLES", 4)
    monkeypatch.chdir(folder)
    job, inputs, writes, options = EVERY_JOB[name]
    reports: list[int] = []

    def kill_one(done, total):
        if not reports:
            workers.kill_one()
        reports.append(done)

    outputs = [tmp_path / "alone.zarr", tmp_path / "cluster.zarr"] if writes else [None, None]
    results = []
    for out, more in zip(outputs, [{}, {"scheduler": address, "progress": kill_one}], strict=True):
        results.append(job(*inputs, **({} if out is None else {"out": out}), **options, **more))
    assert reports, "no progress was reported, and no worker killed"
    assert reports == sorted(reports)
    if writes:
        alone, others = map(contents, outputs)
        assert alone
        assert alone == others
    else:
        alone, others = (json.dumps(without_times(result), default=str) for result in results)
        assert alone == others


def test_workers_write_large_results_themselves(folder, tmp_path, address, monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 16**2 * 8)
    monkeypatch.setattr(arrays, "LEAST_CHUNK_BYTES", 1)
    jobs.compute_statistics(folder / "x.zarr", tmp_path / "alone.zarr")

    def write(*_):
        raise AssertionError("Statistics came back from a worker.")

    monkeypatch.setattr(arrays.ArrayWriter, "write", write)
    jobs.compute_statistics(folder / "x.zarr", tmp_path / "cluster.zarr", scheduler=address)
    assert zarr.open_group(tmp_path / "alone.zarr")["statistics"].chunks[0] == 6
    assert contents(tmp_path / "alone.zarr") == contents(tmp_path / "cluster.zarr")


def test_results_come_back_from_workers_that_do_not_see_the_output(address, tmp_path):
    with crew_of(None, address) as crew:
        assert crew.writes_in(tmp_path)
        assert not crew.writes_in(tmp_path / "elsewhere")
    assert not ALONE.writes_in(tmp_path)


def contents(store):
    return {file.relative_to(store): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def without_times(result):
    return {**result, "rows": [{key: row[key] for key in row if key != "seconds"} for row in result["rows"]]}


def test_local_processes_do_the_work_of_this_one(folder, tmp_path):
    seen = []
    jobs.compute_statistics(folder / "x.zarr", tmp_path / "a.zarr")
    jobs.compute_statistics(
        folder / "x.zarr", tmp_path / "b.zarr", workers=1, progress=lambda done, total: seen.append((done, total))
    )
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")
    assert seen == [(60, 60)]


def test_without_workers_nothing_is_started():
    with crew_of(None, None) as crew:
        assert crew is ALONE


def environment(given):
    import torch

    # As from a terminal, which interrupts all processes of a command.
    os.kill(os.getpid(), signal.SIGINT)
    return torch.get_num_threads(), os.environ.get("MALLOC_TRIM_THRESHOLD_")


def test_local_workers_have_one_thread_keep_memory_and_leave_interrupts_to_their_parent():
    with crew_of(1, None) as crew:
        assert list(crew.in_order(environment, [()])) == [(1, str(256 << 20))]
