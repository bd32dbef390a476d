"""Structures as a few boxes on an empty background: the encoder ``"pursuit"`` and the decoder ``"boxes"`` for matvae.

`code` defines which box, and which of its numbers, each latent component is; `dictionary` learns the sizes of boxes;
`band` computes the spectrum of boxes; `pursuit` searches for the boxes that have given statistics; `encoder` and
`decoder` are built from these on matvae's contracts.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

__version__ = version("matvae-boxes")

__all__ = ["REFERENCE"]

# A model of the data set ``lines`` at 224 x 224 pixels with nine components.
REFERENCE = Path(__file__).resolve().parent / "reference.matvae"
