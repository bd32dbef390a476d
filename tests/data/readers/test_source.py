from __future__ import annotations

from pathlib import Path

import pytest

from matvae.data.readers import READERS, pick_name
from matvae.data.readers.source import natural_order
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
