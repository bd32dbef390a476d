from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import realise, reconstruct
from matvae.stats import relative_error, two_point_stats

from ..structures import blobs
from .structures import fractions


def reconstructed(labels, phases=2, periodic=True, cutoff=None, **options):
    """Statistics of structures, and the reconstruction from them."""
    f = two_point_stats(labels, spatial_dims=labels.ndim - 1, phases=phases, periodic=periodic, cutoff=cutoff)
    grid = Grid(labels.shape[1:], phases=phases, periodic=periodic)
    return f, reconstruct(f, grid=grid, random_state=0, **options)


@pytest.mark.parametrize(
    ("shape", "phases", "periodic", "cutoff", "max_error"),
    [
        ((128,), 2, True, None, 0.06),
        ((128,), 3, False, 10, 0.08),
        ((32, 32), 2, True, None, 0.03),
        ((32, 32), 2, True, 8, 0.02),
        ((32, 32), 2, False, 8, 0.02),
        ((32, 30), 3, True, None, 0.1),
        ((32, 32), 4, True, 6, 0.1),
        ((24, 24), 5, True, 5, 0.15),
        ((12, 12, 12), 2, True, None, 0.1),
        ((12, 12, 12), 2, False, 4, 0.05),
        ((10, 12, 11), 3, True, 3, 0.1),
    ],
)
def test_structures_have_the_statistics_and_exact_volume_fractions(shape, phases, periodic, cutoff, max_error):
    labels = blobs(4, shape, phases)
    f, reconstruction = reconstructed(labels, phases, periodic, cutoff, max_iter=80)
    assert reconstruction.structures.shape == labels.shape
    assert reconstruction.structures.dtype == np.uint8
    assert np.array_equal(fractions(reconstruction.structures, phases), fractions(labels, phases))
    g = two_point_stats(
        reconstruction.structures, spatial_dims=len(shape), phases=phases, periodic=periodic, cutoff=cutoff
    )
    np.testing.assert_allclose(reconstruction.error, relative_error(f, g), atol=1e-5)
    assert reconstruction.error.mean() < max_error
    assert reconstruction.realizable.all()
    assert (reconstruction.n_iter <= 80).all()


def test_structures_can_be_larger_than_the_window_of_their_statistics():
    f = two_point_stats(blobs(3, (15, 15), width=1.2))
    reconstruction = reconstruct(f, grid=Grid((48, 40)), random_state=0, max_iter=80)
    assert reconstruction.structures.shape == (3, 48, 40)
    cut = two_point_stats(reconstruction.structures, cutoff=7)
    np.testing.assert_allclose(relative_error(f, cut), reconstruction.error, atol=1e-5)
    assert reconstruction.error.mean() < 0.05


def test_realizations_of_a_target_differ():
    labels = blobs(2, (24, 24))
    _, reconstruction = reconstructed(labels, cutoff=5, n_realizations=4, max_iter=40)
    assert reconstruction.structures.shape == (2, 4, 24, 24)
    assert reconstruction.error.shape == reconstruction.n_iter.shape == (2, 4)
    assert reconstruction.realizable.shape == (2,)
    assert reconstruction.error.max() < 0.1
    for realizations in reconstruction.structures:
        assert len({realization.tobytes() for realization in realizations}) == 4


