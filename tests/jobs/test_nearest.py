"""Neighbours and reconstructions are compared by the same measures."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.jobs.nearest import mean_squares, nearest_structures, phase_fields, spread, warn_of_copies


def test_records_equal_those_of_whole_arrays(trained):
    model = load(trained / "m.matvae")
    test, train = (open_structures(trained / name) for name in ("test.zarr", "train.zarr"))
    seen = []
    found = nearest_structures(model, test, train, 3, 7, lambda done, total: seen.append((done, total)))
    assert seen == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    X, candidates = test.data.compute(), train.data.compute()
    made = model.inverse_transform(model.transform(X))
    for kind, of in (("image", lambda x: x.astype(float)), ("statistics", lambda x: model.statistics(x).astype(float))):
        f, g, h = (of(x).reshape(len(x), -1) for x in (X, candidates, made))
        distance = np.square(f[:, None] - g).mean(2)
        order = np.argsort(distance, axis=1, kind="stable")[:, :3]
        for row, one in enumerate(found):
            assert one["sample"] == row
            assert [neighbour["sample"] for neighbour in one[f"by_{kind}"]] == order[row].tolist()
            assert [neighbour["mse"] for neighbour in one[f"by_{kind}"]] == pytest.approx(distance[row, order[row]])
            assert one["reconstruction"][f"{kind}_mse"] == pytest.approx(np.square(f[row] - h[row]).mean())


def test_structures_are_looked_at_all_over_the_set():
    assert spread(5, 100).tolist() == [0, 1, 2, 3, 4]
    assert spread(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert len(spread(1000, 100)) == 100


def test_few_structures_are_looked_at_where_their_statistics_are_large(trained, caplog):
    model, test = load(trained / "m.matvae"), open_structures(trained / "test.zarr")
    with caplog.at_level(logging.INFO, logger="matvae"):
        found = nearest_structures(model, test, test, 1, 1, lambda done, total: None)
    assert [one["sample"] for one in found] == [0, 7, 13, 20]
    assert "Neighbours are sought of 4 of the structures" in caplog.text


def test_a_structure_that_is_among_the_candidates_is_warned_of(caplog):
    def found(mse):
        return {"by_image": [{"sample": 0, "mse": mse}]}

    with caplog.at_level(logging.WARNING, logger="matvae"):
        warn_of_copies([found(0.1), found(1e-9)], "test.zarr", "train.zarr")
        assert not caplog.text
        warn_of_copies([found(0.0), found(0.1)], "test.zarr", "train.zarr")
    assert "1 of 2 structures of test.zarr are in train.zarr, too" in caplog.text


@pytest.mark.parametrize("phases", [2, 3, 5])
def test_voxels_of_different_phases_differ_alike(phases):
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, phases, (2, 4, 6, 6))
    share = (one != other).reshape(4, -1).mean(1)
    distance = mean_squares(phase_fields(one, phases), phase_fields(other, phases))
    np.testing.assert_allclose(distance, 2 * share / phases)


def test_fields_are_compared_as_they_are():
    field = np.random.default_rng(0).normal(size=(2, 8))
    assert phase_fields(field, 1) is field
