"""Structures as a few boxes on an empty background: what they look like, how latents name them, how they are found.

`BoxCode` says which box and which of its numbers each latent component is, `dictionary` learns which sizes boxes have,
`Band` gives the spectrum of boxes, and `Pursuit` finds the boxes that have the statistics wanted.
"""

from .band import Band
from .code import BoxCode, Boxes
from .dictionary import MAX_KINDS, box_extents, kinds_of, nearest_sizes
from .pursuit import Found, Pursuit, spectrum_of

__all__ = [
    "MAX_KINDS",
    "Band",
    "BoxCode",
    "Boxes",
    "Found",
    "Pursuit",
    "box_extents",
    "kinds_of",
    "nearest_sizes",
    "spectrum_of",
]
