"""Room on the disk and the largest size of a file, checked before work."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from matvae import room
from matvae.errors import StoreError
from matvae.room import check_room


@pytest.fixture
def disk(monkeypatch):
    """Simulate free bytes on the disk, and a limit on the size of files."""

    def simulate(free, limit=None):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
        monkeypatch.setattr(room, "_largest_file", lambda: limit)

    return simulate


def test_what_fits_is_accepted(tmp_path, disk):
    disk(free=1000, limit=400)
    check_room(tmp_path / "x", 1000, largest=400, what="This")
    disk(free=1000)
    check_room(tmp_path / "x", 1000, largest=1000, what="This")


def test_a_full_disk_and_a_limit_are_named_with_both_sizes(tmp_path, disk):
    disk(free=2_000_000_000)
    with pytest.raises(StoreError, match=rf"^This needs about 3.5 GB in {tmp_path}, but 2.0 GB are free\."):
        check_room(tmp_path / "x", 3_500_000_000, largest=1, what="This")
    disk(free=10**12, limit=4_000)
    with pytest.raises(StoreError, match=r"^This needs a file of about 20 MB, but .* beyond 0\.004 MB .*ulimit -f"):
        check_room(tmp_path / "x", 30_000_000, largest=20_000_000, what="This")


def test_the_limit_of_this_process_is_read(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (4096, resource.RLIM_INFINITY))
    assert room._largest_file() == 4096
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert room._largest_file() is None
