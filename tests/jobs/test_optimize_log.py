"""Logs of searches: exact measurements, incomplete lines, and refusal of the log of another search."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.errors import InputError
from matvae.jobs.optimize_log import SearchLog

LATENTS = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
VALUES = np.array([[0.1, 2.0], [np.nan, 1.0], [0.3, 1 / 3]])


def test_measurements_are_read_back_exactly(tmp_path):
    log = SearchLog.next_to(tmp_path / "out.zarr", "a")
    assert log.read() is None
    log.append(LATENTS[:2], VALUES[:2])
    log.append(LATENTS[2:], VALUES[2:])
    latents, values = log.read()
    np.testing.assert_array_equal(latents, LATENTS)
    np.testing.assert_array_equal(values, VALUES)
    log.remove()
    assert log.read() is None
    assert list(tmp_path.iterdir()) == []


def test_only_an_incomplete_line_is_lost(tmp_path):
    log = SearchLog.next_to(tmp_path / "out.zarr", "a")
    log.append(LATENTS[:2], VALUES[:2])
    text = log.path.read_text()
    log.path.write_text(text[:-9])
    log.append(LATENTS[2:], VALUES[2:])
    latents, values = log.read()
    np.testing.assert_array_equal(latents, LATENTS[[0, 2]])
    np.testing.assert_array_equal(values, VALUES[[0, 2]])


def test_log_of_another_search_is_refused(tmp_path):
    SearchLog.next_to(tmp_path / "out.zarr", "a").append(LATENTS, VALUES)
    other = SearchLog.next_to(tmp_path / "out.zarr", "b")
    with pytest.raises(InputError, match="another search"):
        other.read()
    assert other.read(overwrite=True) is None
    assert not other.path.exists()
