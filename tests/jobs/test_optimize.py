"""Candidates are stored with what was asked for and what they have, and a costly search goes on where it ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from matvae import load, open_structures
from matvae.errors import InputError, MatvaeError
from matvae.jobs import inverse_latents, optimize_structures
from matvae.optimize import Measured, maximize, reach, save_linkage
from matvae.optimize.geometry import VolumeFraction

QUICK = {"n_candidates": 3, "n_starts": 6, "max_iter": 10}


def test_the_store_holds_structures_properties_and_latents(trained, tmp_path):
    result = optimize_structures(
        trained / "m.matvae",
        tmp_path / "out.zarr",
        objective=reach("volume_fraction", 0.5),
        constraints=["specific_surface<=1.5"],
        train=trained / "train.zarr",
        latents=tmp_path / "z.csv",
        **QUICK,
    )
    found = open_structures(tmp_path / "out.zarr")
    rows = result["rows"]
    assert found.data.shape == (3, 8, 8)
    for label in ("volume_fraction", "specific_surface"):
        np.testing.assert_array_equal(found.properties[label], [row["achieved"][label] for row in rows])
        np.testing.assert_array_equal(found.properties[f"{label}_spread"], [row["spread"][label] for row in rows])
    np.testing.assert_array_equal(found.properties["requested_volume_fraction"], 0.5)
    assert "requested_specific_surface" not in found.properties
    assert found.units["specific_surface"] == found.units["specific_surface_spread"] == "1/voxel"
    assert "volume_fraction" not in found.units
    assert found.attributes["reasons"] == [row["reason"] for row in rows]
    assert "training latent" in result["region"]
    latents = np.stack([found.properties[f"latent_{i}"] for i in range(3)], 1).astype(np.float32)
    np.testing.assert_array_equal(found.data.compute(), load(trained / "m.matvae").inverse_transform(latents))
    inverse_latents(trained / "m.matvae", tmp_path / "z.csv", tmp_path / "again.zarr")
    np.testing.assert_array_equal(open_structures(tmp_path / "again.zarr").data.compute(), found.data.compute())


def test_bad_input_leaves_nothing(trained, tmp_path):
    model, goal = trained / "m.matvae", reach("volume_fraction", 0.5)
    for options, message in (
        ({"objective": []}, "needs a goal"),
        ({"objective": goal, "constraints": ["volume_fraction>=0.6"]}, "contradicts"),
        ({"objective": goal, "latents": tmp_path / "z.txt"}, ".csv"),
        ({"objective": goal, "train": tmp_path / "missing.zarr"}, "missing.zarr"),
    ):
        with pytest.raises(MatvaeError, match=message):
            optimize_structures(model, tmp_path / "out.zarr", **options)
    (tmp_path / "out.zarr").mkdir()
    with pytest.raises(InputError, match="exists already"):
        optimize_structures(model, tmp_path / "out.zarr", objective=goal)
    assert list(tmp_path.iterdir()) == [tmp_path / "out.zarr"]


@dataclass(frozen=True)
class Costly(VolumeFraction):
    """The volume fraction, of which every measurement is counted, and one is interrupted."""

    name = "costly"
    differentiable = False

    def measure(self, structures, grid):
        MEASURED.append(len(structures))
        if len(MEASURED) == STOP_AT:
            raise KeyboardInterrupt
        return Measured.of(super().measure(structures, grid).values)


MEASURED: list[int] = []
STOP_AT = 6


def test_an_interrupted_search_goes_on(trained, tmp_path):
    pytest.importorskip("botorch")
    model, goal = trained / "m.matvae", maximize(Costly())
    quick = {"n_candidates": 2, "n_realizations": 2, "n_evaluations": 8}
    MEASURED.clear()
    with pytest.raises(KeyboardInterrupt, match="same command goes on"):
        optimize_structures(model, tmp_path / "out.zarr", objective=goal, **quick)
    assert [path.name for path in tmp_path.iterdir()] == [".out.zarr.search.jsonl"]
    with pytest.raises(InputError, match="another search"):
        optimize_structures(model, tmp_path / "out.zarr", objective=goal, seed=1, **quick)
    n_before = len(MEASURED)
    optimize_structures(model, tmp_path / "out.zarr", objective=goal, **quick)
    # 4 of 8 were measured before; then come 2 realizations of 2 candidates.
    assert len(MEASURED) - n_before == 4 + 4
    assert [path.name for path in tmp_path.iterdir()] == ["out.zarr"]
    optimize_structures(model, tmp_path / "whole.zarr", objective=goal, **quick)
    first, whole = (open_structures(tmp_path / name) for name in ("out.zarr", "whole.zarr"))
    assert first.properties["costly"].shape == whole.properties["costly"].shape == (2,)


def test_a_linkage_is_a_property(trained, tmp_path):
    pytest.importorskip("skops")
    model = load(trained / "m.matvae")
    Z = model.transform(open_structures(trained / "train.zarr").data.compute())
    save_linkage(tmp_path / "k.skops", BayesianRidge().fit(Z, Z[:, 0]), model, name="k", unit="GPa")
    optimize_structures(
        trained / "m.matvae",
        tmp_path / "out.zarr",
        objective="k=max",
        constraints=["volume_fraction>=0.1"],
        linkages=[tmp_path / "k.skops"],
        **QUICK,
    )
    found = open_structures(tmp_path / "out.zarr")
    assert found.units["k"] == "GPa"
    assert (found.properties["k_predictive_spread"] > 0).all()
    np.testing.assert_allclose(
        found.properties["k"], model.transform(found.data.compute())[:, 0], atol=3 * found.properties["k_spread"].max()
    )
