"""Every job is struck by every signal while it works: nothing half-made remains, and the next run gives its bytes."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import PROGRAM, contents

# Arguments and output of jobs that take some seconds.
JOBS: dict[str, tuple[str, str]] = {
    "dataset make": ("dataset make lines o.zarr --n 20000 --size 64", "o.zarr"),
    "import": ("import many.zarr o.zarr --window 16", "o.zarr"),
    "stats": ("stats many.zarr -o o.zarr --cutoff 4", "o.zarr"),
    "fit": ("fit many.zarr -o o.matvae --decoder statistics --n-components 2 --cutoff 16 --seed 0", "o.matvae"),
    "transform": ("transform w.matvae many.zarr -o o.zarr", "o.zarr"),
    "transform to .npy": ("transform w.matvae many.zarr -o o.npy", "o.npy"),
    "transform to .csv": ("transform w.matvae many.zarr -o o.csv", "o.csv"),
    "inverse": ("inverse m.matvae z.csv -o o.zarr --n-realizations 4", "o.zarr"),
    "reconstruct": ("reconstruct s.zarr -o o.zarr --n-realizations 4 --seed 1", "o.zarr"),
    "optimize": ("optimize m.matvae --property volume_fraction --target 0.3 -o o.zarr --max-iter 60", "o.zarr"),
    "export": ("export many.zarr o.npy --samples all", "o.npy"),
    "report": ("report m.matvae l.zarr -o o.html", "o.html"),
    "evaluate": ("evaluate m.matvae l.zarr --figure o.png", "o.png"),
    "compare": ("compare m.matvae l.zarr --n-components 1,2 --max-epochs 3 --figure o.png", "o.png"),
    "representative": ("representative many.zarr --figure o.png", "o.png"),
    "info": ("info many.zarr --figure o.png", "o.png"),
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Their outputs state the time that something took, or the date.
TIMED = ("fit", "report")


@pytest.fixture(scope="module")
def inputs(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the jobs read."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("l.zarr", "m.matvae"):
        shutil.copytree(made / name, folder / name)
    (folder / "z.csv").write_text("z0,z1\n" + "0.1,0.2\n-0.3,0.1\n" * 3000)
    for line in (
        "dataset make lines many.zarr --n 20000 --size 64",
        "fit many.zarr -o w.matvae --decoder dense --width 16 --n-components 2 --max-time 1",
        "stats l.zarr -o s.zarr",
    ):
        subprocess.run([sys.executable, "-c", PROGRAM, *line.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("job", JOBS)
def test_a_job_that_is_struck_leaves_nothing_half_made_and_the_next_run_is_whole(
    start, run, check, inputs, tmp_path, job
):
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    line, output = JOBS[job]
    began, before = time.monotonic(), {path.name for path in tmp_path.iterdir()}
    whole = run(*line.split(), cwd=tmp_path)
    seconds = time.monotonic() - began
    check(f"{job} without a signal", whole, 0, folder=tmp_path)
    expected = contents(tmp_path / output)
    remove(tmp_path / output)
    for number in SIGNALS:
        command = start(*line.split(), cwd=tmp_path)
        time.sleep(random.uniform(0.2, 0.95) * seconds)
        command.signal(number)
        struck = command.end()
        # Before Python runs the program, the signal itself ends it; after the end, it comes too late.
        codes = (0, 128 + number, -number) if number != signal.SIGKILL else (0, -number)
        left = {path.name for path in tmp_path.iterdir()} - before
        # kill -9 leaves what has the name of the dead process, which the next run removes.
        half = {name for name in left if not (number == signal.SIGKILL and name.endswith(".partial"))}
        holds = half <= {output, f"{output}.checkpoint"}
        if (tmp_path / output).exists():
            holds &= job in TIMED or contents(tmp_path / output) == expected
            remove(tmp_path / output)
        name = signal.Signals(number).name
        check(f"{name} during {job}", struck, codes, holds=holds)
        if not (left := {path.name for path in tmp_path.iterdir()} - before):
            continue
        resume = ["--resume"] if f"{output}.checkpoint" in left else []
        again = run(*line.split(), *resume, cwd=tmp_path)
        same = job in TIMED or contents(tmp_path / output) == expected
        check(f"{job} after {name}", again, 0, folder=tmp_path, holds=same)
        assert {path.name for path in tmp_path.iterdir()} - before == {output}
        remove(tmp_path / output)


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
