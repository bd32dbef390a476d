"""Stored statistics of every convention are converted to matvae's, and arrays of no convention are refused."""

from __future__ import annotations

import warnings

import dask.array as da
import numpy as np
import pytest

from matvae import two_point_stats
from matvae.errors import InputError
from matvae_pymks import check_statistics, to_matvae_statistics
from matvae_pymks.conventions import MASTER, MATVAE, RELEASE, WINDOW

from .cases import Case, pymks_statistics

SPACES = [(9,), (12,), (7, 7), (8, 8), (9, 6), (6, 11), (5, 5, 5), (4, 6, 5)]


def matvae(case: Case, cutoff: int | tuple[int, ...] | None = None) -> np.ndarray:
    return two_point_stats(
        case.states(),
        spatial_dims=len(case.space),
        state_axis=-1,
        correlations=case.pairs,
        periodic=case.periodic,
        cutoff=cutoff,
    )


def master(case: Case) -> np.ndarray:
    """Return statistics as PyMKS's master does: with lag -N/2 repeated, or with lags without pairs at both ends."""
    f = matvae(case)
    for axis, size in enumerate(case.space, start=1):
        width = [(0, 0)] * f.ndim
        if size % 2 == 0 and case.periodic:
            width[axis] = (0, 1)
            f = np.pad(f, width, mode="wrap")
        elif size % 2 == 0:
            width[axis] = (1, 1)
            f = np.pad(f, width, constant_values=np.nan)
    return f


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("periodic", [True, False])
def test_master_is_converted_to_all_lags(space, periodic):
    case = Case(space, periodic=periodic)
    stored = master(case)
    even = any(size % 2 == 0 for size in space)
    convention = check_statistics(stored, sample_shape=space, periodic=periodic, n_correlations=3)
    assert (convention.name, convention.cutoff) == (MASTER if even else MATVAE, None)
    assert convention.lags == stored.shape[1:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted = to_matvae_statistics(stored, sample_shape=space, periodic=periodic)
    np.testing.assert_array_equal(converted, matvae(case))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("periodic", [True, False])
def test_release_is_converted_to_the_largest_common_window_with_a_warning(space, periodic):
    case = Case(space, periodic=periodic)
    stored = pymks_statistics(case)
    convention = check_statistics(stored, sample_shape=space, periodic=periodic)
    if stored.shape == matvae(case).shape:
        # With equal odd numbers of voxels nothing is cropped, and all conventions agree.
        assert (convention.name, convention.cutoff) == (MATVAE, None)
        converted = to_matvae_statistics(stored, sample_shape=space, periodic=periodic)
    else:
        cutoff = ((min(space) - 1) // 2,) * len(space)
        assert (convention.name, convention.cutoff) == (RELEASE, cutoff)
        with pytest.warns(UserWarning, match="cannot be recovered") as warned:
            converted = to_matvae_statistics(stored, sample_shape=space, periodic=periodic)
        assert f"cutoff={cutoff}" in str(warned[0].message)
        assert warned[0].filename == __file__
    np.testing.assert_allclose(converted, matvae(case, convention.cutoff), rtol=0, atol=1e-10)


@pytest.mark.parametrize("periodic", [True, False])
def test_complete_statistics_of_matvae_are_unchanged(periodic):
    case = Case((8, 6), periodic=periodic)
    converted = to_matvae_statistics(matvae(case), sample_shape=(8, 6), periodic=periodic)
    np.testing.assert_array_equal(converted, matvae(case))
    assert check_statistics(converted, sample_shape=(8, 6), periodic=periodic).name == MATVAE


def test_cutoff_window_is_recognised():
    case = Case((8, 9), cutoff=2)
    stored = pymks_statistics(case)
    convention = check_statistics(stored, sample_shape=(8, 9))
    assert (convention.name, convention.cutoff) == (WINDOW, (2, 2))
    assert check_statistics(stored, sample_shape=(8, 9), cutoff=2) == convention
    with pytest.raises(InputError, match=r"With cutoff=3 statistics have \(7, 7\) lags, but \(5, 5\)"):
        check_statistics(stored, sample_shape=(8, 9), cutoff=3)


@pytest.mark.parametrize("make", [matvae, master, pymks_statistics])
def test_cutoff_crops_statistics_of_any_convention(make):
    case = Case((8, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted = to_matvae_statistics(make(case), sample_shape=(8, 9), cutoff=2)
    np.testing.assert_allclose(converted, matvae(case, 2), rtol=0, atol=1e-10)


def test_requested_lags_must_be_stored():
    stored = pymks_statistics(Case((8, 12)))
    with pytest.raises(InputError, match=r"Lags up to \(3, 4\) voxels are requested.*only contain lags up to \(3, 3\)"):
        to_matvae_statistics(stored, sample_shape=(8, 12), cutoff=(3, 4))


@pytest.mark.parametrize("make", [matvae, master, pymks_statistics])
def test_dask_is_converted_lazily_to_the_same_values(make):
    case = Case((8, 6))
    stored = make(case)
    expected = to_matvae_statistics(stored, sample_shape=(8, 6), cutoff=2)
    chunked = da.from_array(stored, chunks=(2, *stored.shape[1:]))
    converted = to_matvae_statistics(chunked, sample_shape=(8, 6), cutoff=2)
    assert isinstance(converted, da.Array)
    assert converted.shape == expected.shape
    np.testing.assert_array_equal(converted.compute(), expected)
    assert check_statistics(chunked, sample_shape=(8, 6)) == check_statistics(stored, sample_shape=(8, 6))


def test_dask_chunks_that_split_the_lags_are_merged():
    stored = matvae(Case((8, 6)))
    with pytest.warns(UserWarning, match="merged into chunks"):
        converted = to_matvae_statistics(da.from_array(stored, chunks=(2, 3, 3, 1)), sample_shape=(8, 6))
    np.testing.assert_array_equal(converted.compute(), stored)


def test_dask_values_are_checked_when_computed():
    stored = da.from_array(np.fft.ifftshift(matvae(Case((8, 6))), axes=(1, 2)), chunks=(1, 8, 6, 3))
    converted = to_matvae_statistics(stored, sample_shape=(8, 6))
    with pytest.raises(InputError, match="fftshift"):
        converted.compute()


def test_correlation_axis_is_optional_for_one_correlation():
    case = Case((8, 6), pairs=((1, 1),))
    converted = to_matvae_statistics(matvae(case)[..., 0], sample_shape=(8, 6))
    np.testing.assert_array_equal(converted, matvae(case))


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("space", [(8, 8), (7, 7), (8, 5)])
def test_zero_lag_at_the_corner_is_refused(space, axes):
    stored = np.fft.ifftshift(matvae(Case(space)), axes=axes)
    with pytest.raises(InputError, match=r"If zero lag is at the corner, shift the array with numpy.fft.fftshift"):
        check_statistics(stored, sample_shape=space)


def test_zero_lag_at_the_corner_is_refused_in_windows():
    case = Case((8, 9), periodic=False)
    stored = np.fft.ifftshift(matvae(case), axes=(1, 2))
    with pytest.raises(InputError, match=r"f\(-r\) = f\(r\)"):
        check_statistics(stored, sample_shape=(8, 9), periodic=False)


def test_cross_correlation_is_accepted_if_named():
    stored = matvae(Case((8, 8), pairs=((1, 2),), values="fractions"))
    with pytest.raises(InputError, match=r"name the pairs with correlations=\[\(h, h'\), ...\]"):
        check_statistics(stored, sample_shape=(8, 8))
    assert check_statistics(stored, sample_shape=(8, 8), correlations=[(1, 2)]).name == MATVAE


def test_every_named_autocorrelation_is_checked():
    stored = matvae(Case((8, 8), pairs=((0, 0), (1, 2), (1, 1))))
    stored[..., 2] = np.fft.ifftshift(stored[..., 2], axes=(1, 2))
    assert check_statistics(stored, sample_shape=(8, 8)).name == MATVAE
    with pytest.raises(InputError, match="correlation 2 is larger at"):
        check_statistics(stored, sample_shape=(8, 8), correlations=[(0, 0), (1, 2), (1, 1)])


def test_extra_lag_that_does_not_repeat_is_refused():
    stored = master(Case((8, 7)))
    stored[:, -1] += 0.01
    with pytest.raises(InputError, match="Axis 1 has one lag more than voxels"):
        check_statistics(stored, sample_shape=(8, 7))


def test_lags_without_pairs_are_refused():
    stored = matvae(Case((8, 8)))
    stored[:, 0] = np.nan
    with pytest.raises(InputError, match="cutoff that excludes those lags"):
        check_statistics(stored, sample_shape=(8, 8))
    assert np.isfinite(to_matvae_statistics(stored, sample_shape=(8, 8), cutoff=3)).all()


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 8, 7, 1), {}, r"\(8, 8\) lags \(matvae\), \(9, 9\) \(PyMKS master\)"),
        ((3, 15, 15, 1), {}, "Periodic statistics of structures of shape"),
        ((3, 8, 8, 1), {"periodic": False}, r"\(15, 15\) lags \(matvae\), \(17, 17\) \(PyMKS master\)"),
        ((3, 5, 7, 1), {}, r"\(5, 7\) lags may be a window .* differ between axes.*cutoff=\(2, 3\)"),
        ((3, 1, 1, 1), {}, r"only zero lag.*cutoff=\(0, 0\)"),
        ((3, 64), {}, "Restore the axes of flattened"),
        ((8, 8), {}, "add the sample axis of a single one"),
        ((3, 8, 8, 2), {"n_correlations": 3}, "3 correlations are expected, but the array of shape .* has 2"),
        ((3, 8, 8, 2), {"correlations": [(1, 1)]}, "1 correlations are expected"),
        ((0, 8, 8, 1), {}, "2-point statistics are real numbers"),
    ],
)
def test_array_of_no_convention_is_refused(shape, options, message):
    with pytest.raises(InputError, match=message):
        check_statistics(np.ones(shape), sample_shape=(8, 8), **options)


