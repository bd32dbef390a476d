"""Outputs appear complete or not at all: written in a folder beside their destination, and moved there at the end.

The folder of an unfinished output, ``.NAME.PID-START-N@HOST.partial``, names the process that writes it. The next
process that writes NAME removes what dead ones left, and is refused while a living one still writes.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from .errors import StoreError

HOST = re.sub(r"[^\w.-]", "_", socket.gethostname())
# A writer shows every so many seconds that it lives. Its process can be looked up on its own host only; elsewhere, one
# that has been silent for ten times as long is dead.
BEAT_SECONDS = 30.0
SILENT_SECONDS = 10 * BEAT_SECONDS
ASIDE = ".replaced"
# A full disk, a quota, and a limit on the size of a file (ulimit -f).
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Folders in which this process writes at present.
_open: set[Path] = set()


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Claim an output for this process, and yield an empty folder beside it in which to write it.

    The folder is on the file system of the output and is removed at the end, so what is complete must be moved out of
    it before; see `move_into_place`. Two processes that begin within the same millisecond may both be refused.

    Parameters
    ----------
    target : Path
        File or folder that will be written; its parent folder exists.

    Raises
    ------
    StoreError
        If another process is writing this output at the moment, its folder does not exist or cannot be written, or
        there is no room for it.
    """
    folder = _claim(target.absolute())
    done = threading.Event()
    try:
        _refuse_others(target, folder)
        threading.Thread(target=_beat, args=(folder, done), name="matvae-claim", daemon=True).start()
        yield folder
    except OSError as error:
        if error.errno not in NO_ROOM or isinstance(error, StoreError):
            raise
        raise StoreError(
            f"{target} cannot be written: {error.strerror}. Nothing of it remains, and what was there before is "
            "unchanged. Free some space, raise the limit, or choose another folder."
        ) from error
    finally:
        try:
            done.set()
            _open.discard(folder)
            _remove(folder)
        except KeyboardInterrupt:
            # A signal that arrives meanwhile must not leave half of it.
            _remove(folder)
            raise


@contextmanager
def atomic_output(target: Path) -> Iterator[Path]:
    """Yield a path of the same name to write; it replaces `target` if the block ends without an error.

    On an error or interrupt what has been written is removed, and an existing target is kept.

    Raises
    ------
    StoreError
        As in `unfinished`.
    """
    with unfinished(target) as folder:
        yield folder / target.name
        move_into_place(folder / target.name, target)


def move_into_place(complete: Path, target: Path) -> None:
    """Rename a complete file or folder to its final path, and restore a folder it replaces if that fails.

    Parameters
    ----------
    complete : Path
        On the same file system as `target`.
    target : Path
        Final path; whatever exists there is replaced.
    """
    if not target.is_dir():
        complete.replace(target)
        return
    # A folder cannot be renamed over one that holds files, so the old one is set aside until the new one is in place.
    aside = complete.with_name(f"{complete.name}{ASIDE}")
    target.rename(aside)
    try:
        complete.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    ValueError
        If it is not JSON, or lists in it are nested more deeply than Python reads them.
    OSError
        If it cannot be read.
    """
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(text: str) -> Any:
    """Read JSON, with the errors of `read_json`."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("lists or objects in it are nested too deeply") from error


def _claim(target: Path) -> Path:
    """Make the folder in which this process writes, under the first number that is free."""
    for number in count(1):
        folder = target.with_name(f".{target.name}.{os.getpid()}-{_started(os.getpid())}-{number}@{HOST}.partial")
        try:
            folder.mkdir()
        except FileExistsError:
            if folder not in _open:
                # A dead process had this number and this start: a container that was started again.
                shutil.rmtree(folder, ignore_errors=True)
            continue
        except OSError as error:
            raise StoreError(
                f"{target} cannot be written: {error.strerror}. Nothing of it remains. Free some space, obtain write "
                "permission, or choose another folder."
            ) from error
        _open.add(folder)
        return folder
    raise AssertionError("unreachable")


def _refuse_others(target: Path, own: Path) -> None:
    """Remove what dead processes left of this output, and raise an error if a living one is writing it."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)-(\d+)-\d+@(.+)\.partial")
    for name in os.listdir(own.parent):
        other = own.with_name(name)
        match = pattern.fullmatch(name)
        if match is None or other in _open:
            continue
        pid, start, host = int(match[1]), int(match[2]), match[3]
        if _lives(pid, start) if host == HOST and os.name == "posix" else _was_heard(other, own):
            raise StoreError(
                f"{target} is being written by another process, {pid} on {host}. Wait for it, choose another output, "
                f"or, if you know that it no longer runs, remove {other}."
            )
        _remove(other)


def _remove(folder: Path) -> None:
    """Remove the folder of an unfinished output, and put back a result that was set aside in it."""
    for aside in folder.glob(f"*{ASIDE}"):
        # The process ended between the two renames of `move_into_place`, or the second failed.
        if not (replaced := folder.with_name(aside.name.removesuffix(ASIDE))).exists():
            aside.rename(replaced)
    # What another user left may not be ours to remove, and does no harm.
    shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int, start: int) -> bool:
    """Whether a process of this host that started at this moment still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return pid != os.getpid() and _started(pid) == start


def _started(pid: int) -> int:
    """Start of a process in ticks since boot, which tells it from a later one of the same number; 0 if unknown."""
    try:
        # The name of the program, in brackets, may contain blanks.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def _was_heard(other: Path, own: Path) -> bool:
    """Whether the writer in a folder has shown in time that it lives, by the clock of the file system alone."""
    try:
        return own.stat().st_mtime - other.stat().st_mtime < SILENT_SECONDS
    except FileNotFoundError:
        # It has just ended.
        return False


def _beat(folder: Path, done: threading.Event) -> None:
    while not done.wait(BEAT_SECONDS):
        try:
            os.utime(folder)
        except FileNotFoundError:
            return
