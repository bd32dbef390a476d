"""Small model, fitted once on structures of various volume fractions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer

from ..structures import blobs


@pytest.fixture(scope="session")
def training():
    """Return labels ``(120, 12, 12)``."""
    volume_fractions = np.random.default_rng(0).uniform(0.2, 0.8, 120)
    return blobs(120, (12, 12), width=1.0, volume_fraction=volume_fractions)


@pytest.fixture(scope="session")
def model(training):
    """Return a model with two components, enough to encode the volume fraction."""
    return StatsVAETransformer(n_components=2, decoder="dense", max_epochs=30, width=16, random_state=0).fit(training)


@pytest.fixture
def read_only_warnings_are_errors():
    """Raise the warning of torch for arrays that are not writable, which it otherwise issues once per process."""
    torch.set_warn_always(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*not writable")
        yield
    torch.set_warn_always(False)


@pytest.fixture(scope="session")
def windows():
    """Return labels ``(160, 16, 16)`` of a texture."""
    volume_fractions = np.random.default_rng(0).uniform(0.3, 0.7, 160)
    return blobs(160, (16, 16), width=1.2, volume_fraction=volume_fractions)


@pytest.fixture(scope="session")
def texture_model(windows):
    """Return a model with two components that decodes statistics and carries most of the windows."""
    return StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(windows)
