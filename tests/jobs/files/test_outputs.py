"""Outputs: separation from the input, and replacement of results only on request."""

from __future__ import annotations

import os

import numpy as np
import pytest

from matvae.data import save_structures
from matvae.errors import InputError, StoreError
from matvae.jobs.files.outputs import check_output, is_result, remove


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "a.zarr"
    save_structures(path, np.zeros((2, 8, 8), np.uint8))
    return path


@pytest.mark.parametrize("inside", ["a.zarr", "a.zarr/b.zarr", "a.zarr/phase/b.npy", "."])
def test_output_and_input_may_not_contain_one_another(store, tmp_path, inside):
    with pytest.raises(InputError, match="must not contain one another"):
        check_output(tmp_path / inside, [store], overwrite=True)


def test_links_into_the_input_are_followed(store, tmp_path):
    (tmp_path / "link").symlink_to(store, target_is_directory=True)
    with pytest.raises(InputError, match="must not contain one another"):
        check_output(tmp_path / "link" / "b.zarr", [store])


def test_an_existing_output_is_replaced_only_on_request(store, tmp_path):
    with pytest.raises(InputError, match=r"exists already.*--overwrite"):
        check_output(store, [])
    assert check_output(store, [], overwrite=True) == store


@pytest.mark.parametrize("name", ["thesis.tex", "folder"])
def test_files_that_matvae_did_not_write_are_never_replaced(tmp_path, name):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
        (path / "zarr.json").write_text('{"attributes": {}}')
    else:
        path.write_text("chapter")
    with pytest.raises(InputError, match="was not written by matvae"):
        check_output(path, [], overwrite=True)


def test_the_folder_of_an_output_must_exist(tmp_path):
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        check_output(tmp_path / "no" / "z.npy", [])


def test_a_folder_that_is_not_writable_raises_a_store_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="is not writable"):
        check_output(tmp_path / "z.npy", [])


def test_stores_and_files_are_recognised_as_results(store, tmp_path):
    table = tmp_path / "z.csv"
    table.write_text("a\n1\n")
    broken = tmp_path / "broken.zarr"
    broken.mkdir()
    (broken / "zarr.json").write_text("{")
    assert is_result(store)
    assert is_result(table)
    assert not is_result(broken)
    assert not is_result(tmp_path)


def test_size_and_removal(tmp_path):
    folder = tmp_path / "folder"
    _write(folder, "12345", True)
    remove(folder)
    remove(folder)
    assert not folder.exists()


def _write(path, text, folder):
    if folder:
        path.mkdir()
        path = path / "file"
    path.write_text(text)
