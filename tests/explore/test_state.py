"""States from JSON: what is right is taken, everything else refused in one sentence."""

from __future__ import annotations

import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.explore.state import State

GRID = Grid((16, 32))


def test_what_is_left_out_is_that_of_the_model():
    assert State.read({"latent": [1, 2.5]}, 2, GRID) == State((1.0, 2.5), 0, 1, (16, 32))
    full = {"latent": [0, 0], "seed": 3, "n_realizations": 4, "shape": [20, 24]}
    assert State.read(full, 2, GRID) == State((0.0, 0.0), 3, 4, (20, 24))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "JSON object"),
        ({}, "list of 2 numbers"),
        ({"latent": [1]}, "list of 2 numbers"),
        ({"latent": [1, "2"]}, "list of 2 numbers"),
        ({"latent": [1, True]}, "list of 2 numbers"),
        ({"latent": [1, float("nan")]}, "finite"),
        ({"latent": [1, 1e300]}, "below a million"),
        ({"latent": [1, 2], "seed": -1}, "seed"),
        ({"latent": [1, 2], "n_realizations": 10}, "n_realizations"),
        ({"latent": [1, 2], "shape": [64]}, "list of 2"),
        ({"latent": [1, 2], "shape": [2, 64]}, "shape"),
        ({"latent": [1, 2], "shape": [4096, 4096]}, "matvae inverse"),
        ({"latent": [1, 2], "shape": "x" * 10000}, "list of 2"),
    ],
)
def test_anything_else_is_refused(given, message):
    with pytest.raises(InputError, match=message) as raised:
        State.read(given, 2, GRID)
    assert len(str(raised.value)) < 400
