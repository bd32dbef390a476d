"""Fixtures for models with boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from matvae.model import ModelSpec


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Use one thread, which is as fast for small tensors and makes the order of sums reproducible."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_spec() -> Callable[..., ModelSpec]:
    """Return a function that builds the specification of a model with boxes."""

    def make(shape: tuple[int, ...], n_components: int, boxes: int) -> ModelSpec:
        return ModelSpec(
            shape=shape,
            phases=2,
            pairs=((1, 1),),
            periodic=True,
            cutoff=None,
            n_components=n_components,
            encoder="pursuit",
            decoder="boxes",
            width=16,
            decoder_options={"boxes": boxes},
        )

    return make
