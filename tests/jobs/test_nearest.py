"""Nearest neighbours of structures, and reconstructions compared by the same distances."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.data import sample_blocks
from matvae.errors import InputError
from matvae.jobs.nearest import check_nearest, nearest_structures, warn_of_copies


def test_records_equal_those_of_whole_arrays(trained, monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 64 * 7)
    model, progress = load(trained / "m.matvae"), []
    test, train = (open_structures(trained / name) for name in ("test.zarr", "train.zarr"))
    records = nearest_structures(model, test, train, 3, lambda done, total: progress.append((done, total)))
    assert progress == [(7, 40), (14, 40), (21, 40), (28, 40), (35, 40), (40, 40)]
    X, candidates = test.data.compute(), train.data.compute()
    reconstructions = model.inverse_transform(model.transform(X))
    for kind, features in (("image", lambda x: x), ("statistics", model.statistics)):
        f, g, h = (features(x).astype(float).reshape(len(x), -1) for x in (X, candidates, reconstructions))
        distance = np.square(f[:, None] - g).mean(2)
        order = np.argsort(distance, axis=1, kind="stable")[:, :3]
        for row, record in enumerate(records):
            assert record["sample"] == row
            assert [neighbour["sample"] for neighbour in record[f"by_{kind}"]] == order[row].tolist()
            assert [neighbour["mse"] for neighbour in record[f"by_{kind}"]] == pytest.approx(distance[row, order[row]])
            assert record["reconstruction"][f"{kind}_mse"] == pytest.approx(np.square(f[row] - h[row]).mean())


def test_fewer_structures_are_compared_if_their_statistics_are_large(trained, caplog, monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 64)
    model, test = load(trained / "m.matvae"), open_structures(trained / "test.zarr")
    with caplog.at_level(logging.INFO, logger="matvae"):
        records = nearest_structures(model, test, test, 1, lambda done, total: None)
    assert [record["sample"] for record in records] == [0, 7, 13, 20]
    assert "Neighbours are found for 4 of the structures" in caplog.text


def test_candidates_are_searched_in_place_of_training_structures():
    assert check_nearest(3, None, "train.zarr") == "train.zarr"
    assert check_nearest(3, "others.zarr", "train.zarr") == "others.zarr"
    assert check_nearest(0, None, "train.zarr") is None
    with pytest.raises(InputError, match=r"nearest must be an integer of at least 0, but 1\.5 was given"):
        check_nearest(1.5, None, "train.zarr")


def test_copies_among_the_candidates_are_reported(caplog):
    def record(mse):
        return {"by_image": [{"sample": 0, "mse": mse}]}

    with caplog.at_level(logging.WARNING, logger="matvae"):
        warn_of_copies([record(0.1), record(1e-9)], "test.zarr", "train.zarr")
        assert not caplog.text
        warn_of_copies([record(0.0), record(0.1)], "test.zarr", "train.zarr")
    assert "1 of 2 structures of test.zarr are also in train.zarr" in caplog.text
