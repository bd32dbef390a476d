from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction.labels import indicators
from matvae.reconstruction.target import read_target
from matvae.stats import two_point_stats

from ..structures import blobs
from .structures import CPU, fractions, target_of


def refused(f, match, grid=None, correlations=None):
    with pytest.raises(InputError, match=match):
        read_target(f, grid or Grid((12, 12)), correlations, CPU)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("cutoff", [None, 3])
@pytest.mark.parametrize(("shape", "phases"), [((30,), 2), ((12, 11), 3), ((6, 7, 8), 5)])
def test_statistics_of_structures_have_no_error_and_are_realizable(shape, phases, periodic, cutoff):
    labels = blobs(3, shape, phases)
    target = target_of(labels, phases, periodic, None if cutoff is None else min(cutoff, (min(shape) - 1) // 2))
    fields = indicators(torch.from_numpy(labels), phases)
    assert (target.errors(fields) < 1e-6).all()
    assert (target.squared_errors(fields) < 1e-9).all()
    assert np.array_equal(target.counts, fractions(labels, phases))
    grid = Grid(shape, phases=phases, periodic=periodic)
    assert read_target(target.statistics, grid, None, CPU)[1].all()


def test_errors_are_those_of_the_statistics():
    labels = blobs(2, (12, 12))
    target = target_of(labels)
    f, g = two_point_stats(labels), two_point_stats(labels[::-1].copy())
    expected = np.linalg.norm((f - g).reshape(2, -1), axis=1) / np.linalg.norm(f.reshape(2, -1), axis=1)
    fields = indicators(torch.from_numpy(labels[::-1].copy()), 2)
    np.testing.assert_allclose(target.errors(fields), expected, rtol=1e-5)
    np.testing.assert_allclose(target.squared_errors(fields), ((f - g) ** 2).sum((1, 2, 3)), rtol=1e-4)


def test_the_cutoff_follows_from_the_shape():
    labels = blobs(1, (12, 11))
    assert target_of(labels).cutoff is None
    assert target_of(labels, cutoff=4).cutoff == (4, 4)
    assert target_of(labels, periodic=False, cutoff=(4, 2)).cutoff == (4, 2)


def test_a_window_may_be_smaller_than_the_grid():
    f = two_point_stats(blobs(2, (13, 13)))
    target, realizable = read_target(f, Grid((40, 30)), None, CPU)
    assert target.cutoff == (6, 6)
    assert target.counts.sum(1).tolist() == [1200, 1200]
    np.testing.assert_allclose(target.counts[:, 1] / 1200, f[:, 6, 6, 0], atol=1 / 1200)
    assert realizable.all()


def test_torch_tensors_with_a_gradient_are_accepted():
    f = torch.from_numpy(two_point_stats(blobs(1, (12, 12)))).requires_grad_()
    assert not read_target(f, Grid((12, 12)), None, CPU)[0].statistics.requires_grad


def test_volume_fractions_follow_from_all_autocorrelations_but_one():
    labels = blobs(2, (12, 12), 4)
    for pairs in ([(0, 0), (1, 1), (3, 3)], [(0, 0), (1, 1), (2, 2), (3, 3)], [(0, 1), (1, 1), (2, 2), (0, 0)]):
        assert np.array_equal(target_of(labels, 4, correlations=pairs).counts, fractions(labels, 4))
    f = two_point_stats(labels, phases=4, correlations=[(1, 1), (1, 2)])
    refused(f, r"fractions of the phases \[0, 2, 3\] do not follow", Grid((12, 12), phases=4), [(1, 1), (1, 2)])


def test_rounded_numbers_of_voxels_add_up():
    f = np.full((1, 5, 5, 3), 1 / 9)
    f[0, 2, 2] = [1 / 3, 0, 1 / 3]
    assert read_target(f, Grid((12, 12), phases=3), None, CPU)[0].counts.tolist() == [[48, 48, 48]]


@pytest.mark.parametrize("periodic", [True, False])
def test_all_lags_outweigh_a_contradictory_zero_lag(periodic):
    labels = blobs(3, (12, 12))
    f = two_point_stats(labels, periodic=periodic)
    centre = tuple(n // 2 for n in f.shape[1:3])
    f[(slice(None), *centre)] *= 0.9
    target, realizable = read_target(f, Grid((12, 12), periodic=periodic), None, CPU)
    assert not realizable.any()
    # Only one of all lags is wrong by a tenth, so their mean is nearly right.
    np.testing.assert_allclose(target.counts[:, 1], labels.sum((1, 2)), atol=1)
    cut = two_point_stats(labels, periodic=periodic, cutoff=3)
    cut[:, 3, 3] *= 0.9
    # With a cutoff, volume fractions follow from the zero lag alone.
    counts = read_target(cut, Grid((12, 12), periodic=periodic), None, CPU)[0].counts
    np.testing.assert_allclose(counts[:, 1], 0.9 * labels.sum((1, 2)), atol=1)


@pytest.mark.parametrize("fault", ["above one", "negative", "two phases in a voxel", "more than all"])
def test_contradicting_fractions_are_flagged(fault):
    f = two_point_stats(blobs(2, (12, 12), 3), phases=3)
    zero = f[1, 6, 6]
    if fault == "above one":
        f[1, ..., 0] *= 1.2 / zero[0]
    elif fault == "negative":
        f[1, ..., 0] *= -0.1
        f[1, 6, 6, 0] = -0.01
    elif fault == "two phases in a voxel":
        zero[1] = 0.1
    else:
        zero[[0, 2]] = 0.6
    target, realizable = read_target(f, Grid((12, 12), phases=3), None, CPU)
    assert realizable.tolist() == [True, False]
    assert (target.counts >= 0).all()
    assert (target.counts.sum(1) == 144).all()


def test_errors_for_invalid_input_state_the_expected_and_the_received_values():
    f = two_point_stats(blobs(2, (12, 12)))
    for value in (np.nan, np.inf):
        invalid = f.copy()
        invalid[1, 2, 3] = value
        refused(invalid, "Statistics must be finite at every lag, but NaN or infinity")
    refused(f[..., 0], r"2 lag axes are expected for a grid of shape .* shape \(2, 12, 12\) was given")
    refused(np.float64(0.5), r"shape \(\) was given")
    refused(f[:0], r"shape \(0, 12, 12, 1\) was given")
    refused(f.astype(complex), "real numbers, but an array of complex")
    refused(np.repeat(f, 2, axis=-1), r"1 correlations \[\(1, 1\)\] are expected for 2 phases, .* hold 2")
    refused(f, r"3 correlations .* expected for 3 phases, .* hold 1", Grid((12, 12), phases=3))
    refused(f, r"but this grid has one, i.e. a continuous field", Grid((12, 12), phases=1))
    refused(f, "names the local states", correlations=[(2, 2)])


@pytest.mark.parametrize(
    ("lags", "periodic"),
    [
        pytest.param((13, 13), True, id="PyMKS's unreleased master, N + 1 along even axes"),
        pytest.param((25, 25), False, id="PyMKS's unreleased master, 2N + 1 of a window"),
        pytest.param((10, 10), True, id="an even number of lags"),
        pytest.param((12, 12), False, id="periodic statistics of a window"),
        pytest.param((23, 23), True, id="a window's statistics of periodic structures"),
    ],
)
def test_lags_of_other_conventions_are_refused_with_both_numbers(lags, periodic):
    whole = (12, 12) if periodic else (23, 23)
    kind = "Periodic" if periodic else "Non-periodic"
    with pytest.raises(InputError) as error:
        read_target(np.full((1, *lags, 1), 0.25), Grid((12, 12), periodic=periodic), None, CPU)
    text = str(error.value)
    assert text.startswith(f"{kind} statistics of structures of shape (12, 12) have {whole} lags")
    assert f"but {lags} were given" in text
    assert "matvae_pymks.to_matvae_statistics" in text


def test_statistics_cropped_by_pymks_have_a_cutoff():
    """PyMKS keeps 2c + 1 lags, c = (N - 1)//2: all of an odd axis, all but the outermost of an even one."""
    f = two_point_stats(blobs(1, (12, 12)), cutoff=5)
    assert f.shape == (1, 11, 11, 1)
    assert read_target(f, Grid((12, 12)), None, CPU)[0].cutoff == (5, 5)
