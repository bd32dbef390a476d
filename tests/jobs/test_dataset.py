"""Listing and generation of data sets."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.errors import InputError, PluginError
from matvae.jobs import list_datasets, make_dataset


def test_listed_cards_consist_of_strings():
    cards = {card["name"]: card for card in list_datasets()}
    assert cards["lines"]["kind"] == "generated"
    assert all(isinstance(value, str) for card in cards.values() for value in card.values())


def test_a_generated_set_is_described_and_reproducible(tmp_path):
    seen = []
    result = make_dataset(
        "lines",
        tmp_path / "a.zarr",
        n=6,
        size=32,
        seed=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    make_dataset("lines", tmp_path / "b.zarr", n=6, size=32, seed=3)
    assert result["n_samples"] == 6
    assert result["grid"]["shape"] == [32, 32]
    assert result["grid"]["periodic"] is True
    assert seen[-1] == (6, 6)
    a, b = (open_structures(tmp_path / name).data.compute() for name in ("a.zarr", "b.zarr"))
    np.testing.assert_array_equal(a, b)


def test_errors_suggest_known_names(tmp_path):
    with pytest.raises(PluginError, match="lines"):
        make_dataset("line", tmp_path / "a.zarr")
    with pytest.raises(InputError, match="thickness"):
        make_dataset("lines", tmp_path / "a.zarr", thicknes=3)
    assert not (tmp_path / "a.zarr").exists()