def test_unequal_window_is_accepted_if_the_cutoff_confirms_it():
    stored = matvae(Case((8, 8)), (2, 3))
    assert check_statistics(stored, sample_shape=(8, 8), cutoff=(2, 3)).cutoff == (2, 3)
    np.testing.assert_array_equal(to_matvae_statistics(stored, sample_shape=(8, 8), cutoff=(2, 3)), stored)


@pytest.mark.parametrize("dtype", [complex, int])
def test_other_types_are_refused(dtype):
    with pytest.raises(InputError, match="Take the real part"):
        check_statistics(np.ones((3, 8, 8, 1), dtype), sample_shape=(8, 8))


@pytest.mark.parametrize("periodic", [True, False])
def test_single_precision_is_accepted(periodic):
    """Far lags are averages over few pairs, so they carry the rounding error of sums over all voxels."""
    field = 100 + np.random.default_rng(0).random((2, 200, 120), dtype=np.float32)
    stored = two_point_stats(field, periodic=periodic)
    assert stored.dtype == np.float32
    assert check_statistics(stored, sample_shape=(200, 120), periodic=periodic).name == MATVAE


def test_masked_statistics_are_accepted():
    """A mask preserves the symmetry; with a mask PyMKS's master does not repeat lags."""
    case = Case((8, 8), mask="weights")
    stored = two_point_stats(case.states(), state_axis=-1, correlations=case.pairs, mask=case.weights())
    assert check_statistics(stored, sample_shape=(8, 8)).name == MATVAE
