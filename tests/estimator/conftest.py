"""Small structures and a small transformer shared by the tests of this folder."""

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
    """Run torch on one thread: tiny tensors gain nothing from more, and the order of summation is fixed."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_blobs() -> Callable[..., np.ndarray]:
    """Return a function that makes small structures with features a few voxels wide."""

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
    """Return a function that makes an unfitted transformer, small enough to train in a moment."""

    def make(**parameters: object) -> StatsVAETransformer:
        values = {
            "n_components": 2,
            "decoder": "dense",
            "width": 16,
            "max_epochs": 2,
            "batch_size": 8,
            "random_state": 0,
        }
        return StatsVAETransformer(**{**values, **parameters})

    return make


@pytest.fixture(scope="module")
def fitted(X: np.ndarray, tiny: Callable[..., StatsVAETransformer]) -> StatsVAETransformer:
    """A transformer fitted on X, which tests must not modify."""
    return tiny().fit(X)


@pytest.fixture
def small_resnet(tmp_path, monkeypatch) -> Path:
    """Replace ``encoder="resnet152"`` with a ResNet of two small stages, and return a folder with weights for it."""
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
