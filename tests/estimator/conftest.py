"""Small structures and a small transformer that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch

from matvae import StatsVAETransformer

from ..structures import blobs


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more threads, and sums then have one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_blobs() -> Callable[..., np.ndarray]:
    """Makes small structures with features a few voxels wide."""

    def make(n: int = 40, shape: tuple[int, ...] = (8, 8), **options: int) -> np.ndarray:
        return blobs(n, shape, width=1.0, **options)

    return make


@pytest.fixture(scope="session", name="X")
def small_structures(make_blobs: Callable[..., np.ndarray]) -> np.ndarray:
    """40 two-phase structures of 8 x 8 voxels."""
    X = make_blobs()
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


@pytest.fixture
def saved(fitted: StatsVAETransformer, tmp_path: Path) -> Path:
    fitted.save(tmp_path / "model.matvae")
    return tmp_path / "model.matvae"
