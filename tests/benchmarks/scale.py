"""Speed, memory and scaling of jobs on many structures, each measured in a process of its own, in one table.

Run it as `make bench-scale`, or with other sizes: ``python tests/benchmarks/scale.py --images 100000 --volume 1024``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

# Seconds between two looks at the memory of the processes.
INTERVAL = 0.05
CUTOFF = 32
WINDOW = 64
# Passes of a training beyond the first.
MORE_PASSES = 4


@dataclass(frozen=True)
class Run:
    """Wall time and processor time in seconds, and peak memory in bytes, of a command and all its processes."""

    seconds: float
    cpu: float
    peak: int


def run(*arguments: object) -> Run:
    """Run a matvae command; shared libraries count once per process in its memory."""
    command = [sys.executable, "-c", "from matvae.cli import main; main()", *map(str, arguments), "--quiet"]
    before, began = os.times(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        watched = Watched(process.pid)
        _, errors = process.communicate()
        seconds, peak = time.perf_counter() - began, watched.stop()
    if process.returncode:
        sys.exit(f"matvae {' '.join(map(str, arguments))}\n{errors}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu, peak)


class Watched:
    """Largest resident memory of a process and its descendants together, looked at in a thread."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(psutil.Process(pid),), daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End watching, and return the peak in bytes."""
        self._stopped.set()
        self._thread.join()
        return self.peak

    def _watch(self, process: psutil.Process) -> None:
        while not self._stopped.wait(INTERVAL):
            self.peak = max(self.peak, sum(_resident(process)))


def _resident(process: psutil.Process) -> Iterator[int]:
    try:
        for each in [process, *process.children(recursive=True)]:
            try:
                yield each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return


@dataclass(frozen=True)
class Pair:
    """Runs of a job on few and on many structures, whose difference is free of start-up."""

    few: Run
    many: Run
    more: int

    @property
    def speed(self) -> float:
        """Structures per second of wall time, beyond those of the smaller run."""
        return self.more / (self.many.seconds - self.few.seconds)

    @property
    def cpu_speed(self) -> float:
        """Structures per second of processor time."""
        return self.more / (self.many.cpu - self.few.cpu)

    @property
    def growth(self) -> float:
        """Peak memory on many structures over that on few."""
        return self.many.peak / self.few.peak


def print_row(name: str, value: str, target: str = "") -> None:
    """Print one line of the table."""
    print(f"{name:<64} {value:>22}   {target}", flush=True)


def kernel_speed(X: np.ndarray, seconds: float) -> float:
    """2-point statistics up to the cutoff of images in memory, in images per second of processor time."""
    from matvae import two_point_stats

    two_point_stats(X, cutoff=CUTOFF, phases=2)
    began, done = time.process_time(), 0
    while time.process_time() - began < seconds:
        two_point_stats(X, cutoff=CUTOFF, phases=2)
        done += len(X)
    return done / (time.process_time() - began)


def encoder_speed(model: Path, X: np.ndarray, seconds: float) -> float:
    """Latents of images in memory, in images per second of processor time."""
    import matvae

    estimator = matvae.load(model)
    estimator.transform(X)
    began, done = time.process_time(), 0
    while time.process_time() - began < seconds:
        estimator.transform(X)
        done += len(X)
    return done / (time.process_time() - began)


