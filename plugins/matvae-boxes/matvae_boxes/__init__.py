"""Structures as a few boxes on an empty background: the encoder ``"pursuit"`` and the decoder ``"boxes"`` for matvae.

`code` defines which box, and which of its numbers, each latent component is; `dictionary` learns the sizes of boxes;
`band` computes the spectrum of boxes; `pursuit` searches for the boxes that have given statistics; `encoder` and
`decoder` are built from these on matvae's contracts.
"""

from __future__ import annotations

from pathlib import Path

__version__ = "0.1.0"

__all__ = ["REFERENCE"]

# A model of the data set ``lines`` at 224 x 224 pixels with nine components, in a checkout of the plugin.
REFERENCE = Path(__file__).resolve().parents[1] / "reference.matvae"
