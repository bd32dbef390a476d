"""Small models and data in memory; a single thread, so that sums are reproducible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from matvae.model import ModelSpec, StatsVAE
from matvae.testing.models import small_spec

from .training import SETTINGS, Source, stripes, trainer_of


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_spec():
    """Return a function that builds a small spec, in which any field can be set."""

    def make(shape: tuple[int, ...] = (8, 8), phases: int = 2, **values) -> ModelSpec:
        return small_spec(shape, phases, **values)

    return make


@pytest.fixture
def make_module(make_spec):
    """Return a function that builds a small model with weights determined by a seed."""

    def make(*args, seed: int = 0, **values) -> StatsVAE:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return StatsVAE(make_spec(*args, **values))

    return make


@pytest.fixture
def labels():
    """Return a function that draws random labels ``(sample, *space)``."""

    def make(n: int, shape: tuple[int, ...], phases: int = 2, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(phases, (n, *shape), generator=generator, dtype=torch.uint8)

    return make


@pytest.fixture
def trained(make_module):
    """Return a function that trains on stripes and returns the trainer."""

    def make(settings=SETTINGS, *, source=None, seed=0, fit=None, **values):
        X = stripes()
        trainer = trainer_of(make_module, X, settings, seed, **values)
        trainer.fit(source or Source(X[:32], held=X[32:]), **(fit or {}))
        return trainer

    return make
