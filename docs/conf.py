"""Sphinx configuration: Markdown pages, one built-in theme, and the reference from docstrings."""

from __future__ import annotations

from matvae import __version__

project = "matvae"
author = "The matvae developers"
copyright = "The matvae developers"
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# The notebooks of the gallery are run in an empty folder each.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 200
nb_execution_raise_on_error = True
nb_merge_streams = True
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
