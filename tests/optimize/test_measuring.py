"""What a property does wrong is recorded, and what a decoder gives is what the model gives."""

from __future__ import annotations

import numpy as np
import torch

from matvae import Grid
from matvae.optimize import Measured
from matvae.optimize.geometry import VolumeFraction
from matvae.optimize.measuring import Decoder, mean_and_spread, measure, measure_all

GRID = Grid((2, 2))
LABELS = np.array([[[0, 0], [0, 0]], [[1, 0], [0, 0]], [[1, 1], [0, 0]]], np.uint8)


class Touchy:
    """The volume fraction, which it refuses of empty structures."""

    name, unit, differentiable = "touchy", "", False

    def measure(self, structures, grid):
        if not structures.any(axis=(1, 2)).all():
            raise ZeroDivisionError("nothing there")
        return Measured.of(structures.mean((1, 2)))


class Wrong(Touchy):
    """Too few values."""

    def measure(self, structures, grid):
        return Measured.of([0.0, 0.0])


def test_an_error_is_the_reason_of_its_structure_alone():
    for found in (measure(Touchy(), LABELS, GRID), measure(Touchy(), LABELS[[1, 0, 2]], GRID)):
        assert sorted(found.values[np.isfinite(found.values)]) == [0.25, 0.5]
        assert [reason for reason in found.reasons if reason] == ["ZeroDivisionError: nothing there"]
    values, reasons = measure_all([VolumeFraction(), Touchy()], LABELS, GRID)
    np.testing.assert_array_equal(values, [[0, np.nan], [0.25, 0.25], [0.5, 0.5]])
    assert reasons == ["touchy: ZeroDivisionError: nothing there"]


def test_values_of_another_number_are_no_values():
    found = measure(Wrong(), LABELS, GRID)
    assert np.isnan(found.values).all()
    assert "check_property" in found.reasons[0]


def test_mean_and_spread_are_over_those_that_have_the_property():
    made = np.stack([LABELS, LABELS[::-1]])
    mean, spread, share, _ = mean_and_spread([VolumeFraction(), Touchy()], made, GRID)
    np.testing.assert_allclose(mean, [[0.25, 0.375]] * 2)
    np.testing.assert_allclose(spread, [[0.25, np.std([0.25, 0.5], ddof=1)]] * 2)
    np.testing.assert_allclose(share, [[1, 2 / 3]] * 2)
    mean, spread, share, reasons = mean_and_spread([Touchy()], LABELS[:1, None].repeat(2, 1), GRID)
    assert np.isnan(mean).all()
    assert np.isnan(spread).all()
    assert share == 0
    assert len(reasons) == 2


def test_realizations_are_those_of_the_model(model, training, monkeypatch):
    z = model.transform(training[:3])
    decoder = Decoder(model)
    made = decoder.realizations(torch.from_numpy(z), 4, seed=5)
    np.testing.assert_array_equal(made, model.inverse_transform(z, n_realizations=4, random_state=5))
    np.testing.assert_array_equal(decoder.structures(torch.from_numpy(z)), model.inverse_transform(z))
    monkeypatch.setattr("matvae.optimize.measuring.PART_VALUES", 1)
    assert decoder.realizations(torch.from_numpy(z), 4, seed=5).shape == (3, 4, 12, 12)
