"""Full disks, limits on files and on memory, and readers that leave."""

from __future__ import annotations

import os
import subprocess

import pytest

OUTPUTS = {
    "fit": ("fit", "l.zarr", "-o", "o.matvae", "--decoder", "dense", "--max-epochs", 1),
    "fit of textures": ("fit", "l.zarr", "-o", "o.matvae", "--decoder", "statistics", "--n-components", 2),
    "transform to .npy": ("transform", "m.matvae", "l.zarr", "-o", "o.npy"),
    "transform to .csv": ("transform", "m.matvae", "l.zarr", "-o", "o.csv"),
    "transform to .zarr": ("transform", "m.matvae", "l.zarr", "-o", "o.zarr"),
    "stats": ("stats", "l.zarr", "-o", "o.zarr"),
    "import": ("import", "l.zarr", "o.zarr", "--window", 16),
    "dataset make": ("dataset", "make", "grf", "o.zarr", "--n", 20, "--size", 64),
    "inverse": ("inverse", "m.matvae", "z.csv", "-o", "o.zarr"),
    "export to .npy": ("export", "l.zarr", "o.npy"),
    "export to .tiff": ("export", "l.zarr", "o.tiff"),
    "info --figure": ("info", "l.zarr", "--figure", "o.png"),
}
# Their size is known before they are written.
KNOWN = ("fit", "fit of textures", "transform to .npy")


@pytest.mark.parametrize("job", OUTPUTS)
def test_a_limit_on_the_size_of_files_is_an_error_that_leaves_nothing(run, check, folder, job):
    (folder / "z.csv").write_text("z0,z1\n" + "0.1,0.2\n" * 100)
    before = sorted(os.listdir(folder))
    outcome = run(*OUTPUTS[job], cwd=folder, file_size=256)
    # Where the size is known before, the job is refused: it does not fit.
    code = 3 if job in KNOWN else 4
    check(f"{job}, files up to 256 bytes", outcome, code, "error: ", folder=folder)
    assert sorted(os.listdir(folder)) == before


def test_a_reader_that_leaves_is_no_failure(start, check, folder):
    for arguments in (("info", "l.zarr"), ("--help",), ("dataset", "list")):
        read, write = os.pipe()
        os.close(read)
        command = start(*arguments, cwd=folder, stdout=write)
        os.close(write)
        check(f"matvae {' '.join(arguments)} | head -0", command.end(), 0)


def test_closed_stdout_is_no_failure(start, check, folder):
    command = start("info", "l.zarr", cwd=folder, before="import sys\nsys.stdout = None\n", stdout=subprocess.DEVNULL)
    check("matvae info >&-", command.end(), 0)


@pytest.mark.parametrize("megabytes", [500, 1200, 1500])
def test_too_little_memory_is_called_that(run, check, folder, megabytes):
    for job in ("fit", "stats", "transform to .csv", "import"):
        outcome = run(
            *OUTPUTS[job], "--overwrite", cwd=folder, memory=megabytes << 20, env={"OPENBLAS_NUM_THREADS": "1"}
        )
        said = outcome.code == 0 or "too little memory" in outcome.err
        what = f"{job} in an address space of {megabytes} MB"
        check(what, outcome, (0, 3), folder=folder, holds=said, threads_may_fail=True)


# Disks of their own, which end with the command: one without a free byte, and one that is read-only.
DISKS = {
    "a full disk": "mount -t tmpfs -o size=64k none disk && (cat /dev/zero > disk/filler 2> /dev/null; true)",
    "a read-only disk": "mount -t tmpfs none disk && touch disk/filler && mount -o remount,ro disk",
}


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("job", OUTPUTS)
def test_a_disk_without_room_is_an_error_that_leaves_nothing(run, check, folder, job, disk):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("This user may not mount a disk of its own.")
    (folder / "z.csv").write_text("z0,z1\n" + "0.1,0.2\n" * 100)
    (folder / "disk").mkdir()
    script = f'{DISKS[disk]}; "$@"; code=$?; ls -A disk > listing; exit $code'
    arguments = [f"disk/{part}" if str(part).startswith("o.") else part for part in OUTPUTS[job]]
    outcome = run(*arguments, cwd=folder, prefix=("unshare", "-rm", "sh", "-c", script, "sh"))
    left = (folder / "listing").read_text().split()
    # A result whose size is known is refused before any work.
    check(f"{job} to {disk}", outcome, (3, 4), "error: ", holds=left == ["filler"])
