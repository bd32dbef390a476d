from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matvae.data.readers.stack import stack_images
from matvae.errors import InputError, StoreError

FILES = [Path(f"{i}.img") for i in range(5)]
OPENED: list[str] = []


def describe(path):
    return ((3, 4) if path.stem != "odd" else (3, 5)), np.dtype("u1")


def read_one(path, box):
    OPENED.append(path.name)
    return np.full((3, 4), int(path.stem), dtype=np.uint8)[box]


def test_only_files_in_the_box_are_opened():
    OPENED.clear()
    blocks = stack_images(Path("folder"), FILES, describe, read_one)
    np.testing.assert_array_equal(blocks[1:3, 2], [[1] * 4, [2] * 4])
    assert OPENED == ["1.img", "2.img"]
    assert blocks[2:2].shape == (0, 3, 4)


def broken(path, *box):
    if path.stem == "2":
        raise ValueError("no image")
    return read_one(path, *box) if box else describe(path)


def test_a_file_that_cannot_be_opened_or_read_is_named():
    with pytest.raises(InputError, match=r"2\.img in folder cannot be opened: ValueError: no image"):
        stack_images("folder", FILES, broken, read_one)
    with pytest.raises(StoreError, match=r"2\.img in folder cannot be read: ValueError: no image"):
        stack_images("folder", FILES, describe, broken)[1:4]


def test_the_first_file_that_differs_is_named():
    with pytest.raises(InputError, match=r"0\.img is \(3, 4\) uint8 and odd\.img is \(3, 5\) uint8"):
        stack_images(Path("folder"), [*FILES, Path("odd.img")], describe, read_one)
