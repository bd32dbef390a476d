"""Metadata formatted as text for readers."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, Structures, load, open_structures
from matvae.jobs.report.metadata import data_metadata, duration, materials_of, model_metadata, settings_metadata


@pytest.mark.parametrize(("seconds", "text"), [(1.4, "1 s"), (120, "2 min"), (7200, "2.0 h")])
def test_seconds_are_given_in_a_suitable_unit(seconds, text):
    assert duration(seconds) == text


def test_metadata_of_the_model_and_its_training(trained):
    model = load(trained / "m.matvae")
    metadata = model_metadata(model, trained / "m.matvae")
    assert metadata["name"] == "m.matvae"
    assert metadata["latent components"] == "3"
    assert metadata["trained on structures of"] == "8 x 8 voxels (y x), 2 phases, periodic"
    assert metadata["passes over the data"] == "3"
    assert metadata["final loss"] == f"{model.history_[-1]['loss']:.4g}"
    settings = settings_metadata(model)
    assert (settings["beta"], settings["width"]) == ("0.0001", "16")
    assert "checkpoint" not in settings


def test_metadata_of_the_data(trained):
    structures = open_structures(trained / "test.zarr")
    metadata = data_metadata(structures, trained / "test.zarr", trained / "train.zarr", structures[:7])
    assert metadata == {
        "name": "test.zarr",
        "structures": "21",
        "each": "8 x 8 voxels (y x), 2 phases, periodic, voxel 0.5 micrometer",
        "properties": "k",
        "training structures": "7, from train.zarr",
    }


def test_materials_are_named_by_their_source():
    data, grid = np.zeros((3, 2, 2), dtype=np.uint8), Grid((2, 2))
    several = Structures(data, grid, {"source": np.array([0.0, 1.0, 4.0])}, attributes={"sources": ["alloy", "rock"]})
    assert materials_of(several) == ["alloy", "rock", "source 4"]
    assert materials_of(Structures(data, grid, attributes={"sources": ["alloy"]})) is None
    assert materials_of(Structures(data, grid, {"source": np.zeros(3)})) is None
    assert data_metadata(several, "a", None, None)["cut from"] == "alloy, rock"
