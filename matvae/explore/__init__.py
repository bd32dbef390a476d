"""A local page on which a model is explored with sliders: what its latents mean, and the structures they give."""

from .explorer import Explorer
from .server import serve

__all__ = ["Explorer", "serve"]
