from __future__ import annotations

import numpy as np

from matvae.data.readers.palette import grey_levels, named_colours


def test_a_palette_of_greys_gives_their_levels():
    np.testing.assert_array_equal(grey_levels([(0, 0, 0), (255, 255, 255), (7, 7, 7)]), [0, 255, 7])
    assert grey_levels([(0, 0, 0), (255, 255, 254)]) is None


def test_colours_are_named_as_on_the_web():
    assert named_colours([(0, 0, 0), (200, 10, 10)]) == "0 #000000, 1 #c80a0a"
    assert named_colours([(0, 0, 0)] * 9).endswith("7 #000000, ...")
