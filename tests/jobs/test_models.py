"""Refusal, before any work, of structures that do not fit a model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.errors import InputError
from matvae.jobs.models import check_fits


@dataclass
class Fitted:
    """The attributes of an estimator that are checked."""

    grid_: Grid
    input: str = "structures"
    state_axis: int | None = None
    phase_values_: tuple | None = None


def structures(grid, **attributes):
    data = np.zeros((2, *grid.shape), np.float32 if grid.phases == 1 else np.uint8)
    return Structures(data, grid, attributes=attributes)


MODEL = Fitted(Grid((8, 8), phases=2, voxel_size=1.0, unit="micrometer"))


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (Grid((8, 16)), "8 x 8 voxels, but those in data.zarr have 8 x 16"),
        (Grid((8, 8), phases=3), "fitted on 2 phases, but data.zarr contains 3 phases"),
        (Grid((8, 8), phases=1), "contains a continuous field"),
    ],
)
def test_other_shapes_and_phases_are_refused(grid, message):
    with pytest.raises(InputError, match=message):
        check_fits(MODEL, structures(grid), "m.matvae", "data.zarr")


def test_another_voxel_size_gives_a_warning(caplog):
    with caplog.at_level(logging.WARNING, logger="matvae"):
        check_fits(MODEL, structures(Grid((8, 8))), "m.matvae", "data.zarr")
        assert not caplog.records
        check_fits(MODEL, structures(Grid((8, 8), voxel_size=2.0, unit="micrometer")), "m.matvae", "data.zarr")
    assert "its lengths are different" in caplog.text


@pytest.mark.parametrize("options", [{"input": "statistics"}, {"state_axis": -1}])
def test_models_of_other_arrays_are_referred_to_python(options):
    with pytest.raises(InputError, match=r"matvae\.load\('m\.matvae'\)"):
        check_fits(Fitted(MODEL.grid_, **options), structures(MODEL.grid_), "m.matvae", "data.zarr")


GREY = Fitted(Grid((8, 8), phases=3), phase_values_=(0, 128, 255))


@pytest.mark.parametrize("values", [[0, 255], [255, 128, 0], [0, 128, 254], [128, 255]])
def test_other_values_of_the_phases_are_refused_naming_both(values):
    data = structures(Grid((8, 8), phases=len(values)), phase_values=values)
    with pytest.raises(InputError, match=r"phases in data.zarr do not mean the same as those of the model") as refusal:
        check_fits(GREY, data, "m.matvae", "data.zarr")
    message = str(refusal.value)
    assert f"phase 1 is the value {values[1]}" in message.partition("in the data")[0]
    assert "phase 0 is the value 0, phase 1 is the value 128, phase 2 is the value 255 in the model" in message
    assert "`matvae import FILE OUT.zarr --phase-values-of m.matvae`, or with `--phase-values 0,128,255`" in message
    assert refusal.value.exit_code == 3


@pytest.mark.parametrize("attributes", [{"phase_values": [0, 128, 255]}, {"phase_values": [0, 128]}, {}])
def test_the_same_values_and_unknown_ones_are_accepted(attributes):
    grid = Grid((8, 8), phases=len(attributes.get("phase_values", [0, 1])))
    check_fits(GREY, structures(grid, **attributes), "m.matvae", "data.zarr")
    check_fits(MODEL, structures(Grid((8, 8)), phase_values=[0, 255]), "m.matvae", "data.zarr")
