from __future__ import annotations

from pathlib import Path

import pytest

from matvae.data.readers import READERS, pick_name
from matvae.data.readers.source import check_declared_size, check_piece_size, is_visible, natural_order, visible_files
from matvae.errors import InputError


def test_numbers_in_names_are_sorted_as_numbers():
    names = ["b10", "b9", "a2", "10", "9", "b9c"]
    ordered = sorted(map(Path, names), key=natural_order)
    assert [path.name for path in ordered] == ["9", "10", "a2", "b9", "b9c", "b10"]


def test_the_only_name_a_full_name_or_its_last_part_is_chosen():
    assert pick_name(Path("f"), ["a/b"], None) == "a/b"
    assert pick_name(Path("f"), ["a/b", "b"], "b") == "b"
    assert pick_name(Path("f"), ["a/b", "c/d"], "d") == "c/d"


@pytest.mark.parametrize(
    ("candidates", "name", "message"),
    [
        ([], None, "should hold arrays of numbers"),
        (["a", "b"], None, r"several arrays: 'a', 'b'\. Choose one"),
        (["a/x", "b/x"], "x", "several arrays called 'x'"),
        (["a"], "x", "no arrays called 'x'; it has 'a'"),
    ],
)
def test_ambiguous_names_list_the_candidates(candidates, name, message):
    with pytest.raises(InputError, match=message):
        pick_name(Path("f"), candidates, name)


def test_every_reader_can_be_imported_and_has_both_methods():
    for name in READERS.names():
        reader = READERS.get(name)
        assert callable(reader.matches)
        assert callable(reader.open)


def test_digits_that_are_no_numbers_are_sorted_as_text():
    ordered = sorted(map(Path, ["1²3", "10", "2"]), key=natural_order)
    assert [path.name for path in ordered] == ["1²3", "2", "10"]


def test_hidden_files_are_not_visible(tmp_path):
    assert [is_visible(name) for name in ("a.tif", "b/a.tif", "._a.tif", ".b/a.tif", "__MACOSX/a.tif")] == [
        1,
        1,
        0,
        0,
        0,
    ]
    for name in ("s10.tif", "s9.TIF", "._s9.tif", "s1.png"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.tif").mkdir()
    assert [file.name for file in visible_files(tmp_path, (".tif",))] == ["s9.TIF", "s10.tif"]


def test_pieces_that_do_not_fit_into_memory_are_refused():
    check_piece_size("a.tif", 1000, "page")
    message = r"Each page of a\.tif, which is decoded as a whole, needs about 1 TB.*in smaller pages\."
    with pytest.raises(InputError, match=message):
        check_piece_size("a.tif", 10**12, "page")


def test_more_than_a_file_can_hold_is_refused():
    check_declared_size("a.tif", 1000, 100, 10)
    with pytest.raises(InputError, match=r"a\.tif declares 1001 bytes of values, but its 100 bytes cannot hold them"):
        check_declared_size("a.tif", 1001, 100, 10)
