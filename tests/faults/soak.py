"""The chain import, stats, fit, transform, inverse, export under random kills: its bytes are those of undisturbed runs.

Run it as `make soak`, or for another time: ``make soak SOAK='--minutes 2'``. Every round takes the chain of one kind of
model, kills each of its jobs several times (SIGKILL and SIGTERM, at random moments), runs the job again each time, and
compares everything in its folder with what an undisturbed chain wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from scipy import ndimage

from .conftest import EAGER, NOISE, PATIENCE, PROGRAM

MICROGRAPH = "micrograph.tif"
MOST_KILLS = 3
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
# Seconds between two looks at a job.
INTERVAL = 0.005


@dataclass(frozen=True)
class Job:
    """One command of a chain: its arguments, and the file or folder in the present one that it writes."""

    command: str
    arguments: tuple[str, ...]
    output: str


def job(line: str, output: str) -> Job:
    """The job ``COMMAND ARGUMENTS`` of a line."""
    command, *arguments = line.split()
    return Job(command, tuple(arguments), output)


IMPORT = f"import {MICROGRAPH} x.zarr --threshold otsu --denoise median --window 32"
STATS = job("stats x.zarr -o s.zarr", "s.zarr")
CHAINS = {
    "network": (
        job(f"{IMPORT} --stride 8", "x.zarr"),
        STATS,
        job("fit x.zarr -o m.matvae --decoder dense --n-components 3 --width 32 --max-epochs 20 --seed 0", "m.matvae"),
        job("transform m.matvae x.zarr -o z.zarr", "z.zarr"),
        job("inverse m.matvae z.zarr -o new.zarr --n-realizations 2", "new.zarr"),
        job("export new.zarr new.npy", "new.npy"),
    ),
    "textures": (
        # Few windows, as to make a structure with the statistics of one takes half a second.
        job(f"{IMPORT} --stride 117", "x.zarr"),
        STATS,
        job("fit x.zarr -o m.matvae --decoder statistics --n-components 3 --seed 0", "m.matvae"),
        job("transform m.matvae x.zarr -o z.csv", "z.csv"),
        job("inverse m.matvae z.csv -o new.zarr", "new.zarr"),
        job("export new.zarr new.tif", "new.tif"),
    ),
}


def chain_of(seed: int) -> str:
    """Chain of a round: they take turns."""
    return list(CHAINS)[seed % len(CHAINS)]


def draw_micrograph(file: Path, size: int = 384) -> None:
    """Write grey values of two phases whose grain grows from left to right, with noise."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(size, size))
    fine, coarse = (ndimage.gaussian_filter(noise, width, mode="wrap") for width in (1.5, 4))
    share = np.linspace(0, 1, size)
    field = (1 - share) * fine / fine.std() + share * coarse / coarse.std()
    grey = np.where(field > 0.4, 170, 80) + rng.normal(0, 12, field.shape)
    tifffile.imwrite(file, grey.clip(0, 255).astype(np.uint8))


@dataclass(frozen=True)
class Ended:
    """How a run of a job ended: exit code as a shell gives it, what it said, and what happened when (in seconds).

    ``claimed`` is when the job began to write, ``struck`` whether a signal was sent, and ``pid`` names its process.
    """

    code: int
    said: str
    seconds: float
    claimed: float
    struck: bool = False
    pid: int = 0


class Blow:
    """A signal at a random moment: of the whole run, or of its part after it has begun to write.

    Parameters
    ----------
    rng : random.Random
    undisturbed : Ended
        The run of the same job without a signal.
    """

    def __init__(self, rng: random.Random, undisturbed: Ended) -> None:
        self.signal = rng.choice(SIGNALS)
        self.waits_for_claim = rng.random() < 0.7
        rest = undisturbed.seconds - (undisturbed.claimed if self.waits_for_claim else 0)
        self.delay = rng.uniform(0, 0.9 * rest)

    def is_due(self, seconds: float, claimed: float | None) -> bool:
        """Whether its moment has come, so many seconds after the start and the claim."""
        since = claimed if self.waits_for_claim else 0
        return since is not None and seconds - since >= self.delay


