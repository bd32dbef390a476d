"""What a job has done is kept beside its output, continued by the same request alone, and removed at the end."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures
from matvae.crew import ALONE
from matvae.errors import InputError, StoreError
from matvae.estimator.pretrained import model_folder
from matvae.files import unfinished
from matvae.jobs.files import kept as module
from matvae.jobs.files.kept import (
    JobInterrupted,
    Request,
    digest,
    digest_of_model,
    digest_of_structures,
    is_begun,
    kept_results,
)

from ...structures import blobs

REQUEST = Request({"job": "squares", "seed": 0, "shape": (8, 8)}, {"latents": "a"})


class Squares:
    """Squares of numbers, with the numbers that were computed; stops after `most` of them."""

    def __init__(self, most=100):
        self.computed = []
        self.most = most

    def __call__(self, given, number):
        if len(self.computed) == self.most:
            raise KeyboardInterrupt
        self.computed.append(number)
        return np.full((2, 3), number**2 + given), None, np.array([number / 3])


def results(squares, target, request=REQUEST, **options):
    """All results of a job, with the names of what it took over."""
    with kept_results(target, request, **{"resume": True, **options}) as kept:
        found = list(kept.in_order(ALONE, squares, ((n,) for n in range(5)), 0.5))
    return found, kept.taken


def interrupted(target, most=3):
    with pytest.raises(JobInterrupted, match=r"Interrupted. What is done is kept in .*\.o\.resume.*--resume"):
        results(Squares(most), target)


def equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1] is other[1] is None
        assert (one[2], one[0].dtype) == (other[2], other[0].dtype)


def test_only_what_is_missing_is_computed_and_the_results_are_the_same(tmp_path):
    expected, taken = results(Squares(), tmp_path / "whole")
    assert taken == set()
    interrupted(tmp_path / "o")
    assert os.listdir(tmp_path) == [".o.resume"]
    again = Squares()
    found, taken = results(again, tmp_path / "o")
    equal(found, expected)
    assert again.computed == [3, 4]
    assert taken == {"0", "1", "2"}
    assert os.listdir(tmp_path) == []


def test_an_array_alone_comes_back_as_it_was(tmp_path):
    def job(most):
        with kept_results(tmp_path / "o", REQUEST, resume=True) as kept:
            for done, block in enumerate(kept.in_order(ALONE, lambda _, n: np.uint8([n]), [(0,), (1,)])):
                if done == most:
                    raise KeyboardInterrupt
                yield block.tolist()

    with pytest.raises(JobInterrupted):
        list(job(1))
    assert list(job(2)) == [[0], [1]]


def test_values_are_kept_by_name(tmp_path):
    def job():
        with kept_results(tmp_path / "o", REQUEST, resume=True) as kept:
            assert kept.values("a") is kept.arrays("m") is None
            kept.keep_values("a", {"error": 0.1, "n": np.int64(3), "none": None})
            kept.keep_arrays("m", {"x/y": np.arange(3)})
            raise KeyboardInterrupt

    with pytest.raises(JobInterrupted):
        job()
    with kept_results(tmp_path / "o", REQUEST, resume=True) as kept:
        assert kept.values("a") == {"error": 0.1, "n": 3, "none": None}
        assert kept.arrays("m")["x/y"].tolist() == [0, 1, 2]
        assert kept.names() == kept.taken == {"a", "m"}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_part_is_computed_again(tmp_path, damage):
    expected, _ = results(Squares(), tmp_path / "whole")
    interrupted(tmp_path / "o")
    file = tmp_path / ".o.resume" / "1.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0x55
    file.write_bytes({"truncated": content[:-30], "flipped": content, "empty": b""}[damage])
    again = Squares()
    found, taken = results(again, tmp_path / "o")
    equal(found, expected)
    assert again.computed == [1, 3, 4]
    assert taken == {"0", "2"}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request({**REQUEST.settings, "seed": 1}, REQUEST.inputs), "seed=0 instead of 1"),
        (Request({**REQUEST.settings, "shape": (8, 9)}, REQUEST.inputs), r"shape=\[8, 8\] instead of \[8, 9\]"),
        (Request(REQUEST.settings, {"latents": "b"}), "other latents"),
        (Request({**REQUEST.settings, "job": "cubes"}, {"latents": "b"}), "job='squares' .*, other latents"),
    ],
)
def test_what_is_kept_belongs_to_one_request(tmp_path, request_, words):
    interrupted(tmp_path / "o")
    with pytest.raises(InputError, match=rf"has done with {words}.*remove .*\.o\.resume to start again"):
        results(Squares(), tmp_path / "o", request_)
    # Nothing was lost: the first request still continues.
    again = Squares()
    results(again, tmp_path / "o")
    assert again.computed == [3, 4]
    interrupted(tmp_path / "o")
    anew = Squares()
    results(anew, tmp_path / "o", request_, overwrite=True)
    assert anew.computed == [0, 1, 2, 3, 4]


def test_another_version_of_matvae_is_another_request(tmp_path, monkeypatch):
    interrupted(tmp_path / "o")
    monkeypatch.setattr(module, "__version__", "99")
    with pytest.raises(InputError, match=r"matvae \d.* instead of 99"):
        results(Squares(), tmp_path / "o")


def test_without_resume_nothing_is_kept_and_what_is_kept_is_not_lost(tmp_path):
    with pytest.raises(KeyboardInterrupt) as stopped:
        results(Squares(3), tmp_path / "o", resume=False)
    assert not isinstance(stopped.value, JobInterrupted)
    assert os.listdir(tmp_path) == []
    interrupted(tmp_path / "o")
    with pytest.raises(InputError, match=r"\.o\.resume holds .*--resume .*--overwrite"):
        results(Squares(), tmp_path / "o", resume=False)
    assert is_begun(tmp_path / "o")
    again = Squares()
    results(again, tmp_path / "o", resume=False, overwrite=True)
    assert again.computed == [0, 1, 2, 3, 4]
    assert os.listdir(tmp_path) == []


def test_an_interrupt_before_anything_is_done_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt) as stopped:
        results(Squares(0), tmp_path / "o")
    assert not isinstance(stopped.value, JobInterrupted)
    assert os.listdir(tmp_path) == []


def test_an_error_keeps_what_is_done_and_says_so(tmp_path, caplog):
    def job():
        with kept_results(tmp_path / "o", REQUEST, resume=True) as kept:
            kept.keep_values("a", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        job()
    assert "What is done is kept in" in caplog.text
    assert is_begun(tmp_path / "o")


def test_one_process_alone_works_on_an_output(tmp_path):
    with unfinished(tmp_path / "o") as other:
        alien = other.with_name(other.name.replace(f"{os.getpid()}-", f"{os.getppid()}-").replace("@", "@x"))
        alien.mkdir()
        (tmp_path / ".o.resume").mkdir()
        for options in ({"resume": True}, {"resume": False, "overwrite": True}):
            with pytest.raises(StoreError, match="is being written by another process"):
                results(Squares(), tmp_path / "o", **options)
        assert is_begun(tmp_path / "o")


def test_a_full_disk_ends_the_keeping_but_not_the_job(tmp_path, monkeypatch):
    expected, _ = results(Squares(), tmp_path / "whole")
    save = np.savez_compressed

    def full_after_two(file, **arrays):
        if len(list((tmp_path / ".o.resume").glob("*.npz"))) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(file, **arrays)

    monkeypatch.setattr(np, "savez_compressed", full_after_two)
    with pytest.warns(UserWarning, match="cannot be kept any longer: .*No space left"):
        found, _ = results(Squares(), tmp_path / "o")
    equal(found, expected)
    assert os.listdir(tmp_path) == []
    with pytest.warns(UserWarning, match="cannot be kept any longer"):
        interrupted(tmp_path / "o", most=4)
    monkeypatch.undo()
    again = Squares()
    results(again, tmp_path / "o")
    assert again.computed == [2, 3, 4]


def test_a_damaged_request_is_named(tmp_path):
    interrupted(tmp_path / "o")
    (tmp_path / ".o.resume" / "request.json").write_text("[]")
    with pytest.raises(StoreError, match=r"\.o\.resume is damaged .*Remove it, and start again"):
        results(Squares(), tmp_path / "o")


def test_a_folder_without_a_request_is_begun_again(tmp_path):
    # The process was killed in the moment between the two.
    (tmp_path / ".o.resume").mkdir()
    again = Squares()
    results(again, tmp_path / "o")
    assert again.computed == [0, 1, 2, 3, 4]


def test_digests_tell_shapes_types_and_values_apart():
    a = np.arange(6.0)
    different = [a, a.reshape(2, 3), a.astype(np.float32), -a, a[::-1], np.arange(0.0)]
    assert len({digest(each) for each in different}) == len(different)
    assert digest(a.reshape(2, 3).T) == digest(a.reshape(2, 3).T.copy())


def test_structures_are_told_apart_by_voxels_number_grid_and_properties():
    labels = blobs(3, (8, 12), volume_fraction=0.4)
    first = Structures(da.from_array(labels), Grid((8, 12)), properties={"k": np.arange(3.0)})
    others = [
        first,
        replace(first, data=da.from_array(1 - labels)),
        first[:2],
        replace(first, grid=Grid((8, 12), voxel_size=2.0)),
        replace(first, properties={"k": np.arange(3.0) + 1}),
        replace(first, properties={"l": np.arange(3.0)}),
    ]
    assert len({digest_of_structures(each) for each in others}) == len(others)
    assert digest_of_structures(first) == digest_of_structures(replace(first, data=da.from_array(labels.copy())))


def test_equal_fits_are_the_same_model_however_long_they_took(tmp_path):
    windows = blobs(60, (16, 16), width=2.0, volume_fraction=0.4)
    fits = {
        name: StatsVAETransformer(n, decoder="statistics", periodic=False, cutoff=4, random_state=0).fit(windows)
        for name, n in {"first": 1, "again": 1, "larger": 2}.items()
    }
    fits["again"].history_[0]["seconds"] += 1
    for name, fit in fits.items():
        fit.save(tmp_path / name)
    first, again, larger = (digest_of_model(tmp_path / name) for name in fits)
    assert first == again != larger
    assert (tmp_path / "first" / "estimator.json").read_text() != (tmp_path / "again" / "estimator.json").read_text()


def test_a_pretrained_model_is_recognized_by_its_name():
    assert digest_of_model("pretrained:alloy") == digest_of_model(model_folder("pretrained:alloy"))
