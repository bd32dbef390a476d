"""Known structures: their ranges, distributions and the meaning of components."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.data import Structures
from matvae.explore.known import Known, central, correlation

from .conftest import textures


def test_windows_in_the_model_are_known_with_their_measures(texture_model):
    known = Known.of(texture_model)
    windows = texture_model.module_.examples.numpy()
    assert np.array_equal(known.structures, windows)
    assert known.values[:, 0] == pytest.approx(windows.mean((1, 2)))
    assert "training windows" in known.origin


def test_a_distribution_counts_every_structure_within_its_range(texture_model):
    known = Known.of(texture_model)
    for component, column in zip(known.components(3), known.latents.T, strict=True):
        assert sum(component["counts"]) == len(known)
        assert component["low"] < column.min() < column.max() < component["high"]


def test_the_component_that_follows_the_volume_fraction_is_found(texture_model):
    known = Known.of(texture_model)
    strengths = [abs(correlation(column, known.values[:, 0])) for column in known.latents.T.astype(float)]
    best = known.components(3)[int(np.argmax(strengths))]
    assert max(strengths) > 0.9
    assert best["meaning"].startswith("Correlates with volume fraction of phase 1 (")


def test_data_take_the_place_of_windows_and_bring_their_properties(texture_model):
    X, grid = textures(12, 5), texture_model.grid_
    data = Structures(X, grid, properties={"strength": np.arange(12.0)}, units={"strength": "MPa"})
    known = Known.of(texture_model, data)
    assert np.array_equal(known.structures, X)
    assert known.latents == pytest.approx(texture_model.transform(X))
    values, unit = known.named_values()["strength"]
    assert unit == "MPa"
    assert values.tolist() == list(range(12))


def test_without_any_the_prior_is_the_range(layout_model):
    known = Known.of(layout_model)
    assert len(known) == 0
    assert known.components(2)[0]["low"] == -3
    assert central(layout_model, known).tolist() == [0, 0]
    assert "Open it with data" in known.components(2)[1]["meaning"]


def test_correlation_is_that_of_numpy_where_both_are_known():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 30))
    b += a
    missing = np.append(b, np.nan)
    assert correlation(np.append(a, 1.0), missing) == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert correlation(a, np.ones(30)) == 0


def test_continuous_fields_have_no_measures():
    from matvae import StatsVAETransformer

    fields = np.random.default_rng(0).standard_normal((20, 8, 8)).astype(np.float32)
    model = StatsVAETransformer(n_components=2, decoder="dense", width=8, max_epochs=1, random_state=0).fit(fields)
    known = Known.of(model, Structures(fields, Grid((8, 8), phases=1)))
    assert known.measures == []
    assert known.named_values() == {}


def test_materials_stay_with_their_structures_and_positions_are_left_out(texture_model):
    X, grid = textures(4, 5), texture_model.grid_
    data = Structures(X, grid, properties={"source": [0, 0, 1, 1], "position_x": [0, 8, 0, 8]})
    known = Known.of(texture_model, data, ["sand", "sand", "clay", "clay"])
    assert known.materials == ["sand", "sand", "clay", "clay"]
    assert not {"source", "position_x"} & set(known.named_values())
