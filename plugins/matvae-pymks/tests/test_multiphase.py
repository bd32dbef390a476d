"""Random multiphase structures: volume fractions, periodicity, grains; PyMKS's from the same noise."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import two_point_stats
from matvae.errors import InputError
from matvae_pymks import generate_multiphase
from matvae_pymks.multiphase import _blur, _kernel
from matvae_pymks.upstream import import_pymks

theirs = import_pymks("pymks.fmks.data.multiphase")


@pytest.mark.parametrize(
    ("shape", "grain_size", "volume_fraction"),
    [((4, 50), (7,), (0.3, 0.7)), ((3, 20, 31), (4, 9), (0.2, 0.5, 0.3)), ((2, 10, 9, 8), (3, 3, 2), (0.25,) * 4)],
)
def test_volume_fractions_are_met_to_a_voxel(shape, grain_size, volume_fraction):
    structures = generate_multiphase(shape, grain_size, volume_fraction, seed=1)
    assert (structures.shape, structures.dtype) == (shape, np.int64)
    for phase, share in enumerate(volume_fraction):
        counts = (structures == phase).reshape(shape[0], -1).sum(axis=1)
        assert np.abs(counts - share * np.prod(shape[1:])).max() <= 1


def test_percent_variance_spreads_volume_fractions_evenly_within_its_bounds():
    structures = generate_multiphase((400, 40, 40), (3, 3), (0.4, 0.6), percent_variance=0.1, seed=0)
    shares = structures.mean(axis=(1, 2))
    assert 0.5 - 1e-3 <= shares.min() < 0.52
    assert 0.68 < shares.max() <= 0.7 + 1e-3
    assert shares.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.1)


def test_structures_are_periodic():
    """Neighbours across the border agree as often as neighbours inside."""
    structures = generate_multiphase((200, 16, 16), (6, 6), (0.5, 0.5), seed=0)
    for axis in (1, 2):
        agree = (structures == np.roll(structures, 1, axis)).mean(axis=(0, 3 - axis))
        assert agree.min() > 0.7
        assert agree[0] == pytest.approx(agree[1:].mean(), abs=0.02)


def test_grains_are_long_where_grain_size_is():
    """f falls off later along the long axis, and with grains of one size alike along both."""
    centre = (0, 16, 16)
    long = two_point_stats(generate_multiphase((60, 32, 32), (12, 3), (0.5, 0.5), seed=0))[..., 0].mean(0)[None]
    assert long[0, 16 + 3, 16] - long[0, 16, 16 + 3] > 0.07
    even = two_point_stats(generate_multiphase((60, 32, 32), (6, 6), (0.5, 0.5), seed=0))[..., 0].mean(0)[None]
    assert even[0, 16 + 3, 16] == pytest.approx(even[0, 16, 16 + 3], abs=0.015)
    assert even[centre] == pytest.approx(0.5, abs=1e-3)


def test_phases_are_layered():
    """Phase 0 meets phase 2 in fewer places than phase 1, as the blurred field is smooth."""
    structures = generate_multiphase((20, 40, 40), (12, 12), (0.3, 0.4, 0.3), seed=0)
    right = np.roll(structures, -1, 2)
    assert ((structures == 0) & (right == 2)).sum() < 0.02 * ((structures == 0) & (right == 1)).sum()


@pytest.mark.parametrize(
    ("grain_size", "space"), [((5, 4), (12, 9)), ((6, 6), (6, 13)), ((3, 2, 4), (7, 6, 5)), ((4,), (11,))]
)
def test_noise_is_blurred_as_by_pymks(grain_size, space):
    """Up to a shift of the periodic field, which no statistics sees."""
    noise = np.random.default_rng(0).random(space)
    ours = _blur(noise, _kernel(grain_size, space))
    pymks = theirs._imfilter(f_data=theirs._gaussian_blur_filter(grain_size, space))(noise)
    shifts = np.ndindex(*(3,) * len(space))
    axes = tuple(range(len(space)))
    assert any(np.allclose(np.roll(ours, np.array(s) - 1, axes), pymks, rtol=0, atol=1e-12) for s in shifts)


def test_a_seed_gives_the_same_whatever_the_chunks_and_the_number():
    settings = {"grain_size": (3, 5), "volume_fraction": (0.5, 0.5), "percent_variance": 0.05}
    whole = generate_multiphase((5, 12, 14), **settings, seed=3)
    lazy = generate_multiphase((5, 12, 14), **settings, chunks=2, seed=3)
    assert isinstance(whole, np.ndarray)
    assert isinstance(lazy, da.Array)
    assert lazy.chunks == ((2, 2, 1), (12,), (14,))
    assert lazy.dtype == np.int64
    np.testing.assert_array_equal(lazy.compute(), whole)
    np.testing.assert_array_equal(lazy[3:].compute(), whole[3:])
    np.testing.assert_array_equal(generate_multiphase((2, 12, 14), **settings, seed=3), whole[:2])
    assert len(np.unique(whole, axis=0)) == 5
    assert not np.array_equal(generate_multiphase((5, 12, 14), **settings, seed=4), whole)


def test_no_seed_differs_and_global_seeds_stay():
    settings = {"shape": (1, 20, 20), "grain_size": (3, 3), "volume_fraction": (0.5, 0.5)}
    np.random.seed(0)
    first = generate_multiphase(**settings, seed=5)
    drawn = np.random.random()
    np.random.seed(0)
    assert drawn == np.random.random()
    assert not np.array_equal(generate_multiphase(**settings), generate_multiphase(**settings))
    np.testing.assert_array_equal(first, generate_multiphase(**settings, seed=5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grain_size": (4,)}, r"one number for each axis of space, but shape=\(1, 10, 10\) and grain_size=\(4,\)"),
        ({"grain_size": (4, 11)}, r"size of the domain \(10, 10\) along each axis, but \(4, 11\)"),
        ({"grain_size": (0, 4)}, "from 1 voxel"),
        ({"volume_fraction": (0.4, 0.4, 0.4)}, "sum to 1"),
        ({"volume_fraction": (1.5, -0.5)}, "none negative"),
        ({"volume_fraction": ()}, "one share a phase"),
        ({"percent_variance": 5}, r"from 0 to 0.3, .* It is a fraction: 5 % is 0.05"),
        ({"percent_variance": -0.1}, "from 0 to"),
        ({"chunks": 0}, "or -1 for a numpy array, but 0"),
    ],
)
def test_bad_input_is_refused_before_work_starts(change, said):
    settings = {"shape": (1, 10, 10), "grain_size": (4, 4), "volume_fraction": (0.3, 0.7), "chunks": 1} | change
    with pytest.raises(InputError, match=said):
        generate_multiphase(**settings)
