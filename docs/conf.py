"""Sphinx configuration: Markdown pages, one built-in theme, and the reference from docstrings."""

from __future__ import annotations

from matvae import __version__

project = "matvae"
author = "The matvae developers"
copyright = "The matvae developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Single backticks in docstrings are names in code.
default_role = "code"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = False

html_theme = "alabaster"
html_theme_options = {
    "description": "Microstructures to a few latent numbers and back, true in 2-point statistics",
    "fixed_sidebar": True,
    "page_width": "1080px",
}
html_title = f"matvae {release}"
