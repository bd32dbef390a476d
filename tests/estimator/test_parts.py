"""The parts of a fit follow from parameters and data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from matvae.estimator.parts import DEFAULT_EPOCHS
from matvae.grid import Grid


def test_sizes_follow_the_grid(make_blobs, tiny) -> None:
    _, _, grid = (model := tiny(cutoff=2))._understand(make_blobs(10, (6, 5), phases=3))
    spec = model._spec(grid)
    assert (spec.shape, spec.phases, spec.cutoff) == ((6, 5), 3, (2, 2))
    assert spec.pairs == ((1, 1), (1, 2), (2, 2)) or len(spec.pairs) == 3
    assert spec.decoder == "dense"


@pytest.mark.parametrize(
    ("limits", "epochs"), [({}, DEFAULT_EPOCHS), ({"max_time": 1.0}, None), ({"max_epochs": 3}, 3)]
)
def test_without_any_limit_there_is_a_number_of_epochs(X, tiny, limits: dict, epochs) -> None:
    model = tiny(**{"max_epochs": None, **limits})
    array, understood, grid = model._understand(X)
    module = model._build(model._spec(grid), model._batches(array, understood, grid, 0), 0)
    assert model._trainer_for(module, 0, 20).settings.max_epochs == epochs


def test_batches_of_large_structures_are_small(tiny) -> None:
    cases = [
        ((64, 64), True, None),
        ((224, 224), True, None),
        ((32, 32, 32), True, None),
        ((32, 32, 32), False, 16),
        ((128, 128, 128), True, None),
    ]
    sizes = [tiny(periodic=wrap, cutoff=reach)._auto_batch_size(Grid(shape)) for shape, wrap, reach in cases]
    # 2**22 voxels of both phases; the fourth is padded from 32 to 48 along each axis.
    assert sizes == [64, 41, 64, 18, 4]


@pytest.mark.parametrize(("batch_size", "expected"), [("auto", 36), (5, 5), (np.int64(7), 7)])
def test_batches_are_no_larger_than_the_training_set(X, tiny, batch_size, expected: int) -> None:
    model = tiny(batch_size=batch_size)
    assert model._batches(*model._understand(X), 0).batch_size == expected


def test_weights_follow_the_seed(X, tiny) -> None:
    model = tiny()
    array, understood, grid = model._understand(X)
    batches = model._batches(array, understood, grid, 0)
    first, same, other = (model._build(model._spec(grid), batches, seed) for seed in (0, 0, 1))
    weights = [module.decoder.layers[0].weight for module in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_an_encoder_starts_from_weights_only_where_they_are_given(make_blobs, tiny, small_resnet) -> None:
    stored = load_file(small_resnet / "model.safetensors")
    name = "encoder.stages.0.layers.0.layer.0.convolution.weight"
    for source, taken in ((small_resnet, True), (None, False)):
        model = tiny(encoder="resnet152", encoder_weights=source)
        array, understood, grid = model._understand(make_blobs(12, (36, 36)))
        module = model._build(model._spec(grid), model._batches(array, understood, grid, 0), 0)
        assert torch.equal(module.encoder.backbone.state_dict()[name], stored[name]) == taken
