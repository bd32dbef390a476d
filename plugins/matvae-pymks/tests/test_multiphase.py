"""Random multiphase structures: volume fractions, periodicity, grain shape, and agreement with PyMKS."""

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
def test_volume_fractions_are_exact_to_one_voxel(shape, grain_size, volume_fraction):
    structures = generate_multiphase(shape, grain_size, volume_fraction, seed=1)
    assert (structures.shape, structures.dtype) == (shape, np.int64)
    for phase, fraction in enumerate(volume_fraction):
        counts = (structures == phase).reshape(shape[0], -1).sum(axis=1)
        assert np.abs(counts - fraction * np.prod(shape[1:])).max() <= 1


def test_percent_variance_distributes_volume_fractions_uniformly_within_its_bounds():
    structures = generate_multiphase((400, 40, 40), (3, 3), (0.4, 0.6), percent_variance=0.1, seed=0)
    fractions = structures.mean(axis=(1, 2))
    assert 0.5 - 1e-3 <= fractions.min() < 0.52
    assert 0.68 < fractions.max() <= 0.7 + 1e-3
    assert fractions.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.1)


def test_structures_are_periodic():
    """Neighbours across the boundary agree as often as neighbours inside."""
    structures = generate_multiphase((200, 16, 16), (6, 6), (0.5, 0.5), seed=0)
    for axis in (1, 2):
        agreement = (structures == np.roll(structures, 1, axis)).mean(axis=(0, 3 - axis))
        assert agreement.min() > 0.7
        assert agreement[0] == pytest.approx(agreement[1:].mean(), abs=0.02)


def test_grain_shape_follows_grain_size():
    """Correlations extend further along the long axis, and equally far along both for equal sizes."""
    centre = (0, 16, 16)
    elongated = two_point_stats(generate_multiphase((60, 32, 32), (12, 3), (0.5, 0.5), seed=0))[..., 0].mean(0)[None]
    assert elongated[0, 16 + 3, 16] - elongated[0, 16, 16 + 3] > 0.07
    equiaxed = two_point_stats(generate_multiphase((60, 32, 32), (6, 6), (0.5, 0.5), seed=0))[..., 0].mean(0)[None]
    assert equiaxed[0, 16 + 3, 16] == pytest.approx(equiaxed[0, 16, 16 + 3], abs=0.015)
    assert equiaxed[centre] == pytest.approx(0.5, abs=1e-3)


def test_intermediate_phase_separates_the_others():
    """Phase 0 has far fewer interfaces with phase 2 than with phase 1, because the blurred field is smooth."""
    structures = generate_multiphase((20, 40, 40), (12, 12), (0.3, 0.4, 0.3), seed=0)
    neighbours = np.roll(structures, -1, 2)
    assert ((structures == 0) & (neighbours == 2)).sum() < 0.02 * ((structures == 0) & (neighbours == 1)).sum()


@pytest.mark.parametrize(
    ("grain_size", "space"), [((5, 4), (12, 9)), ((6, 6), (6, 13)), ((3, 2, 4), (7, 6, 5)), ((4,), (11,))]
)
def test_blur_equals_that_of_pymks(grain_size, space):
    """The fields agree up to a periodic translation, which does not affect statistics."""
    noise = np.random.default_rng(0).random(space)
    ours = _blur(noise, _kernel(grain_size, space))
    pymks = theirs._imfilter(f_data=theirs._gaussian_blur_filter(grain_size, space))(noise)
    shifts = np.ndindex(*(3,) * len(space))
    axes = tuple(range(len(space)))
    assert any(np.allclose(np.roll(ours, np.array(s) - 1, axes), pymks, rtol=0, atol=1e-12) for s in shifts)


def test_result_of_a_seed_does_not_depend_on_chunks_or_number_of_samples():
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


def test_calls_without_seed_differ_and_global_seeds_are_unchanged():
    settings = {"shape": (1, 20, 20), "grain_size": (3, 3), "volume_fraction": (0.5, 0.5)}
    np.random.seed(0)
    first = generate_multiphase(**settings, seed=5)
    after = np.random.random()
    np.random.seed(0)
    assert after == np.random.random()
    assert not np.array_equal(generate_multiphase(**settings), generate_multiphase(**settings))
    np.testing.assert_array_equal(first, generate_multiphase(**settings, seed=5))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grain_size": (4,)}, r"one number per axis of space, but shape=\(1, 10, 10\) and grain_size=\(4,\)"),
        ({"grain_size": (4, 11)}, r"size of the domain \(10, 10\) along each axis, but \(4, 11\)"),
        ({"grain_size": (0, 4)}, "from 1 voxel"),
        ({"volume_fraction": (0.4, 0.4, 0.4)}, "sum to 1"),
        ({"volume_fraction": (1.5, -0.5)}, "none negative"),
        ({"volume_fraction": ()}, "one number per phase"),
        ({"percent_variance": 5}, r"from 0 to 0.3, .* It is a fraction: 5 % is 0.05"),
        ({"percent_variance": -0.1}, "from 0 to"),
        ({"chunks": 0}, "or -1 for a numpy array, but 0"),
    ],
)
def test_invalid_input_is_refused_immediately(change, message):
    settings = {"shape": (1, 10, 10), "grain_size": (4, 4), "volume_fraction": (0.3, 0.7), "chunks": 1} | change
    with pytest.raises(InputError, match=message):
        generate_multiphase(**settings)
