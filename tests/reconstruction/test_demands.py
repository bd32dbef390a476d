from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError, PluginError
from matvae.grid import Grid
from matvae.reconstruction.demands import check_also, read_demands, without_two_point
from matvae.reconstruction.objective import Wanted
from matvae.stats import lineal_path

from ..structures import blobs
from .structures import CPU, target_of

LABELS = blobs(2, (12, 10))
PATHS = lineal_path(LABELS)


@pytest.mark.parametrize(
    ("also", "words"),
    [
        (Wanted("lineal_path", PATHS), "also must be a list of matvae.reconstruction.Wanted"),
        ([("lineal_path", PATHS)], r"\['tuple'\] was given"),
        ([Wanted("lineal_path", 0.3)], "values \\(sample, "),
        ([Wanted("lineal_path", PATHS[:, :5])], r"Values of shape \(2, 10, 2\) are expected .* shape is \(2, 5, 2\)"),
        ([Wanted("lineal_path", PATHS.repeat(2, 0))], r"shape is \(4, 10, 2\)"),
        ([Wanted("lineal_path", PATHS * np.nan)], "The values of 'lineal_path' must be finite"),
        ([Wanted("lineal_path", PATHS, weight=0)], "weight of 'lineal_path' must be a number above 0, but 0 was given"),
        ([Wanted("lineal_path", PATHS, options={"axes": 0})], "Did you mean 'axis'"),
        ([Wanted("lineal_path", PATHS, options={"phases": 2})], "phases is set by the grid"),
        ([Wanted("lineal_path", PATHS, options={"mask": np.ones((12, 9))})], r"A mask of shape \(12, 10\)"),
        ([Wanted("lineal_path", PATHS, options={"mask": np.ones((3, 12, 10))})], r"shape is \(3, 12, 10\)"),
    ],
)
def test_invalid_additional_statistics_are_refused(also, words):
    with pytest.raises(InputError, match=words):
        read_demands(target_of(LABELS), also=also)


def test_unknown_statistic_is_refused():
    with pytest.raises(PluginError, match="Did you mean 'lineal_path'"):
        read_demands(target_of(LABELS), also=[Wanted("linear_path", PATHS)])


@pytest.mark.parametrize("smoothing", [-1, np.inf, "much"])
def test_smoothing_must_be_a_finite_weight(smoothing):
    with pytest.raises(InputError, match="smoothing must be a number at least 0"):
        read_demands(target_of(LABELS), smoothing=smoothing)


def test_options_override_the_periodicity_of_the_grid():
    windows = target_of(LABELS, periodic=False)
    (term,) = read_demands(windows, also=[Wanted("lineal_path", lineal_path(LABELS, periodic=False))]).terms
    assert term.options == {"periodic": False}
    (term,) = read_demands(windows, also=[Wanted("lineal_path", PATHS[:1], options={"periodic": True})]).terms
    assert term.options == {"periodic": True}
    assert term.values.shape == (2, 10, 2)


def test_target_from_volume_fractions_alone():
    target = without_two_point(Grid((10, 10), phases=3), [0.2, 0.3, 0.5], 2, CPU)
    assert target.counts.tolist() == [[20, 30, 50]] * 2
    assert len(target) == 2
    each = without_two_point(Grid((10, 10)), [[0.2, 0.8], [0.3, 0.7]], 2, CPU)
    assert each.counts.tolist() == [[20, 80], [30, 70]]


@pytest.mark.parametrize(
    ("fractions", "words"),
    [
        (None, "must hold a non-negative fraction of each of the 3 phases"),
        ([0.5, 0.5], "must hold a non-negative fraction of each of the 3 phases"),
        ([-0.1, 0.6, 0.5], "must hold a non-negative fraction"),
        ([0.5, 0.5, 0.5], "must add up to one"),
    ],
)
def test_invalid_volume_fractions_are_refused(fractions, words):
    with pytest.raises(InputError, match=words):
        without_two_point(Grid((10, 10), phases=3), fractions, 1, CPU)


def test_at_least_one_statistic_is_required():
    nothing = without_two_point(Grid((8, 8)), [0.5, 0.5], 1, CPU)
    with pytest.raises(
        InputError, match="2-point statistics, other statistics in also, or both are required, but none were given"
    ):
        read_demands(nothing)
    with pytest.raises(InputError, match="mask applies to 2-point statistics"):
        read_demands(nothing, mask=np.ones((8, 8)))


def test_the_number_of_samples_is_the_largest():
    assert check_also([]) == 1
    assert check_also([Wanted("lineal_path", PATHS[:1]), Wanted("lineal_path", torch.from_numpy(PATHS))]) == 2
