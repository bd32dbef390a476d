"""Inverse design: latents whose structures have wanted properties."""

from .property import PROPERTIES, Measured, Property, make_property, unit_on

__all__ = ["PROPERTIES", "Measured", "Property", "make_property", "unit_on"]
