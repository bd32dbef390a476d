"""Units of length: their names, symbols and spellings in files, and their length in metres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit of length.

    Parameters
    ----------
    name : str
        Name by UDUNITS-2, which OME-Zarr asks for: ``"micrometer"``.
    symbol : str
        Symbol in OME-TIFF: ``"µm"``.
    metres : float
        Its length.
    spellings : tuple of str
        Further spellings, in lower case.
    """

    name: str
    symbol: str
    metres: float
    spellings: tuple[str, ...]


UNITS = (
    Unit("angstrom", "Å", 1e-10, ("å", "angstroms", "ångström")),
    Unit("nanometer", "nm", 1e-9, ("nanometers", "nanometre", "nanometres")),
    # Unicode has two letters for micro, and both occur.
    Unit("micrometer", "µm", 1e-6, ("um", "μm", "micron", "microns", "micrometers", "micrometre", "micrometres")),
    Unit("millimeter", "mm", 1e-3, ("millimeters", "millimetre", "millimetres")),
    Unit("centimeter", "cm", 1e-2, ("centimeters", "centimetre", "centimetres")),
    Unit("meter", "m", 1.0, ("meters", "metre", "metres")),
    Unit("inch", "in", 0.0254, ("inches",)),
)
_BY_SPELLING = {spelling: unit for unit in UNITS for spelling in (unit.name, unit.symbol.lower(), *unit.spellings)}


def known_unit(text: str | None) -> Unit | None:
    """Return the unit with this name, symbol or spelling, or None if it is not known."""
    # ImageJ writes the letter for micro as an escape.
    return None if text is None else _BY_SPELLING.get(text.strip().lower().replace("\\u00b5", "µ"))


def length_unit(text: str | None) -> str | None:
    """Spell out the name of a unit of length; None for pixels and for units that are not lengths."""
    unit = known_unit(text)
    return None if unit is None else unit.name