def run(folder: Path, job: Job, options: Sequence[str] = (), blow: Blow | None = None) -> Ended:
    """Run a job, and kill it at the moment of the blow."""
    # The state of training is saved after every step, not every half minute, so that kills find one.
    before = EAGER if blow is not None and job.command == "fit" else ""
    command = [sys.executable, "-c", before + PROGRAM, job.command, *job.arguments, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    claimed, struck, start = None, False, time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said) as process,
    ):
        while process.poll() is None:
            seconds = time.perf_counter() - start
            if claimed is None and any(claims(folder, job.output)):
                claimed = seconds
            if blow is not None and not struck and blow.is_due(seconds, claimed):
                process.send_signal(blow.signal)
                struck = True
            if seconds > PATIENCE:
                process.kill()
                raise FaultError(f"{job.command} did not end within {PATIENCE} s, and was killed.")
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - start
        said.seek(0)
        code = process.returncode
        return Ended(code if code >= 0 else 128 - code, said.read(), seconds, claimed or seconds, struck, process.pid)


def claims(folder: Path, output: str = "") -> Iterator[str]:
    """Folders of unfinished outputs, or of one."""
    for name in os.listdir(folder):
        if name.startswith(f".{output}") and name.endswith(".partial"):
            yield name


def contents(path: Path) -> dict[str, Any]:
    """What a file or all files of a folder hold, by their names, without the times at which a model was trained."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {file.relative_to(path.parent).as_posix(): content(file) for file in files}


def content(file: Path) -> Any:
    """Content of a file; of the files of a model that hold times, the rest."""
    if file.name == "history.jsonl":
        records = [json.loads(line) for line in file.read_text().splitlines()]
        return [{name: value for name, value in record.items() if name != "seconds"} for record in records]
    if file.name == "estimator.json":
        values = json.loads(file.read_text())
        # Two of the hashes are those of times, too.
        return {**values, "sha256": values["sha256"]["weights.safetensors"]}
    return file.read_bytes()


def differences(found: Path, expected: Path) -> list[str]:
    """Names of files that only one of two folders has, or that differ."""
    ours, theirs = contents(found), contents(expected)
    ours, theirs = ({name.partition("/")[2]: value for name, value in each.items()} for each in (ours, theirs))
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


@dataclass
class Tally:
    """What happened to a job in all rounds."""

    runs: int = 0
    kills: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SIGNALS, 0))
    too_late: int = 0
    resumed: int = 0
    equal: int = 0
    unequal: int = 0

    def row(self) -> list[int]:
        """Numbers in the order of `HEAD`."""
        return [self.runs, *self.kills.values(), self.too_late, self.resumed, self.equal, self.unequal]


HEAD = ["job", "runs", "SIGKILL", "SIGTERM", "too late", "resumed", "equal", "unequal"]


class FaultError(Exception):
    """Something that must not happen."""


@dataclass
class Soak:
    """Chains without kills, against which those with kills are held.

    Parameters
    ----------
    folder : Path
        Where everything is written.
    """

    folder: Path
    undisturbed: dict[str, dict[str, Ended]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    resumable: dict[str, bool] = field(default_factory=dict)

    def prepare(self, chain: str) -> None:
        """Run a chain without kills.

        Raises
        ------
        FaultError
            If one of its jobs fails.
        """
        folder = self.folder / chain
        folder.mkdir()
        draw_micrograph(folder / MICROGRAPH)
        ended = {}
        for job in CHAINS[chain]:
            ended[job.command] = run(folder, job)
            if ended[job.command].code:
                raise FaultError(f"{job.command} failed without being disturbed:\n{ended[job.command].said}")
            help_text = run(folder, Job(job.command, ("--help",), job.output)).said
            # A single file is complete or absent: there is nothing in it to go on from.
            is_folder = (folder / job.output).is_dir()
            self.resumable[f"{chain} {job.command}"] = is_folder and "--resume" in help_text
        self.undisturbed[chain] = ended
        times = ", ".join(f"{name} {run.seconds:.1f} s" for name, run in ended.items())
        print(f"{chain}, undisturbed: {times}", flush=True)

    def round(self, seed: int) -> None:
        """Run a chain that has been prepared with kills, and compare; its folder remains if anything is wrong.

        Raises
        ------
        FaultError
        """
        chain = chain_of(seed)
        folder = self.folder / f"{chain}-{seed}"
        folder.mkdir()
        shutil.copy(self.folder / chain / MICROGRAPH, folder)
        rng = random.Random(seed)
        for job in CHAINS[chain]:
            tally = self.tallies.setdefault(job.command, Tally())
            self._disturb(folder, chain, job, tally, rng)
            if different := differences(folder / job.output, self.folder / chain / job.output):
                tally.unequal += 1
                raise FaultError(f"{job.command} wrote other bytes: {', '.join(different)}")
            tally.equal += 1
        if left := set(os.listdir(folder)) - set(os.listdir(self.folder / chain)):
            raise FaultError(f"After all jobs, these are left over: {', '.join(sorted(left))}")
        if different := differences(folder, self.folder / chain):
            raise FaultError(f"After all jobs, these differ: {', '.join(different)}")
        shutil.rmtree(folder)

    def _disturb(self, folder: Path, chain: str, job: Job, tally: Tally, rng: random.Random) -> None:
        """Run a job until it is done, and kill it several times before."""
        resume = ["--resume"] if self.resumable[f"{chain} {job.command}"] else []
        # As in the script of a scheduler, that starts it again and again, or by somebody who then looks for a way out.
        options = list(resume) if rng.random() < 0.5 else []
        most = rng.randint(1, MOST_KILLS)
        for kills in range(most + 1):
            blow = Blow(rng, self.undisturbed[chain][job.command]) if kills < most else None
            ended = run(folder, job, options, blow)
            tally.runs += 1
            tally.resumed += kills > 0 and "--resume" in options
            check(folder, job, ended, blow)
            if ended.code == 0:
                tally.too_late += blow is not None
                return
            assert blow is not None
            tally.kills[blow.signal] += 1
            options = list(resume)
            if (folder / job.output).exists():
                # Killed after it was in place, and before the command said so.
                if different := differences(folder / job.output, self.folder / chain / job.output):
                    raise FaultError(f"{job.command}, killed, left half an output: {', '.join(different)}")
                # What is resumed finds its output complete, but a fit makes the model again.
                options += ["--overwrite"] if not resume or job.command == "fit" else []


def check(folder: Path, job: Job, ended: Ended, blow: Blow | None) -> None:
    """Check how a run of a job ended.

    Raises
    ------
    FaultError
    """
    right = {0} if not ended.struck else {0, 128 + blow.signal}
    where = f"{job.command} (after {ended.seconds:.2f} s{', ' + blow.signal.name if ended.struck else ''})"
    if ended.code not in right:
        raise FaultError(f"{where} ended with exit code {ended.code}:\n{ended.said}")
    if noise := [word for word in NOISE if word in ended.said]:
        raise FaultError(f"{where} said {noise[0]!r}:\n{ended.said}")
    if ended.code == 0 and not (folder / job.output).exists():
        raise FaultError(f"{where} ended with exit code 0 without its output:\n{ended.said}")
    # What a job that was killed leaves, the next one removes, unless SIGTERM comes before.
    own = f".{ended.pid}-"
    if left := [name for name in claims(folder, job.output) if ended.code == 0 or (ended.code == 143 and own in name)]:
        raise FaultError(f"{where} left {', '.join(left)}:\n{ended.said}")


def table(tallies: dict[str, Tally]) -> str:
    """The tallies as text, with their sums."""
    rows = {name: tally.row() for name, tally in tallies.items()}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    cells = [HEAD, *([name, *map(str, row)] for name, row in rows.items())]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    )


def soak(folder: Path, seed: int, goes_on: Callable[[int], bool]) -> int:
    """Run rounds while `goes_on`, print the table, and return how many of them failed.

    Parameters
    ----------
    folder : Path
        Empty; what failed remains in it.
    seed : int
        Of the first round; each further one has the next number.
    goes_on : callable
        Says whether there is another round, given the number of those that are done.
    """
    soak, failed, done, start = Soak(folder), 0, 0, time.monotonic()
    while goes_on(done):
        if chain_of(seed + done) not in soak.undisturbed:
            soak.prepare(chain_of(seed + done))
        try:
            soak.round(seed + done)
            print(f"{time.monotonic() - start:6.0f} s  round {seed + done}: equal", flush=True)
        except FaultError as error:
            failed += 1
            print(f"{time.monotonic() - start:6.0f} s  round {seed + done}: FAILED. {error}", flush=True)
            print(f"Its folder is in {folder}. To repeat it: make soak SOAK='--seed {seed + done} --rounds 1'")
        done += 1
    print(f"\n{table(soak.tallies)}\n\n{done} rounds, of which {failed} failed")
    return failed


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="begin no round after this time (default 30)")
    parser.add_argument("--rounds", type=int, help="number of rounds, instead of a time")
    parser.add_argument("--seed", type=int, help="of the first round (default: random)")
    arguments = parser.parse_args()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    deadline = time.monotonic() + 60 * arguments.minutes

    def goes_on(done: int) -> bool:
        return time.monotonic() < deadline if arguments.rounds is None else done < arguments.rounds

    folder = Path(tempfile.mkdtemp(prefix="matvae-soak-"))
    print(f"seed {seed}, in {folder}", flush=True)
    try:
        failed = soak(folder, seed, goes_on)
    except FaultError as error:
        sys.exit(f"{error}\nEverything is in {folder}.")
    if failed:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
