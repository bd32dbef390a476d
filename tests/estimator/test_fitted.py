"""`FittedModel` searches for latents; `lazily` evaluates numpy arrays at once and dask arrays on demand."""

from __future__ import annotations

import copy

import dask.array as da
import numpy as np

from matvae.estimator.fitted import lazily


def sums(block: np.ndarray, *more: np.ndarray) -> np.ndarray:
    total = block.sum((1, 2))[:, None] + sum(part.sum((1, 2))[:, None] for part in more)
    return np.repeat(total, 3, axis=1).astype(np.float32)


def test_dask_equals_numpy_and_has_its_shape_before_it_is_computed() -> None:
    X = np.arange(60.0).reshape(5, 4, 3)
    expected = lazily(X, sums, (3,), np.dtype(np.float32))
    lazy = lazily(da.from_array(X, chunks=(2, 4, 3)), sums, (3,), np.dtype(np.float32))
    assert (lazy.shape, lazy.dtype, lazy.chunks) == ((5, 3), np.float32, ((2, 2, 1), (3,)))
    np.testing.assert_array_equal(lazy.compute(), expected)


def test_further_arrays_are_passed_block_by_block() -> None:
    X = np.arange(60.0).reshape(5, 4, 3)
    lazy = da.from_array(X, chunks=(2, 4, 3))
    lazy_sums = lazily(lazy, sums, (3,), np.dtype(np.float32), lazy)
    np.testing.assert_array_equal(lazy_sums.compute(), lazily(X, sums, (3,), np.dtype(np.float32), X))


def test_blocks_without_samples_are_not_computed() -> None:
    def fails_on_empty_blocks(block: np.ndarray) -> np.ndarray:
        assert len(block)
        return sums(block)

    X = da.concatenate([da.zeros((0, 4, 3)), da.ones((2, 4, 3))])
    np.testing.assert_array_equal(
        lazily(X, fails_on_empty_blocks, (3,), np.dtype(np.float32)).compute(), np.full((2, 3), 12)
    )


def test_a_search_improves_the_statistics_and_does_not_depend_on_chunks(X, fitted) -> None:
    plain, searching = copy.deepcopy(fitted), copy.deepcopy(fitted).set_params(latent_steps=20)
    assert searching.score(X) > plain.score(X)
    Z = searching.transform(X)
    assert not np.array_equal(Z, plain.transform(X))
    np.testing.assert_allclose(searching.transform(da.from_array(X, chunks=(7, 8, 8))).compute(), Z, atol=1e-4)


def test_latents_found_by_a_search_are_invariant_to_shifts(X, fitted) -> None:
    model = copy.deepcopy(fitted).set_params(latent_steps=5)
    Z = model.transform(X)
    np.testing.assert_allclose(model.transform(np.roll(X, (3, 2), (1, 2))), Z, atol=1e-3)
