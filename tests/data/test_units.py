from __future__ import annotations

import pytest

from matvae.data.units import UNITS, known_unit, length_unit


@pytest.mark.parametrize(
    ("text", "name", "metres"),
    [
        ("micrometer", "micrometer", 1e-6),
        ("µm", "micrometer", 1e-6),
        ("μm", "micrometer", 1e-6),
        (" UM ", "micrometer", 1e-6),
        ("nm", "nanometer", 1e-9),
        ("Å", "angstrom", 1e-10),
        ("mm", "millimeter", 1e-3),
        ("Metre", "meter", 1.0),
        ("inch", "inch", 0.0254),
        ("\\u00B5m", "micrometer", 1e-6),
    ],
)
def test_spellings_of_units(text, name, metres):
    assert (known_unit(text).name, known_unit(text).metres) == (name, metres)


def test_what_is_no_unit_is_none():
    for text in (None, "", "pixel", "second", "M m"):
        assert known_unit(text) is length_unit(text) is None


def test_names_of_units_are_spelled_out():
    assert {length_unit(text) for text in ("um", "micron", "Micrometer")} == {"micrometer"}


def test_no_two_units_share_a_spelling():
    spellings = [text for unit in UNITS for text in {unit.name, unit.symbol.lower(), *unit.spellings}]
    assert len(spellings) == len(set(spellings))
