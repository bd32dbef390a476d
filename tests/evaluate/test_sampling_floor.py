"""Sampling errors of windows of random media, against the scatter of true windows."""

from __future__ import annotations

import re

import numpy as np
import pytest

from matvae import Grid, Structures, two_point_stats
from matvae.data.datasets.grf import gaussian_field
from matvae.evaluate.sampling_floor import PhaseSampling, SamplingFloor, sampling_floor

from ..structures import lines

CUTOFF = 16


class Exact:
    """Stands for a model that decodes the statistics it is given, or their mean over the first windows."""

    periodic, correlations = False, None

    def __init__(self, structures, share=1.0):
        self.grid_ = structures.grid
        self.share = share
        self.mean = self.statistics(structures.data.compute()).mean(axis=0)

    def statistics(self, X):
        cutoff = [min(CUTOFF, n // 2) for n in self.grid_.shape]
        options = {"correlations": [(0, 0)] if self.grid_.phases == 1 else [(1, 1)], "cutoff": cutoff}
        options |= {"phases": self.grid_.phases, "spatial_dims": self.grid_.ndim}
        return np.asarray(two_point_stats(X, periodic=False, **options))

    def transform(self, X):
        return self.statistics(X).reshape(len(X), -1)

    def inverse_statistics(self, Z):
        return self.mean + (1 - self.share) * (Z.reshape(-1, *self.mean.shape) - self.mean)


def cut(n_windows, length=4, *, n=64, level=0.5, seed=0):
    """Windows of as many independent micrographs, each twice as large."""
    windows = []
    for k in range(n_windows):
        noise = np.random.default_rng([seed, k]).standard_normal((2 * n, 2 * n))
        windows.append(gaussian_field(noise, (length, length))[:n, :n] > level)
    return np.stack(windows).astype(np.uint8)


def structures_of(labels, **properties):
    values = {name: np.asarray(v, dtype=float) for name, v in properties.items()}
    return Structures(labels, Grid(labels.shape[1:], periodic=False), properties=values)


@pytest.mark.parametrize("length", [2, 4, 7])
def test_sampling_errors_are_the_scatter_of_true_windows(length):
    """From 40 windows; true scatter is that of 300 others."""
    seen, others = structures_of(cut(40, length)), cut(300, length, seed=1)
    floor, reason = sampling_floor(Exact(seen), seen)
    assert reason == ""
    assert (floor.n_windows, floor.n_measured) == (40, 40)
    assert floor.is_resolved
    fractions = others.mean(axis=(1, 2))
    assert floor.phases[0].sampling_error == pytest.approx(fractions.std(), rel=0.2)
    assert floor.phases[0].volume_fraction == pytest.approx(fractions.mean(), abs=4 * fractions.std() / np.sqrt(40))
    f = Exact(seen).statistics(others)
    true = np.sqrt(np.square(f - f.mean(0)).sum(axis=(1, 2, 3)).mean() / np.square(f.mean(0)).sum())
    assert floor.statistics_error == pytest.approx(true, rel=0.2)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_decoding_the_mean_has_the_sampling_error_and_decoding_exactly_has_none(share):
    structures = structures_of(cut(40))
    floor, _ = sampling_floor(Exact(structures, share), structures)
    # The mean is that of these windows, to which they are nearer than to that of the material.
    assert floor.ratio == pytest.approx(share * np.sqrt(39 / 40), rel=1e-3, abs=1e-6)
    assert f"{floor.ratio:.2g} times the sampling error of one window" in floor.sentence
    assert floor.to_dict()["ratio"] == floor.ratio


def test_windows_that_overlap_count_for_the_material_they_show():
    image = cut(1, 3, n=192)[0]
    places = [(y, x) for y in range(0, 129, 16) for x in range(0, 129, 16)]
    structures = structures_of(np.stack([image[y : y + 64, x : x + 64] for y, x in places]))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert floor.n_windows == 81
    # Nine without overlap; windows of the rim overlap less.
    assert 8 <= floor.n_independent <= 15
    assert "The 81 windows show as much material as about 1" in floor.sentence
    true = cut(300, 3, seed=1).mean(axis=(1, 2)).std()
    assert floor.phases[0].sampling_error == pytest.approx(true, rel=0.25)


def test_windows_of_different_materials_have_no_common_sampling_error_of_statistics():
    labels = np.concatenate([cut(20, 2, level=level) for level in (0.0, 0.5, 1.0)])
    floor, _ = sampling_floor(Exact(structures_of(labels)), structures_of(labels))
    assert floor.statistics_error is None
    assert floor.ratio is None
    assert "since the windows differ more than windows of one material do" in floor.sentence
    within = np.sqrt(np.mean([part.mean(axis=(1, 2)).var() for part in np.split(labels, 3)]))
    assert floor.phases[0].sampling_error == pytest.approx(within, rel=0.2)
    assert floor.phases[0].scatter > 3 * floor.phases[0].sampling_error


def test_windows_of_several_sources_are_compared_within_them():
    labels = np.concatenate([cut(20, 2, level=level) for level in (0.0, 0.5, 1.0)])
    structures = structures_of(labels, source=np.repeat([0, 1, 2], 20))
    floor, _ = sampling_floor(Exact(structures), structures)
    within = np.sqrt(np.mean([part.mean(axis=(1, 2)).var(ddof=1) for part in np.split(labels, 3)]))
    assert floor.phases[0].scatter == pytest.approx(within)
    f = np.stack(np.split(Exact(structures).statistics(labels), 3))
    scatter = np.square(f - f.mean(axis=1, keepdims=True)).sum() / 57
    norm = np.square(f.mean(axis=1)).sum() / 3
    assert floor.statistics_error == pytest.approx(np.sqrt(scatter / norm), rel=1e-4)


def test_few_windows_say_nothing_of_the_scatter():
    image = cut(1, 3, n=96)[0]
    structures = structures_of(np.stack([image[y : y + 64, x : x + 64] for y in (0, 4, 8) for x in (0, 4, 8)]))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert floor.phases[0].scatter is None
    assert "since there are too few independent windows" in floor.sentence


def test_correlations_as_long_as_the_window_make_the_error_a_lower_bound():
    structures = structures_of(cut(20, 24, n=32))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert not floor.is_resolved
    assert "This is a lower bound, since correlations reach farther than a window." in floor.sentence


def test_two_of_three_phases_have_errors_of_their_own_in_volumes():
    rng = np.random.default_rng(0)
    fields = [gaussian_field(rng.standard_normal((32, 32, 32)), (2, 2, 2))[:16, :16, :16] for _ in range(60)]
    labels = np.digitize(np.stack(fields), [0.0, 1.2]).astype(np.uint8)
    structures = Structures(labels, Grid((16, 16, 16), phases=3, periodic=False))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert [phase.phase for phase in floor.phases] == [0, 1, 2]
    for phase in floor.phases:
        true = (labels == phase.phase).mean(axis=(1, 2, 3)).std(ddof=1)
        assert phase.sampling_error == pytest.approx(true, rel=0.25)
        assert phase.scatter == pytest.approx(true, rel=0.02)
    assert re.search(
        r"for phase 0 \(mean [\d.]+\), [\d.]+ for phase 1 \(mean [\d.]+\) and [\d.]+ for phase 2", floor.sentence
    )


def test_lines_in_one_dimension_have_sampling_errors_too():
    rng = np.random.default_rng(0)
    labels = np.stack([gaussian_field(rng.standard_normal(256), (3,))[:128] > 0.5 for _ in range(200)])
    structures = structures_of(labels.astype(np.int64))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert floor.phases[0].sampling_error == pytest.approx(labels.mean(axis=1).std(), rel=0.2)


def test_errors_of_more_than_the_statistics_themselves_are_whole_percents():
    floor = SamplingFloor(10, 10, 10.0, (PhaseSampling(1, 0.02, 0.02, 0.02),), True, 1.234, 0.4)
    assert "have a sampling error of 123 %. Those that the model decodes are off by 40 %, 0.32 times" in floor.sentence


def test_periodic_structures_are_whole_periods():
    rng = np.random.default_rng(0)
    labels = np.stack([gaussian_field(rng.standard_normal((48, 48)), (3, 3)) > 0.5 for _ in range(60)]).astype(np.uint8)
    structures = Structures(labels, Grid((48, 48)))
    estimator = Exact(structures)
    estimator.periodic = True
    floor, _ = sampling_floor(estimator, structures)
    assert floor.n_independent == 60
    assert floor.phases[0].sampling_error == pytest.approx(labels.mean(axis=(1, 2)).std(), rel=0.25)


@pytest.mark.parametrize(
    ("labels", "phases", "reason"),
    [
        (cut(3, n=16), 2, "at least 4 windows are needed, and there are 3"),
        (cut(8, n=7, length=1), 2, "fewer than 8 voxels along an axis"),
        (cut(8, n=16).astype(np.float32), 1, "continuous fields"),
        (lines(20, 48), 2, "layouts"),
        (np.zeros((8, 16, 16), dtype=np.uint8), 2, "single phase"),
        (cut(8, n=16) * np.uint8(2), 3, "lack the phases whose correlations the model holds"),
        (np.repeat(cut(1, n=16), 20, axis=0), 2, "layouts"),
    ],
)
def test_the_reason_is_given_where_there_is_no_floor(labels, phases, reason):
    structures = Structures(labels, Grid(labels.shape[1:], phases=phases, periodic=False))
    floor, why = sampling_floor(Exact(structures), structures)
    assert floor is None
    assert reason in why


def test_volumes_too_large_to_measure_are_referred_to_the_command_that_does():
    structures = structures_of(np.zeros((4, 16, 16), dtype=np.uint8))
    estimator = Exact(structures)
    large = Structures(np.broadcast_to(np.uint8(0), (4, 256, 256, 256)), Grid((256,) * 3, periodic=False))
    floor, why = sampling_floor(estimator, large)
    assert floor is None
    assert "matvae representative" in why


def test_a_bounded_number_of_windows_is_measured():
    structures = structures_of(np.tile(cut(50, 2, n=32), (24, 1, 1)))
    floor, _ = sampling_floor(Exact(structures), structures)
    assert (floor.n_windows, floor.n_measured) == (1200, 1024)
