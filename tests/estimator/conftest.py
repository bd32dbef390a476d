"""Small structures and a small transformer that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more threads, and sums then have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def blobs(n: int = 40, shape: tuple[int, ...] = (8, 8), phases: int = 2, seed: int = 0) -> np.ndarray:
    """Periodic labels ``(sample, *space)`` of type uint8, with blobs a few voxels wide."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, *shape))
    axes = tuple(range(1, noise.ndim))
    field = sum(np.roll(noise, shift, axis) for axis in axes for shift in (-1, 0, 1))
    cuts = np.quantile(field, np.linspace(0, 1, phases + 1)[1:-1])
    return np.digitize(field, cuts).astype(np.uint8)


@pytest.fixture(scope="session")
def make_blobs() -> Callable[..., np.ndarray]:
    return blobs


@pytest.fixture(scope="session", name="X")
def small_structures() -> np.ndarray:
    """40 two-phase structures of 8 x 8 voxels."""
    X = blobs()
    X.setflags(write=False)
    return X


@pytest.fixture(scope="session")
def lazy(X: np.ndarray) -> da.Array:
    """The same structures as a dask array in five blocks."""
    return da.from_array(np.array(X), chunks=(8, 8, 8))


@pytest.fixture(scope="session")
def tiny() -> Callable[..., StatsVAETransformer]:
    """Makes an unfitted transformer that trains in a moment."""

    def make(**parameters: object) -> StatsVAETransformer:
        values = {"n_components": 2, "width": 16, "max_epochs": 2, "batch_size": 8, "random_state": 0}
        return StatsVAETransformer(**{**values, **parameters})

    return make


@pytest.fixture(scope="module")
def fitted(X: np.ndarray, tiny: Callable[..., StatsVAETransformer]) -> StatsVAETransformer:
    """A transformer fitted on X; not to be changed."""
    return tiny().fit(X)


@pytest.fixture
def small_resnet(tmp_path, monkeypatch) -> Path:
    """Makes ``encoder="resnet152"`` a ResNet of two small stages, and gives a folder with weights for it."""
    from transformers import ResNetConfig, ResNetModel

    from matvae.model.encoders.pretrained import ResNet152Encoder

    sizes = {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8}
    monkeypatch.setattr(ResNet152Encoder, "sizes", sizes)
    torch.manual_seed(5)
    ResNetModel(ResNetConfig(**sizes)).save_pretrained(tmp_path / "weights")
    return tmp_path / "weights"