def images(folder: Path, few: int, many: int, size: int, workers: int, seconds: float) -> None:
    """Rows of jobs on images of lines."""
    from matvae import open_structures

    stores = {n: folder / f"{n}.zarr" for n in (few, many)}
    for n, store in stores.items():
        run("dataset", "make", "lines", store, "--n", n, "--size", size)
    model = folder / "m.matvae"
    run("fit", stores[few], "-o", model, "--decoder", "dense", "--n-components", 9, "--max-time", 20, "--max-epochs", 1)
    jobs = {
        f"stats --cutoff {CUTOFF}": lambda n, out: ("stats", stores[n], "-o", out, "--cutoff", CUTOFF),
        "transform": lambda n, out: ("transform", model, stores[n], "-o", out),
    }
    X = open_structures(stores[few]).data[:200].compute()
    bare = [kernel_speed(X, seconds), encoder_speed(model, X, seconds)]
    for (name, arguments), kernel in zip(jobs.items(), bare, strict=True):
        pairs = {}
        for n_workers in (None, 1, workers):
            more = () if n_workers is None else ("--workers", n_workers)
            out = folder / "o.zarr"
            runs = [run(*arguments(n, out), *more, "--overwrite") for n in (few, many)]
            pairs[n_workers] = Pair(*runs, many - few)
            who = "alone" if n_workers is None else f"--workers {n_workers}"
            most = "< 1 GB" if n_workers is None else ""
            show_pair(f"{name}, {few} -> {many} images of {size}^2, {who}", pairs[n_workers], most)
        print_row(f"{name}: speed of the job / of the bare kernel", ratio(pairs[None].speed, kernel), ">= 0.8")
        print_row("  the same in processor times", ratio(pairs[None].cpu_speed, kernel))
        show_gain(name, pairs[1], pairs[workers], workers)


def models(folder: Path, few: int, many: int, size: int, processes: int) -> None:
    """Rows of one pass of training, in one process and in several, and of structures from latents."""
    stores = {n: folder / f"f{n}.zarr" for n in (few, many)}
    model = folder / "f.matvae"
    for n, store in stores.items():
        run("dataset", "make", "lines", store, "--n", n, "--size", size)
    runs = [run("fit", store, "-o", model, "--max-epochs", 1, "--overwrite") for store in stores.values()]
    show_pair(f"fit, one pass, {few} -> {many} images of {size}^2", Pair(*runs, many - few))
    pairs = {}
    for n_processes in (1, processes):
        more = () if n_processes == 1 else ("--devices", n_processes)
        runs = [
            run("fit", stores[many], "-o", model, "--max-epochs", n, *more, "--overwrite") for n in (1, 1 + MORE_PASSES)
        ]
        pairs[n_processes] = Pair(*runs, MORE_PASSES * many)
        who = "alone" if n_processes == 1 else f"--devices {n_processes}"
        show_pair(f"fit, 1 -> {1 + MORE_PASSES} passes of {many} images of {size}^2, {who}", pairs[n_processes])
    show_gain("fit", pairs[1], pairs[processes], processes, least=0.8)
    for n, store in stores.items():
        run("transform", model, store, "-o", folder / f"z{n}.zarr")
    runs = [run("inverse", model, folder / f"z{n}.zarr", "-o", folder / "r.zarr", "--overwrite") for n in (few, many)]
    show_pair(f"inverse, {few} -> {many} images of {size}^2", Pair(*runs, many - few))


def structures(folder: Path, few: int, many: int, workers: int) -> None:
    """Rows of reconstruction from statistics."""
    stores = {n: folder / f"s{n}.zarr" for n in (few, many)}
    for n, store in stores.items():
        run("dataset", "make", "grf", folder / f"g{n}.zarr", "--n", n, "--size", 64)
        run("stats", folder / f"g{n}.zarr", "-o", store)
    pairs = {}
    for n_workers in (None, 1, workers):
        more = () if n_workers is None else ("--workers", n_workers)
        runs = [
            run("reconstruct", stores[n], "-o", folder / "r.zarr", "--max-iter", 60, *more, "--overwrite")
            for n in (few, many)
        ]
        pairs[n_workers] = Pair(*runs, many - few)
        who = "alone" if n_workers is None else f"--workers {n_workers}"
        show_pair(f"reconstruct, {few} -> {many} structures of 64^2, {who}", pairs[n_workers])
    show_gain("reconstruct", pairs[1], pairs[workers], workers)


