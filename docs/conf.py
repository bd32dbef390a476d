"""Sphinx configuration: Markdown pages, one built-in theme, and the reference from docstrings."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

from matvae import __version__

project = "matvae"
author = "The matvae developers"
copyright = "The matvae developers"
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
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
html_math_renderer = "mathml"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = False

html_theme = "alabaster"
# The theme loads custom.css from here.
html_static_path = ["_static"]
html_theme_options = {
    "description": "Microstructures to a few latent numbers and back, true in 2-point statistics",
    "fixed_sidebar": True,
    "page_width": "1140px",
    "body_max_width": "880px",
    "code_font_size": "0.8em",
}
html_title = f"matvae {release}"


def inline_equation(translator: Any, node: nodes.Node) -> None:
    """Write an equation within a line as MathML."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block_equation(translator: Any, node: nodes.Node) -> None:
    """Write an equation of its own as MathML, in a box that scrolls on narrow screens."""
    translator.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Equations are MathML, which browsers draw themselves: MathJax would be fetched from the network."""
    app.add_html_math_renderer("mathml", (inline_equation, None), (block_equation, None))
