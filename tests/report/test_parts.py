"""Properties of the contents of pages."""

from __future__ import annotations

from .benchmark_parts import example


def test_lines_of_both_directions_are_counted_together():
    assert [example(0, 1).lines, example(1, 2).lines] == [1, 2]
