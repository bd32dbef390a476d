"""The parts of a fit follow from parameters and data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from matvae import two_point_stats
from matvae.estimator.parts import DEFAULT_EPOCHS
from matvae.grid import Grid
from matvae.model import StatsVAE

decode = StatsVAE.decode


def spec_of(model, X, fitted=None):
    array, understood, grid = model._understand(X)
    return model._spec(grid, model._batches(array, understood, grid, 0), fitted)


def bars(n: int = 12, size: int = 66) -> np.ndarray:
    """Two bars across each other, somewhere."""
    X, rng = np.zeros((n, size, size), np.uint8), np.random.default_rng(0)
    for one, (y, x) in zip(X, rng.integers(0, size - 30, (n, 2)), strict=True):
        one[y, x : x + 20] = one[y : y + 20, x] = 1
    return X


def test_sizes_follow_the_grid(make_blobs, tiny) -> None:
    spec = spec_of(tiny(cutoff=2), make_blobs(10, (6, 5), phases=3))
    assert (spec.shape, spec.phases, spec.cutoff) == ((6, 5), 3, (2, 2))
    assert spec.pairs == ((1, 1), (1, 2), (2, 2)) or len(spec.pairs) == 3
    assert spec.decoder == "dense"
    assert spec.coarse is None


def test_structures_of_few_products_get_the_separable_decoder_and_coarse_grids(make_blobs, tiny) -> None:
    chosen = spec_of(tiny(), bars())
    assert (chosen.decoder, chosen.coarse) == ("separable", (2, 2))
    assert spec_of(tiny(decoder="dense"), bars()).decoder == "dense"
    # Blobs have all the products there are; without all lags there are no statistics of a coarse grid.
    assert spec_of(tiny(), make_blobs(12, (66, 66))).decoder == "dense"
    assert spec_of(tiny(cutoff=3), bars()).decoder == "dense"
    assert spec_of(tiny(decoder="separable", cutoff=3), bars()).coarse is None
    assert spec_of(tiny(encoder="image"), bars()).coarse is None


def test_a_training_that_goes_on_keeps_the_decoder_whatever_the_data_look_like(make_blobs, tiny) -> None:
    fitted = spec_of(tiny(), bars())
    assert spec_of(tiny(), make_blobs(12, (66, 66)), fitted) == fitted


def test_training_goes_from_the_coarsest_grid_to_the_full_one(tiny, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(
        StatsVAE, "decode", lambda self, z, factors=None: seen.append(factors) or decode(self, z, factors)
    )
    model = tiny(max_epochs=2, coarse_fraction=0.5, patience=None, validation_fraction=0.0).fit(bars(16))
    assert seen == [(2, 2), (2, 2), None, None]
    assert len(model.history_) == 2
    # A single pass has no schedule, and is made on the full grid.
    seen.clear()
    model.partial_fit(bars(8))
    assert set(seen) == {None}


def test_statistics_alone_train_on_coarse_grids_too(tiny) -> None:
    f = two_point_stats(bars(16))
    model = tiny(input="statistics", sample_shape=(66, 66), decoder="separable", max_epochs=4, coarse_fraction=0.5)
    model.fit(f)
    assert model.module_.spec.coarse == (2, 2)
    assert all(np.isfinite(record["statistics_loss"]) for record in model.history_)
    assert model.inverse_transform(model.transform(f[:2])).shape == (2, 66, 66)


@pytest.mark.parametrize(
    ("limits", "epochs"), [({}, DEFAULT_EPOCHS), ({"max_time": 1.0}, None), ({"max_epochs": 3}, 3)]
)
def test_without_any_limit_there_is_a_number_of_epochs(X, tiny, limits: dict, epochs) -> None:
    model = tiny(**{"max_epochs": None, **limits})
    array, understood, grid = model._understand(X)
    batches = model._batches(array, understood, grid, 0)
    module = model._build(model._spec(grid, batches), batches, 0)
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
    first, same, other = (model._build(model._spec(grid, batches), batches, seed) for seed in (0, 0, 1))
    weights = [module.decoder.layers[0].weight for module in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_an_encoder_starts_from_weights_only_where_they_are_given(make_blobs, tiny, small_resnet) -> None:
    stored = load_file(small_resnet / "model.safetensors")
    name = "encoder.stages.0.layers.0.layer.0.convolution.weight"
    for source, taken in ((small_resnet, True), (None, False)):
        model = tiny(encoder="resnet152", encoder_weights=source)
        array, understood, grid = model._understand(make_blobs(12, (36, 36)))
        batches = model._batches(array, understood, grid, 0)
        module = model._build(model._spec(grid, batches), batches, 0)
        assert torch.equal(module.encoder.backbone.state_dict()[name], stored[name]) == taken
