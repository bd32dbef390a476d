"""Outputs are complete or absent, claimed by one process, and nothing of dead processes remains."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from matvae import files
from matvae.errors import StoreError
from matvae.files import atomic_output, move_into_place, unfinished


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "content").write_text(text)
    return path


def test_a_result_gets_its_final_name(tmp_path):
    move_into_place(folder(tmp_path / ".new", "new"), tmp_path / "result")
    assert (tmp_path / "result" / "content").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["result"]


def test_files_and_folders_are_replaced_without_residue(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / ".file").write_text("new")
    move_into_place(tmp_path / ".file", tmp_path / "file")
    folder(tmp_path / "folder", "old")
    move_into_place(folder(tmp_path / ".folder", "new"), tmp_path / "folder")
    assert (tmp_path / "file").read_text() == (tmp_path / "folder" / "content").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_the_old_folder_is_restored_if_the_new_one_cannot_be_moved(tmp_path, monkeypatch, error):
    target, complete = folder(tmp_path / "result", "old"), folder(tmp_path / ".new", "new")
    rename = Path.rename

    def fail_for_the_new(self, to):
        if self == complete:
            raise error
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(error):
        move_into_place(complete, target)
    assert (target / "content").read_text() == "old"
    assert (complete / "content").read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("folder", [False, True])
def test_an_interrupt_leaves_only_the_old_result(tmp_path, error, folder):
    out = tmp_path / ("z.zarr" if folder else "z.npy")
    _write(out, "old", folder)

    def interrupted():
        with atomic_output(out) as temporary:
            _write(temporary, "half", folder)
            raise error

    with pytest.raises(error):
        interrupted()
    assert _read(out, folder) == "old"
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("folder", [False, True])
def test_a_complete_result_replaces_the_old_one(tmp_path, folder):
    out = tmp_path / ("z.zarr" if folder else "z.npy")
    for text in ("old", "new"):
        with atomic_output(out) as temporary:
            _write(temporary, text, folder)
            assert temporary.suffix == out.suffix
        assert _read(out, folder) == text
    assert os.listdir(tmp_path) == [out.name]


def _write(path, text, folder):
    if folder:
        path.mkdir()
        path = path / "file"
    path.write_text(text)


def _read(path, folder):
    return (path / "file" if folder else path).read_text()


@pytest.fixture
def another(tmp_path):
    """Start a process that writes `tmp_path / "out"` until it is killed; returns the process and its folder."""
    started = []

    def start():
        program = (
            "import sys, time\nfrom pathlib import Path\nfrom matvae.files import unfinished\n"
            f"with unfinished(Path({str(tmp_path / 'out')!r})) as folder:\n"
            "    (folder / 'half').write_text('half')\n    print(folder, flush=True)\n    time.sleep(300)"
        )
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_an_output_that_another_process_writes_is_refused_by_name(another, tmp_path):
    process, folder_of_other = another()
    with pytest.raises(StoreError, match=rf"out is being written by another process, {process.pid} on ") as refused:
        write_text(tmp_path / "out", "mine")
    assert str(folder_of_other) in str(refused.value)
    # What the living process writes is untouched, and nothing else remains.
    assert (folder_of_other / "half").read_text() == "half"
    assert os.listdir(tmp_path) == [folder_of_other.name]
    # Other names, though they begin alike, are free.
    write_text(tmp_path / "out.csv", "mine")


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_this_output(another, tmp_path):
    process, folder_of_other = another()
    process.kill()
    process.wait()
    write_text(tmp_path / "other", "another output does not own it")
    assert folder_of_other.exists()
    write_text(tmp_path / "out", "mine")
    assert sorted(os.listdir(tmp_path)) == ["other", "out"]


def test_a_later_process_of_the_same_number_is_not_the_owner(tmp_path):
    leftover = tmp_path / f".out.{os.getppid()}-1-1@{files.HOST}.partial"
    leftover.mkdir()
    of_this_number = tmp_path / f".out.{os.getpid()}-{files._started(os.getpid())}-1@{files.HOST}.partial"
    of_this_number.mkdir()
    write_text(tmp_path / "out", "mine")
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("silent", [0.5, 2.0])
def test_a_process_of_another_host_lives_as_long_as_it_is_heard(tmp_path, silent):
    of_other = tmp_path / ".out.12-34-1@elsewhere.partial"
    of_other.mkdir()
    heard = time.time() - silent * files.SILENT_SECONDS
    os.utime(of_other, (heard, heard))
    if silent < 1:
        with pytest.raises(StoreError, match="12 on elsewhere"):
            write_text(tmp_path / "out", "mine")
        assert os.listdir(tmp_path) == [of_other.name]
    else:
        write_text(tmp_path / "out", "mine")
        assert os.listdir(tmp_path) == ["out"]


def test_a_writer_shows_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BEAT_SECONDS", 0.01)
    with files.unfinished(tmp_path / "out") as own:
        os.utime(own, (0, 0))
        deadline = time.monotonic() + 30
        while not own.stat().st_mtime and time.monotonic() < deadline:
            time.sleep(0.01)
        assert own.stat().st_mtime > 0


def test_one_process_may_claim_an_output_again_while_it_writes_it(tmp_path):
    with files.unfinished(tmp_path / "out"):
        write_text(tmp_path / "out", "mine")
    assert os.listdir(tmp_path) == ["out"]


def test_a_result_that_a_killed_process_had_set_aside_comes_back(tmp_path):
    leftover = tmp_path / f".out.{os.getppid()}-1-1@{files.HOST}.partial"
    leftover.mkdir()
    folder(leftover / "out.replaced", "old")
    with pytest.raises(OSError, match="stopped"), files.unfinished(tmp_path / "out"):
        raise OSError("stopped")
    assert (tmp_path / "out" / "content").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named(tmp_path, number):
    with (
        pytest.raises(StoreError, match=r"out cannot be written: .*\. Nothing of it remains"),
        files.unfinished(tmp_path / "out"),
    ):
        raise OSError(number, os.strerror(number))
    assert os.listdir(tmp_path) == []


def write_text(path, text):
    with files.atomic_output(path) as temporary:
        temporary.write_text(text)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"none/out cannot be written: No such file or directory"):
        write_text(tmp_path / "none" / "out", "mine")


def test_an_interrupt_while_the_folder_is_removed_leaves_nothing_of_it(tmp_path, monkeypatch):
    remove, calls = shutil.rmtree, []

    def interrupted(folder, **options):
        calls.append(folder)
        if len(calls) == 1:
            (folder / "first").unlink()
            raise KeyboardInterrupt
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    writing = unfinished(tmp_path / "x")
    folder = writing.__enter__()
    for name in ("first", "second"):
        (folder / name).touch()
    with pytest.raises(KeyboardInterrupt):
        writing.__exit__(None, None, None)
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []
