"""Failures of a property are recorded, and decoded structures are those of the model."""

from __future__ import annotations

import numpy as np
import torch

from matvae import Grid
from matvae.optimize import Measured
from matvae.optimize.geometry import VolumeFraction
from matvae.optimize.measuring import LatentDecoder, mean_and_std, measure, measure_all

GRID = Grid((2, 2))
LABELS = np.array([[[0, 0], [0, 0]], [[1, 0], [0, 0]], [[1, 1], [0, 0]]], np.uint8)


class Fragile:
    """Volume fraction that raises an error for empty structures."""

    name, unit, differentiable = "fragile", "", False

    def measure(self, structures, grid):
        if not structures.any(axis=(1, 2)).all():
            raise ZeroDivisionError("empty structure")
        return Measured.of(structures.mean((1, 2)))


class Incomplete(Fragile):
    """Property that returns too few values."""

    def measure(self, structures, grid):
        return Measured.of([0.0, 0.0])


def test_error_affects_only_its_structure():
    for order in ([0, 1, 2], [1, 0, 2]):
        measured = measure(Fragile(), LABELS[order], GRID)
        assert sorted(measured.values[np.isfinite(measured.values)]) == [0.25, 0.5]
        assert [reason for reason in measured.reasons if reason] == ["ZeroDivisionError: empty structure"]
    values, reasons = measure_all([VolumeFraction(), Fragile()], LABELS, GRID)
    np.testing.assert_array_equal(values, [[0, np.nan], [0.25, 0.25], [0.5, 0.5]])
    assert reasons == ["fragile: ZeroDivisionError: empty structure"]


def test_wrong_number_of_values_is_a_failure():
    measured = measure(Incomplete(), LABELS, GRID)
    assert np.isnan(measured.values).all()
    assert "check_property" in measured.reasons[0]


def test_mean_and_std_ignore_missing_values():
    realizations = np.stack([LABELS, LABELS[::-1]])
    mean, std, fraction, _ = mean_and_std([VolumeFraction(), Fragile()], realizations, GRID)
    np.testing.assert_allclose(mean, [[0.25, 0.375]] * 2)
    np.testing.assert_allclose(std, [[0.25, np.std([0.25, 0.5], ddof=1)]] * 2)
    np.testing.assert_allclose(fraction, [[1, 2 / 3]] * 2)
    mean, std, fraction, reasons = mean_and_std([Fragile()], LABELS[:1, None].repeat(2, 1), GRID)
    assert np.isnan(mean).all()
    assert np.isnan(std).all()
    assert fraction == 0
    assert len(reasons) == 2


def test_realizations_are_those_of_the_model(model, training, monkeypatch):
    z = model.transform(training[:3])
    decoder = LatentDecoder(model)
    realizations = decoder.realizations(torch.from_numpy(z), 4, seed=5)
    np.testing.assert_array_equal(realizations, model.inverse_transform(z, n_realizations=4, random_state=5))
    np.testing.assert_array_equal(decoder.structures(torch.from_numpy(z)), model.inverse_transform(z))
    monkeypatch.setattr("matvae.optimize.measuring.BLOCK_VALUES", 1)
    assert decoder.realizations(torch.from_numpy(z), 4, seed=5).shape == (3, 4, 12, 12)
