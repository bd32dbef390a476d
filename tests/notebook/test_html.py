"""Results as HTML: complete, escaped, with the colours of every phase and pictures of the right voxels."""

from __future__ import annotations

import base64
import io
import re
import sys
from html.parser import HTMLParser

import dask.array as da
import numpy as np
from PIL import Image

from matvae import Grid, Structures, reconstruct, two_point_stats
from matvae.errors import StoreError
from matvae.report.style import INK, PAPER


class Balanced(HTMLParser):
    """Checks that every element is closed, and collects the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def images_of(html: str) -> list[np.ndarray]:
    encoded = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB")) for each in encoded]


def colour(code: str) -> tuple[int, ...]:
    return tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))


X = np.zeros((6, 8, 12), np.uint8)
X[:, 2:4, 5:] = 1


def test_structures_show_a_table_and_a_pixel_per_voxel():
    structures = Structures(X, Grid((8, 12), voxel_size=0.5, unit="micrometer"), {"modulus": np.arange(6.0)})
    html = structures._repr_html_()
    text = Balanced(html).text
    assert "8 x 12 voxels (y x), 2 phases, periodic, voxel 0.5 micrometer" in text
    assert "property modulus" in text
    assert "The first 4 structures." in text
    images = images_of(html)
    assert len(images) == 4
    expected = np.where(X[0, ..., None] == 1, colour(INK), colour(PAPER))
    np.testing.assert_array_equal(images[0], expected)
    # The legend names both colours.
    assert f"background: {PAPER}" in html
    assert f"background: {INK}" in html
    assert "width: 120px; height: 80px" in html


def test_pictures_have_the_proportions_of_the_voxels():
    html = Structures(X, Grid((8, 12), voxel_size=(3, 1)))._repr_html_()
    assert "width: 60px; height: 120px" in html


def test_text_has_the_colour_of_its_surroundings_and_nothing_is_loaded():
    html = Structures(X, Grid((8, 12)))._repr_html_()
    assert not re.search(r"(?<![-\w])color:", html)
    assert "http" not in html


def test_names_are_escaped():
    name = "<script>alert(1)</script>"
    html = Structures(X, Grid((8, 12)), {name: np.arange(6.0)}, {name: "<b>"})._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert name in Balanced(html).text


def test_a_continuous_field_states_its_scale():
    field = np.linspace(-1, 2, 2 * 4 * 4).reshape(2, 4, 4)
    html = Structures(field, Grid((4, 4), phases=1))._repr_html_()
    assert "dark -1 to light 2" in html
    assert len(images_of(html)) == 2


def test_voxels_outside_the_mask_are_transparent():
    mask = np.ones(X.shape, bool)
    mask[:, :, 0] = False
    html = Structures(X, Grid((8, 12)), mask=mask)._repr_html_()
    encoded = re.findall(r'base64,([^"]+)"', html)[0]
    alpha = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))[..., 3]
    assert (alpha[:, 0] == 0).all()
    assert (alpha[:, 1:] == 255).all()


def test_a_large_image_is_thinned():
    html = Structures(np.zeros((1, 600, 300), np.uint8), Grid((600, 300)))._repr_html_()
    assert images_of(html)[0].shape == (200, 150, 3)


def test_a_set_that_takes_long_to_read_has_no_pictures_and_says_so():
    def block():
        raise AssertionError("nothing may be read")

    huge = da.map_blocks(block, chunks=((1,), (1024,), (1024,), (1024,)), dtype=np.uint8, meta=np.empty(0, np.uint8))
    html = Structures(huge, Grid((1024, 1024, 1024)))._repr_html_()
    assert "<img" not in html
    assert "1.07 GB" in html


def test_damage_hides_the_pictures_only():
    def block():
        raise StoreError("chunk 3 is damaged")

    broken = da.map_blocks(block, chunks=((2,), (8,), (8,)), dtype=np.uint8, meta=np.empty(0, np.uint8))
    text = Balanced(Structures(broken, Grid((8, 8)))._repr_html_()).text
    assert "2 of type uint8" in text
    assert "No pictures: chunk 3 is damaged" in text


def test_without_matplotlib_the_table_remains(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = Balanced(Structures(X, Grid((8, 12)))._repr_html_()).text
    assert "pip install 'matvae[plot]'" in text


def test_an_empty_set_has_no_pictures():
    html = Structures(X[:0], Grid((8, 12)))._repr_html_()
    assert "<img" not in html


def test_a_grid_states_its_size_in_units_of_length():
    text = Balanced(Grid((8, 12), voxel_size=(0.5, 0.25), unit="micrometer", origin=(1, 2))._repr_html_()).text
    assert "4 x 3 micrometer" in text
    assert "(1, 2) micrometer" in text


def test_a_reconstruction_shows_the_error_of_every_structure():
    grid = Grid((8, 12))
    found = reconstruct(two_point_stats(X[:2]), grid=grid, n_realizations=2, max_iter=5, random_state=0)
    html = found._repr_html_()
    names = [f"structure {i}, realization {j}: error {100 * found.error[i, j]:.2g} %" for i in (0, 1) for j in (0, 1)]
    text = Balanced(html).text
    assert [name for name in names if name not in text] == []
    np.testing.assert_array_equal((images_of(html)[3] == colour(INK)).all(-1), found.structures[1, 1] == 1)
    assert len(repr(found)) < 600
