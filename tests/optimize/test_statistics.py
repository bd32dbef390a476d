"""The statistics error vanishes at the target, and requires a target."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae import Grid, two_point_stats
from matvae.errors import InputError
from matvae.optimize.property import Decoded
from matvae.optimize.statistics import StatisticsError
from matvae.stats import relative_error

LABELS = (np.random.default_rng(0).random((3, 8, 9)) < 0.3).astype(np.uint8)


@pytest.mark.parametrize("cutoff", [None, 2])
def test_value_is_the_relative_error(cutoff, tmp_path):
    f = two_point_stats(LABELS, phases=2, cutoff=cutoff)
    np.save(tmp_path / "f.npy", f[1])
    grid = Grid((8, 9))
    property = StatisticsError(str(tmp_path / "f.npy"), cutoff=cutoff)
    values = property.measure(LABELS, grid).values
    np.testing.assert_allclose(values, relative_error(f[1:2], f), rtol=1e-6, atol=1e-9)
    assert values[1] == pytest.approx(0, abs=1e-9)
    fractions = torch.from_numpy(np.stack([LABELS == 0, LABELS == 1], 1)).double()
    np.testing.assert_allclose(property.soft(fractions, grid).numpy(), values, atol=1e-6)


def test_error_of_a_translated_structure_is_zero():
    property = StatisticsError(two_point_stats(LABELS, phases=2)[0])
    translated = np.roll(LABELS[:1], (2, 3), (1, 2))
    assert property.measure(translated, Grid((8, 9))).values[0] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("target", [None, 0.3, np.full((3, 3, 1), np.nan), "missing.npy"])
def test_invalid_target_is_refused(target):
    with pytest.raises(InputError, match="target"):
        StatisticsError(target)


def test_statistics_of_other_lags_are_refused():
    with pytest.raises(InputError, match="of the same shape"):
        StatisticsError(np.zeros((4, 4, 1))).measure(LABELS, Grid((8, 9)))


@pytest.mark.usefixtures("read_only_warnings_are_errors")
def test_read_only_target_is_copied():
    target = two_point_stats(LABELS, phases=2)[1].astype(np.float64)
    target.flags.writeable = False
    property = StatisticsError(target)
    assert property.measure(LABELS, Grid((8, 9))).values[1] == pytest.approx(0, abs=1e-7)


def test_decoded_value_is_the_error_of_decoded_statistics(texture_model, windows):
    f = texture_model.statistics(windows[:1])
    z = texture_model.transform(windows[:4])
    decoded = Decoded(torch.from_numpy(z), texture_model.module_)
    errors = StatisticsError(f[0]).from_latent(decoded, texture_model.grid_)
    np.testing.assert_allclose(errors, relative_error(f, texture_model.inverse_statistics(z)), rtol=1e-5)
    # Statistics of other lags or phases are not decoded.
    assert StatisticsError(f[0][2:-2, 2:-2]).from_latent(decoded, texture_model.grid_) is None
    assert StatisticsError(f[0], correlations=[(0, 0)]).from_latent(decoded, texture_model.grid_) is None
