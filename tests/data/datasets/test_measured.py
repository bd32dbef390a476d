"""Measured data sets stored in files next to their cards."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from matvae import open_structures
from matvae.data.datasets import list_datasets, make_dataset, measured
from matvae.data.datasets.cards import cards_folder, load_card
from matvae.data.datasets.measured import write_bundled
from matvae.errors import InputError, StoreError

BUNDLED = [card.name for card in list_datasets() if card.kind == "bundled"]


@pytest.mark.parametrize("name", BUNDLED)
def test_the_store_holds_the_file_with_its_licence_and_citation(name, tmp_path) -> None:
    make_dataset(name, tmp_path / "x.zarr")
    structures, card = open_structures(tmp_path / "x.zarr"), load_card(name)
    assert structures.data.shape == (1, 256, 256)
    assert structures.grid.phases == card.phases
    assert not structures.grid.periodic
    with np.load(cards_folder() / name / card.file) as archive:
        np.testing.assert_array_equal(structures.data.compute(), archive["structures"])
    assert structures.attributes["licence"] == card.licence == "CC BY 4.0"
    assert card.citation in structures.attributes["citation"]


def test_options_of_generators_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="'alloy' is measured, so n, size cannot be chosen"):
        make_dataset("alloy", tmp_path / "x.zarr", n=3, size=8)


def test_a_file_that_is_missing_or_damaged_is_not_written(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "cards"
    shutil.copytree(cards_folder() / "alloy", folder / "alloy")
    monkeypatch.setattr(measured, "cards_folder", lambda: folder)
    file = folder / "alloy" / "micrograph.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match="SHA-256 differs"):
        write_bundled(load_card("alloy"), tmp_path / "x.zarr")
    file.unlink()
    with pytest.raises(StoreError, match="is missing"):
        write_bundled(load_card("alloy"), tmp_path / "x.zarr")
    assert not (tmp_path / "x.zarr").exists()
