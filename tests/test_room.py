"""Room on the disk and the largest size of a file, checked before work."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from matvae import room
from matvae.errors import InputError
from matvae.room import check_room, expected_results, expecting, size_on_disk


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
    with pytest.raises(InputError, match=rf"^This needs about 3.5 GB in {tmp_path}, but 2 GB are free\."):
        check_room(tmp_path / "x", 3_500_000_000, largest=1, what="This")
    disk(free=10**12, limit=4_000)
    with pytest.raises(InputError, match=r"^This needs a file of about 20 MB, but .* beyond 4 kB .*ulimit -f"):
        check_room(tmp_path / "x", 30_000_000, largest=20_000_000, what="This")


def test_the_limit_of_this_process_is_read(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (4096, resource.RLIM_INFINITY))
    assert room._largest_file() == 4096
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert room._largest_file() is None


def test_a_result_of_known_size_is_refused_before_it_is_begun(tmp_path, disk):
    disk(free=999)
    with (
        pytest.raises(InputError, match=r"z\.npy needs about 1 kB"),
        expecting(tmp_path / "z.npy", 1000, exactly=True),
    ):
        pytest.fail("It was begun.")
    assert expected_results() == []


def test_what_is_known_of_sizes_lasts_as_long_as_the_result_is_written(tmp_path, disk):
    disk(free=1)
    with expecting(tmp_path / "a.zarr", 50) as first, expecting(tmp_path / "a.zarr", 50) as second:
        assert [each.certainty for each in expected_results()] == ["at most", "at most"]
        assert all(a is b for a, b in zip(expected_results(), [first, second], strict=True))
    assert expected_results() == []


def test_the_first_part_tells_how_well_the_whole_compresses(tmp_path, disk):
    disk(free=10_000)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "c0").write_bytes(b"x" * 300)
    with expecting(tmp_path / "a.zarr", 100_000) as result:
        result.learn(tmp_path / "part", 0.1)
        assert (result.n_bytes, result.certainty) == (3000, "about")
        result.learn(tmp_path / "part", 0.001)
        assert result.n_bytes == 3000


def test_a_whole_that_will_not_fit_is_refused_after_its_first_part(tmp_path, disk):
    (tmp_path / "part").write_bytes(b"x" * 1000)
    # It will take 100 kB. Parts compress differently, so that a little too much is not refused.
    disk(free=80_000)
    with expecting(tmp_path / "a.zarr", 10**9) as result:
        result.learn(tmp_path / "part", 0.01)
    disk(free=70_000)
    with (
        expecting(tmp_path / "a.zarr", 10**9) as result,
        pytest.raises(InputError, match=r"The rest of .*a\.zarr needs about 79 kB .* 70 kB are free"),
    ):
        result.learn(tmp_path / "part", 0.01)


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"12345")
    (tmp_path / "other").write_bytes(b"123")
    assert size_on_disk(tmp_path) == 8
    assert size_on_disk(tmp_path / "other") == 3
