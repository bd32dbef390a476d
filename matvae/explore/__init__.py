"""What the explorer shows: a model's latents, structures and their meaning, as plain values for a page.

`Explorer` knows nothing of the web; `serve` puts it behind a local page.
"""

from __future__ import annotations

from .explorer import Explorer
from .server import Address, serve

__all__ = ["Address", "Explorer", "serve"]
