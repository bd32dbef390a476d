"""A small model of small structures, fitted once."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures
from matvae.data import sample_blocks

from ..structures import blobs

SHAPE = (8, 8)


def structures(n, seed):
    fractions = np.random.default_rng(seed).uniform(0.2, 0.8, n)
    return Structures(blobs(n, SHAPE, seed=seed, volume_fraction=fractions), Grid(SHAPE))


@pytest.fixture(scope="session")
def training():
    """40 two-phase structures of 8 x 8 voxels."""
    return structures(40, 0)


@pytest.fixture(scope="session")
def unseen():
    """21 structures that are not part of `training`."""
    return structures(21, 1)


@pytest.fixture(scope="session")
def model(training):
    """A model of 3 components, fitted on `training`."""
    return StatsVAETransformer(n_components=3, decoder="dense", max_epochs=3, width=16, random_state=0).fit(training)


@pytest.fixture
def block_of(monkeypatch):
    """Function that sets the number of samples per block."""
    return lambda size: monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 64 * size)
