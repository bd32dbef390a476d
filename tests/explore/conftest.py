"""A model of textures with its windows, one of layouts without, and explorers of both."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from matvae import Grid, StatsVAETransformer
from matvae.data import Structures
from matvae.explore.explorer import Explorer


def textures(n: int, seed: int, *, stretch: float = 1.0) -> np.ndarray:
    """Windows ``(sample, 16, 16)`` with volume fractions of phase 1 from 0.2 to 0.6."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.standard_normal((16, 16)), (1.5, 1.5 * stretch), mode="wrap") for _ in range(n)]
    fractions = rng.uniform(0.2, 0.6, n)
    return np.stack([f > np.quantile(f, 1 - v) for f, v in zip(fields, fractions, strict=True)]).astype(np.uint8)


@pytest.fixture(scope="session")
def texture_model():
    X = Structures(textures(80, 0), Grid((16, 16), voxel_size=0.5, unit="micrometer", periodic=False))
    return StatsVAETransformer(n_components=3, decoder="statistics", periodic=False, cutoff=8, random_state=0).fit(X)


@pytest.fixture(scope="session")
def layout_model():
    X = Structures(textures(60, 1), Grid((16, 16), periodic=True))
    return StatsVAETransformer(n_components=2, decoder="dense", width=16, max_epochs=2, random_state=0).fit(X)


@pytest.fixture(scope="session")
def explorer(texture_model):
    return Explorer(texture_model, name="rock.matvae")


@pytest.fixture(scope="session")
def layout_explorer(layout_model):
    return Explorer(layout_model, name="bars.matvae")


@pytest.fixture(scope="session")
def volume_explorer():
    rng = np.random.default_rng(3)
    fields = np.stack([gaussian_filter(rng.standard_normal((8, 9, 9)), 1, mode="wrap") for _ in range(60)])
    X = Structures((fields > 0.05).astype(np.uint8), Grid((8, 9, 9), periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="foam.matvae")


@pytest.fixture(scope="session")
def three_phase_explorer():
    rng = np.random.default_rng(4)
    fields = np.stack([gaussian_filter(rng.standard_normal((12, 12)), 1, mode="wrap") for _ in range(40)])
    X = Structures(np.digitize(fields, (-0.1, 0.15)).astype(np.uint8), Grid((12, 12), phases=3, periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="composite.matvae")


@pytest.fixture(scope="session")
def three_phase_volume_explorer():
    rng = np.random.default_rng(5)
    fields = np.stack([gaussian_filter(rng.standard_normal((7, 8, 8)), 1, mode="wrap") for _ in range(40)])
    X = Structures(np.digitize(fields, (-0.1, 0.15)).astype(np.uint8), Grid((7, 8, 8), phases=3, periodic=True))
    model = StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X)
    return Explorer(model, name="electrode.matvae")