def volume(folder: Path, side: int, workers: int) -> None:
    """Rows of statistics of windows cut from a volume."""
    scan, windows = folder / "scan.npy", folder / "windows.zarr"
    array = np.lib.format.open_memmap(scan, mode="w+", dtype=np.uint8, shape=(side, side, side))
    rng = np.random.default_rng(0)
    for start in range(0, side, WINDOW):
        coarse = rng.random((WINDOW // 4, side // 4, side // 4)) < 0.3
        array[start : start + WINDOW] = coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2)
    array.flush()
    del array
    for n_workers in (None, workers) if workers else (None,):
        more = () if n_workers is None else ("--workers", n_workers)
        who = "alone" if n_workers is None else f"--workers {n_workers}"
        cut = run("import", scan, windows, "--axes", "zyx", "--window", WINDOW, *more, "--overwrite")
        computed = run("stats", windows, "-o", folder / "o.zarr", "--cutoff", CUTOFF, *more, "--overwrite")
        show_run(f"import of {side}^3 as windows of {WINDOW}^3, {who}", cut)
        show_run(f"stats --cutoff {CUTOFF} of these windows, {who}", computed, "< 1.5 GB")


def show_run(name: str, measured: Run, target: str = "") -> None:
    """Print wall time, processor time and memory of a run."""
    print_row(name, f"{measured.seconds:.1f} s, cpu {measured.cpu:.1f} s", "")
    print_row("  peak memory of all processes", f"{measured.peak / 1e9:.2f} GB", target)


def show_pair(name: str, pair: Pair, most: str = "") -> None:
    """Print times of both runs, and how memory grows from one to the other."""
    print_row(name, f"{pair.few.seconds:.1f} -> {pair.many.seconds:.1f} s", "")
    print_row("  processor time", f"{pair.few.cpu:.1f} -> {pair.many.cpu:.1f} s", "")
    print_row("  peak memory of all processes", f"{pair.few.peak / 1e9:.2f} -> {pair.many.peak / 1e9:.2f} GB", most)
    print_row("  its growth", f"{pair.growth:.3f}", "<= 1.05")


def show_gain(name: str, one: Pair, several: Pair, workers: int, least: float = 0.85) -> None:
    """Print how much faster several processes are, and what they would be if each had a core of its own."""
    print_row(
        f"{name}: speed of {workers} processes / of one", ratio(several.speed, one.speed), f">= {least * workers:.1f}"
    )
    bound = ratio(workers * several.cpu_speed, one.cpu_speed)
    print_row("  the same from processor times, if each has a core", bound, "")


def ratio(value: float, reference: float) -> str:
    """Format a ratio."""
    return f"{value / reference:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4000, help="number of images; a quarter is the smaller run")
    parser.add_argument("--size", type=int, default=224, help="pixels along an edge of an image")
    parser.add_argument("--fitted", type=int, default=2000, help="number of images of fits and of their latents")
    parser.add_argument("--structures", type=int, default=800, help="structures to reconstruct")
    parser.add_argument("--volume", type=int, default=256, help="voxels along an edge of the volume; a multiple of 64")
    parser.add_argument("--workers", type=int, default=2, help="processes that are compared with one")
    parser.add_argument("--seconds", type=float, default=10, help="processor time spent on each bare kernel")
    parser.add_argument("--only", choices=["images", "models", "structures", "volume"], help="a part of the table")
    given = parser.parse_args()
    print_row("load of the machine, number of cores", f"{os.getloadavg()[0]:.1f}, {os.cpu_count()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only in (None, "images"):
            images(folder, given.images // 4, given.images, given.size, given.workers, given.seconds)
        if given.only in (None, "models"):
            models(folder, given.fitted // 4, given.fitted, given.size, given.workers)
        if given.only in (None, "structures"):
            structures(folder, given.structures // 4, given.structures, given.workers)
        if given.only in (None, "volume"):
            volume(folder, given.volume, given.workers)


if __name__ == "__main__":
    main()
