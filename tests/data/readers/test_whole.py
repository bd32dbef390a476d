from __future__ import annotations

import os

import numpy as np
import pytest

from matvae.data.readers.whole import whole_array
from matvae.errors import StoreError

VALUES = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
calls = []


def load(path):
    calls.append(path)
    return np.load(path)


@pytest.fixture
def file(tmp_path):
    calls.clear()
    np.save(tmp_path / "a.npy", VALUES)
    return tmp_path / "a.npy"


def test_boxes_of_a_file_are_read_from_it_once(file):
    array = whole_array("a", (3, 4, 5), np.uint8, load, file)
    np.testing.assert_array_equal(array[1:, 2, ::2], VALUES[1:, 2, ::2])
    np.testing.assert_array_equal(array.to_dask().compute(), VALUES)
    assert calls == [file]


def test_a_box_can_be_changed_without_changing_the_next_one(file):
    array = whole_array("a", (3, 4, 5), np.uint8, load, file)
    array[...][:] = 0
    np.testing.assert_array_equal(array[...], VALUES)


def test_a_file_that_changed_or_vanished_is_not_remembered(file):
    array = whole_array("a", (3, 4, 5), np.uint8, load, file)
    assert array[0, 0, 1] == 1
    np.save(file, VALUES + 1)
    os.utime(file, ns=(0, 0))
    assert array[0, 0, 1] == 2
    file.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        array[...]