def test_the_same_seed_gives_the_same_structures():
    labels = blobs(3, (16, 16))
    f = two_point_stats(labels)
    first, second, third = (
        reconstruct(f, grid=Grid((16, 16)), random_state=seed, max_iter=20).structures for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


@pytest.mark.parametrize("phases", [2, 3])
def test_blocks_do_not_change_the_result(phases, monkeypatch):
    """Compare after few iterations, since transforms of one field and of many differ in the last digit."""
    labels = blobs(7, (16, 16), phases)
    _, whole = reconstructed(labels, phases, method="retrieval", max_iter=3, n_realizations=2)
    monkeypatch.setattr(realise, "BLOCK_VOXELS", 1)
    _, one_by_one = reconstructed(labels, phases, method="retrieval", max_iter=3, n_realizations=2)
    assert np.array_equal(whole.structures, one_by_one.structures)
    assert np.array_equal(whole.n_iter, one_by_one.n_iter)
    np.testing.assert_allclose(whole.error, one_by_one.error, atol=1e-6)


def test_initial_labels_that_solve_the_problem_are_returned():
    labels = blobs(3, (16, 16))
    f, reconstruction = reconstructed(labels, init=labels)
    assert np.array_equal(reconstruction.structures, labels)
    assert (reconstruction.n_iter == 0).all()
    _, swapped = reconstructed(labels, init=labels, method="swaps", max_iter=5)
    assert np.array_equal(swapped.structures, labels)
    assert f.shape == (3, 16, 16, 1)


def test_volume_fractions_are_exact_even_if_those_of_the_initial_labels_differ():
    labels = blobs(2, (16, 16))
    _, reconstruction = reconstructed(labels, init=np.zeros_like(labels), max_iter=40)
    assert np.array_equal(fractions(reconstruction.structures, 2), fractions(labels, 2))


@pytest.mark.parametrize("method", ["auto", "retrieval", "swaps"])
def test_structures_of_a_single_phase_are_reproduced(method):
    labels = np.stack([np.zeros((8, 8)), np.ones((8, 8)), blobs(1, (8, 8))[0]]).astype(np.uint8)
    _, reconstruction = reconstructed(labels, method=method, max_iter=20)
    assert np.array_equal(reconstruction.structures[:2], labels[:2])
    assert reconstruction.error[:2].max() < 1e-6
    assert reconstruction.realizable.all()


def test_unrealizable_statistics_are_reported_and_approximated():
    """Extrapolate from the mean of statistics through those of one structure, which makes the power negative."""
    f = two_point_stats(blobs(6, (16, 16)))
    mean = f.mean(axis=0, keepdims=True)
    walk = mean + np.array([1.0, 2.0, 4.0])[:, None, None, None] * (f[:1] - mean)
    reconstruction = reconstruct(walk, grid=Grid((16, 16)), random_state=0, max_iter=80)
    assert reconstruction.realizable.tolist() == [True, False, False]
    assert reconstruction.error[0] < 0.05
    assert reconstruction.error[0] < reconstruction.error[1] < reconstruction.error[2] < 0.5


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "adam"}, "method must be one of 'auto', 'retrieval', 'swaps', but 'adam'"),
        ({"tol": -1.0}, "tol must be a number at least 0"),
        ({"tol": float("nan")}, "tol must be"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1"),
        ({"max_iter": True}, "max_iter must be an integer"),
        ({"n_realizations": 0}, "n_realizations must be an integer of at least 1"),
        ({"n_realizations": 1.5}, "n_realizations must be an integer"),
        ({"random_state": "seed"}, "random_state must be None"),
        ({"device": "nowhere"}, "device must be"),
    ],
)
def test_invalid_options_are_refused(options, match):
    f = two_point_stats(blobs(1, (8, 8)))
    with pytest.raises(InputError, match=match):
        reconstruct(f, **{"grid": Grid((8, 8)), **options})


def test_every_kind_of_seed_is_accepted():
    f = two_point_stats(blobs(1, (8, 8)))
    for seed in (None, 3, np.int64(3), np.random.RandomState(0), np.random.default_rng(0)):
        assert reconstruct(f, grid=Grid((8, 8)), random_state=seed, max_iter=2).error.shape == (1,)


def test_torch_statistics_give_the_same_structures_as_numpy():
    f = two_point_stats(blobs(2, (12, 12)))
    grid = Grid((12, 12))
    first = reconstruct(f, grid=grid, random_state=0, max_iter=10)
    second = reconstruct(torch.from_numpy(f), grid=grid, random_state=0, max_iter=10)
    assert np.array_equal(first.structures, second.structures)
