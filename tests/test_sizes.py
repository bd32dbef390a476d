"""Sizes as text: three digits, the prefix that suits, and no step at a power of a thousand."""

from __future__ import annotations

import pytest

from matvae.sizes import size_text


@pytest.mark.parametrize(
    ("n_bytes", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (608, "608 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1500, "1.5 kB"),
        (26_214, "26.2 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (2_500_000, "2.5 MB"),
        (999_600_000, "1 GB"),
        (3_200_000_000, "3.2 GB"),
        (1_080_000_000_000_000, "1.08 PB"),
        (3_000_000_000_000_000_000, "3 EB"),
    ],
)
def test_sizes_have_three_digits_and_the_prefix_that_suits(n_bytes, expected):
    assert size_text(n_bytes) == expected
