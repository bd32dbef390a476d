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
        ([Wanted("lineal_path", PATHS[:, :5])], r"Values of shape \(2, 10, 2\) are expected .* \(2, 5, 2\) were given"),
        ([Wanted("lineal_path", PATHS.repeat(2, 0))], r"\(4, 10, 2\) were given"),
        ([Wanted("lineal_path", PATHS * np.nan)], "needs finite values"),
        ([Wanted("lineal_path", PATHS, weight=0)], "must be positive, but 0 was given"),
        ([Wanted("lineal_path", PATHS, options={"axes": 0})], "Did you mean 'axis'"),
        ([Wanted("lineal_path", PATHS, options={"phases": 2})], "phases follows from the grid"),
        ([Wanted("lineal_path", PATHS, options={"mask": np.ones((12, 9))})], r"A mask of shape \(12, 10\)"),
        ([Wanted("lineal_path", PATHS, options={"mask": np.ones((3, 12, 10))})], r"\(3, 12, 10\) was given"),
    ],
)
def test_further_statistics_that_do_not_fit(also, words):
    with pytest.raises(InputError, match=words):
        read_demands(target_of(LABELS), also=also)


def test_an_unknown_statistic():
    with pytest.raises(PluginError, match="Did you mean 'lineal_path'"):
        read_demands(target_of(LABELS), also=[Wanted("linear_path", PATHS)])


@pytest.mark.parametrize("smoothing", [-1, np.inf, "much"])
def test_smoothing_is_a_weight(smoothing):
    with pytest.raises(InputError, match="smoothing must be a weight of at least 0"):
        read_demands(target_of(LABELS), smoothing=smoothing)


def test_options_of_a_window_are_its_own():
    windows = target_of(LABELS, periodic=False)
    (term,) = read_demands(windows, also=[Wanted("lineal_path", lineal_path(LABELS, periodic=False))]).terms
    assert term.options == {"periodic": False}
    (term,) = read_demands(windows, also=[Wanted("lineal_path", PATHS[:1], options={"periodic": True})]).terms
    assert term.options == {"periodic": True}
    assert term.values.shape == (2, 10, 2)


def test_volume_fractions_alone():
    target = without_two_point(Grid((10, 10), phases=3), [0.2, 0.3, 0.5], 2, CPU)
    assert target.counts.tolist() == [[20, 30, 50]] * 2
    assert len(target) == 2
    each = without_two_point(Grid((10, 10)), [[0.2, 0.8], [0.3, 0.7]], 2, CPU)
    assert each.counts.tolist() == [[20, 80], [30, 70]]


@pytest.mark.parametrize(
    ("fractions", "words"),
    [
        (None, "must hold the share of each of the 3 phases"),
        ([0.5, 0.5], "must hold the share of each of the 3 phases"),
        ([-0.1, 0.6, 0.5], "none negative"),
        ([0.5, 0.5, 0.5], "must add up to one"),
    ],
)
def test_volume_fractions_that_are_none(fractions, words):
    with pytest.raises(InputError, match=words):
        without_two_point(Grid((10, 10), phases=3), fractions, 1, CPU)


def test_something_has_to_be_wanted():
    nothing = without_two_point(Grid((8, 8)), [0.5, 0.5], 1, CPU)
    with pytest.raises(InputError, match="2-point statistics, others in also, or both; none were given"):
        read_demands(nothing)
    with pytest.raises(InputError, match="A mask belongs to 2-point statistics"):
        read_demands(nothing, mask=np.ones((8, 8)))


def test_the_number_of_samples_is_the_largest():
    assert check_also([]) == 1
    assert check_also([Wanted("lineal_path", PATHS[:1]), Wanted("lineal_path", torch.from_numpy(PATHS))]) == 2
