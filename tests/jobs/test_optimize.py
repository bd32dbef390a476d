"""Stored candidates with requested and achieved values, and resumption of interrupted searches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import dask
import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from matvae import StatsVAETransformer, load, open_structures
from matvae.errors import InputError, MatvaeError
from matvae.jobs import inverse_latents, optimize_structures
from matvae.optimize import Measured, between, maximize, reach, save_linkage
from matvae.optimize.geometry import VolumeFraction

from ..structures import blobs

QUICK = {"n_candidates": 3, "n_starts": 6, "max_iter": 10}


def test_store_contains_structures_properties_and_latents(trained, tmp_path):
    result = optimize_structures(
        trained / "m.matvae",
        tmp_path / "out.zarr",
        objective=reach("volume_fraction", 0.5),
        constraints=["specific_surface<=1.5"],
        train=trained / "train.zarr",
        latents=tmp_path / "z.csv",
        **QUICK,
    )
    store = open_structures(tmp_path / "out.zarr")
    rows = result["rows"]
    assert store.data.shape == (3, 8, 8)
    for label in ("volume_fraction", "specific_surface"):
        np.testing.assert_array_equal(store.properties[label], [row["achieved"][label] for row in rows])
        np.testing.assert_array_equal(store.properties[f"{label}_spread"], [row["spread"][label] for row in rows])
    np.testing.assert_array_equal(store.properties["requested_volume_fraction"], 0.5)
    assert "requested_specific_surface" not in store.properties
    assert store.units["specific_surface"] == store.units["specific_surface_spread"] == "1/voxel"
    assert "volume_fraction" not in store.units
    assert store.attributes["reasons"] == [row["reason"] for row in rows]
    assert "training latent" in result["region"]
    latents = np.stack([store.properties[f"latent_{i}"] for i in range(3)], 1).astype(np.float32)
    np.testing.assert_array_equal(store.data.compute(), load(trained / "m.matvae").inverse_transform(latents))
    inverse_latents(trained / "m.matvae", tmp_path / "z.csv", tmp_path / "decoded.zarr")
    np.testing.assert_array_equal(open_structures(tmp_path / "decoded.zarr").data.compute(), store.data.compute())


def test_invalid_input_writes_nothing(trained, tmp_path):
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
    """Volume fraction that counts its measurements and interrupts one of them."""

    name = "costly"
    differentiable = False

    def measure(self, structures, grid):
        MEASURED.append(len(structures))
        if len(MEASURED) == STOP_AT:
            raise KeyboardInterrupt
        return Measured.of(super().measure(structures, grid).values)


MEASURED: list[int] = []
STOP_AT = 6


def test_interrupted_search_is_resumed(trained, tmp_path, monkeypatch):
    pytest.importorskip("botorch")
    model, goal = trained / "m.matvae", maximize(Costly())
    quick = {"n_candidates": 2, "n_realizations": 2, "n_evaluations": 8}
    MEASURED.clear()
    # One measurement at a time: other threads would still count theirs after the interrupt.
    monkeypatch.setattr("matvae.optimize.measuring.dask.compute", partial(dask.compute, scheduler="synchronous"))
    with pytest.raises(KeyboardInterrupt, match="the same command resumes it"):
        optimize_structures(model, tmp_path / "out.zarr", objective=goal, **quick)
    assert [path.name for path in tmp_path.iterdir()] == [".out.zarr.search.jsonl"]
    with pytest.raises(InputError, match="another search"):
        optimize_structures(model, tmp_path / "out.zarr", objective=goal, seed=1, **quick)
    n_before = len(MEASURED)
    optimize_structures(model, tmp_path / "out.zarr", objective=goal, **quick)
    # 4 of 8 latents had been measured before; verification adds 2 realizations of 2 candidates.
    assert len(MEASURED) - n_before == 4 + 4
    assert [path.name for path in tmp_path.iterdir()] == ["out.zarr"]
    optimize_structures(model, tmp_path / "uninterrupted.zarr", objective=goal, **quick)
    resumed, uninterrupted = (open_structures(tmp_path / name) for name in ("out.zarr", "uninterrupted.zarr"))
    assert resumed.properties["costly"].shape == uninterrupted.properties["costly"].shape == (2,)


def test_linkage_is_used_as_a_property(trained, tmp_path):
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
    store = open_structures(tmp_path / "out.zarr")
    assert store.units["k"] == "GPa"
    assert (store.properties["k_predictive_spread"] > 0).all()
    np.testing.assert_allclose(
        store.properties["k"], model.transform(store.data.compute())[:, 0], atol=3 * store.properties["k_spread"].max()
    )


@pytest.fixture(scope="module")
def texture(tmp_path_factory):
    """Return a folder with a model of a texture, t.matvae."""
    folder = tmp_path_factory.mktemp("texture")
    X = blobs(120, (16, 16), width=1.2, volume_fraction=np.random.default_rng(0).uniform(0.3, 0.7, 120))
    StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X).save(folder / "t.matvae")
    return folder


def test_candidates_of_a_texture_are_stored_with_the_ranges_of_its_windows(texture, tmp_path):
    result = optimize_structures(
        texture / "t.matvae",
        tmp_path / "out.zarr",
        objective="specific_surface=max",
        constraints=["volume_fraction=0.5+-0.05"],
        n_realizations=3,
        **QUICK,
    )
    store, rows, training = open_structures(tmp_path / "out.zarr"), result["rows"], result["training"]
    assert 0 < training["n_meeting"] < training["n_windows"]
    for name, (least, largest) in {**training["ranges"], **training["texture_ranges"]}.items():
        np.testing.assert_array_equal(store.properties[f"least_training_{name}"], least)
        np.testing.assert_array_equal(store.properties[f"largest_training_{name}"], largest)
    for name in ("pieces", "total_surface"):
        np.testing.assert_array_equal(store.properties[name], [row["texture"][name] for row in rows])
    # In two phases all interfaces are those of phase 1.
    np.testing.assert_allclose(store.properties["total_surface"], store.properties["specific_surface"])
    for name in ("differing", "believable", "beats_training"):
        np.testing.assert_array_equal(store.properties[name], [row[name] for row in rows])
    assert (store.properties["differing"] > 0.5 * training["differing"]).all()
    is_better = store.properties["beats_training"] == 1
    assert ["does not beat" not in (reason or "") for reason in store.attributes["reasons"]] == list(is_better)
    assert f"{is_better.sum()} of 3" in training["summary"] or "No candidate" in training["summary"]


def test_names_that_are_taken_by_the_store_are_refused(trained, tmp_path):
    pytest.importorskip("skops")
    model = load(trained / "m.matvae")
    Z = model.transform(open_structures(trained / "train.zarr").data.compute())
    save_linkage(tmp_path / "k.skops", BayesianRidge().fit(Z, Z[:, 0]), model, name="k", unit="GPa")
    save_linkage(tmp_path / "p.skops", BayesianRidge().fit(Z, Z[:, 0]), model, name="k_predictive_spread")
    linkages = [tmp_path / "k.skops", tmp_path / "p.skops"]
    with pytest.raises(InputError, match="'k_predictive_spread' cannot name a property"):
        optimize_structures(
            trained / "m.matvae",
            tmp_path / "out.zarr",
            objective=["k=max", "k_predictive_spread=min"],
            linkages=linkages,
            **QUICK,
        )
    with pytest.raises(InputError, match="A goal, as maximize"):
        optimize_structures(trained / "m.matvae", tmp_path / "out.zarr", objective=between("volume_fraction", 0, 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k.skops", "p.skops"]
