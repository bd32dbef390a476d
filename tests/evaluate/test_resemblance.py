"""Agreement equals that at the best of all shifts, and copies are recognized."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data import sample_blocks
from matvae.errors import InputError
from matvae.evaluate import resemblance as resemblance_module
from matvae.evaluate.resemblance import agreement, resemblance

from ..structures import blobs


def slow(x, y, invert):
    """Share of equal voxels at the best of all shifts, tried one by one."""
    axes = tuple(range(x.ndim))
    copies = (y, np.flip(y)) if invert else (y,)
    return max(np.mean(x == np.roll(copy, shift, axes)) for copy in copies for shift in np.ndindex(*x.shape))


@pytest.mark.parametrize(("shape", "phases"), [((7, 6), 2), ((5, 8), 10), ((4, 3, 5), 3)])
@pytest.mark.parametrize("invert", [True, False])
def test_agreement_equals_that_at_the_best_of_all_shifts(shape, phases, invert, monkeypatch):
    rng = np.random.default_rng(0)
    X, Y = (rng.integers(0, phases, (n, *shape)).astype(np.uint8) for n in (4, 5))
    expected = [[slow(x, y, invert) for y in Y] for x in X]
    np.testing.assert_allclose(agreement(X, Y, phases=phases, invert=invert), expected)
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 2 * 4 * phases * X[0].size)
    np.testing.assert_allclose(agreement(X, Y, phases=phases, invert=invert), expected)


@pytest.mark.parametrize("shape", [(256, 256), (127, 509), (40, 40, 40)])
def test_single_precision_counts_the_voxels_of_the_largest_structures_exactly(shape, monkeypatch):
    # Prime numbers of voxels and a phase that fills nearly everything round worst.
    X = (np.random.default_rng(0).random((3, *shape)) < 0.02).astype(np.uint8)
    single = agreement(X, X, phases=2)
    monkeypatch.setattr(resemblance_module, "SINGLE_PRECISION_VOXELS", 0)
    np.testing.assert_array_equal(single, agreement(X, X, phases=2))


def test_shifted_and_inverted_copies_agree_in_all_voxels():
    X = blobs(3, (16, 12), phases=3)
    copies = np.roll(X, (5, 3), (1, 2))
    assert (np.diagonal(agreement(copies, X, phases=3)) == 1).all()
    inverted = np.flip(copies, (1, 2))
    assert (np.diagonal(agreement(inverted, X, phases=3)) == 1).all()
    assert (np.diagonal(agreement(inverted, X, phases=3, invert=False)) < 1).all()


def test_a_checkerboard_agrees_with_its_complement_fully_and_with_a_single_phase_by_half():
    board = (np.indices((8, 8)).sum(0) % 2)[None].astype(np.uint8)
    assert agreement(board, 1 - board, phases=2) == 1
    assert agreement(board, np.zeros_like(board), phases=2) == 0.5


def test_windows_that_overlap_agree_at_least_where_they_overlap():
    field = np.random.default_rng(0).integers(0, 2, (40, 30)).astype(np.uint8)
    shared = agreement(field[None, :30], field[None, 10:], phases=2, invert=False)
    assert 20 / 30 <= shared < 20 / 30 + 0.6 * 10 / 30


def test_copies_of_the_training_set_and_repeated_structures_are_recognized():
    training, true, new = (blobs(6, (16, 16), seed=seed) for seed in range(3))
    fair = resemblance(new, true, training, phases=2)
    copied = resemblance(np.roll(training[[4, 2, 0]], 3, 1), true, training, phases=2)
    repeated = resemblance(np.stack([np.roll(new[0], i, 0) for i in range(4)]), true, training, phases=2)
    assert (copied.copying == 1).all()
    assert copied.nearest.tolist() == [4, 2, 0]
    assert copied.n_copies == 3
    assert copied.copying_true.max() < 0.9
    assert repeated.diversity == 0
    assert repeated.among_generated.shape == (6,)
    assert fair.diversity == pytest.approx(1, abs=0.15)
    assert fair.to_dict()["among_true_mean"] == pytest.approx(
        np.mean([slow(true[i], true[j], True) for i in range(6) for j in range(i)])
    )


def test_diversity_is_undefined_if_all_true_structures_are_equal():
    board = np.zeros((2, 4, 4), np.uint8)
    assert resemblance(board, board, board, phases=2).to_dict()["diversity"] is None


def test_invalid_input_is_refused():
    X = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(InputError, match="equal shape"):
        agreement(X, X[:, :3], phases=2)
    with pytest.raises(InputError, match="labels 0 to 1 were expected"):
        agreement(X, X + 2, phases=2)
    with pytest.raises(InputError, match="Two or more generated"):
        resemblance(X[:1], X, X, phases=2)
