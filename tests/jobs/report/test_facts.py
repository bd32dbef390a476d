"""Facts are said in words that can be read."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures, load, open_structures
from matvae.jobs.report.facts import data_facts, duration, grid_words, materials_of, model_facts, setting_facts


def test_what_a_structure_is():
    assert grid_words(Grid((4, 5))) == "4 x 5 voxels (y x), 2 phases, periodic"
    grid = Grid((3, 4, 5), phases=1, voxel_size=(1, 2, 2), unit="nanometer", periodic=False)
    assert grid_words(grid) == (
        "3 x 4 x 5 voxels (z y x), continuous field, not periodic, voxels of 1 x 2 x 2 nanometer"
    )


@pytest.mark.parametrize(("seconds", "said"), [(1.4, "1 s"), (120, "2 min"), (7200, "2.0 h")])
def test_how_long(seconds, said):
    assert duration(seconds) == said


def test_the_model_and_how_it_was_trained(trained):
    model = load(trained / "m.matvae")
    facts = model_facts(model, trained / "m.matvae")
    assert facts["name"] == "m.matvae"
    assert facts["latent numbers a structure"] == "3"
    assert facts["trained on structures of"] == "8 x 8 voxels (y x), 2 phases, periodic"
    assert facts["passes over the data"] == "3"
    assert facts["last loss"] == f"{model.history_[-1]['loss']:.4g}"
    settings = setting_facts(model)
    assert (settings["beta"], settings["width"]) == ("0.0001", "16")
    assert "checkpoint" not in settings


def test_the_data(trained):
    structures = open_structures(trained / "test.zarr")
    facts = data_facts(structures, trained / "test.zarr", trained / "train.zarr", structures[:7])
    assert facts == {
        "name": "test.zarr",
        "structures": "21",
        "each": "8 x 8 voxels (y x), 2 phases, periodic, voxels of 0.5 x 0.5 micrometer",
        "properties": "k",
        "training structures": "7, from train.zarr",
    }


def test_materials_are_named_by_their_source():
    data, grid = np.zeros((3, 2, 2), dtype=np.uint8), Grid((2, 2))
    several = Structures(data, grid, {"source": np.array([0.0, 1.0, 4.0])}, attributes={"sources": ["alloy", "rock"]})
    assert materials_of(several) == ["alloy", "rock", "source 4"]
    assert materials_of(Structures(data, grid, attributes={"sources": ["alloy"]})) is None
    assert materials_of(Structures(data, grid, {"source": np.zeros(3)})) is None
    assert data_facts(several, "a", None, None)["cut from"] == "alloy, rock"
