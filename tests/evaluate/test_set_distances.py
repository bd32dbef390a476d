"""Sets of one kind are close to each other; sets that differ in one respect differ in its measure."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid, Structures
from matvae.errors import InputError
from matvae.evaluate.energy_distance import energy_distance
from matvae.evaluate.material_measures import MEASURES, measure_structures
from matvae.evaluate.set_distances import ABSENT, AS_NEAR, INSIDE, OUTSIDE, compare_measured, compare_sets

from ..structures import blobs


def row_of(comparison, measure, phase=1, axis=None):
    (row,) = [row for row in comparison.rows if (row.measure, row.phase, row.axis) == (measure, phase, axis)]
    return row


def sets(n=20, shape=(20, 20), **options):
    rng = np.random.default_rng(0)
    return [blobs(n, shape, seed=seed, volume_fraction=rng.uniform(0.3, 0.5, n), **options) for seed in range(3)]


def test_every_measure_of_every_phase_has_one_row_and_one_per_axis():
    generated, true, other = (blobs(4, (9, 8, 8), phases=3, seed=seed) for seed in range(3))
    comparison = compare_sets(generated, true, other, phases=3, n_bootstrap=5)
    keys = [(row.measure, row.phase, row.axis) for row in comparison.rows]
    expected = []
    for name, measure in MEASURES.items():
        axes = range(3) if measure.coordinate == "axis" else (None,)
        expected += [(name, phase, axis) for phase in range(3) for axis in axes]
    assert keys == expected
    assert (comparison.n_generated, comparison.n_true, comparison.n_other) == (4, 4, 4)


def test_comparisons_of_numbers_and_curves_equal_their_formulas():
    generated, true, other = sets()
    comparison = compare_sets(generated, true, other, phases=2, n_bootstrap=20, random_state=3)
    a, b, c = (measure_structures(X, phases=2) for X in (generated, true, other))
    row, x, y = row_of(comparison, "specific_surface"), a["specific_surface"][:, 1], b["specific_surface"][:, 1]
    assert row.generated_mean == pytest.approx([x.mean()])
    assert row.true_std == pytest.approx([y.std(ddof=1)])
    assert row.z == pytest.approx((x.mean() - y.mean()) / y.std(ddof=1))
    assert row.spread == pytest.approx(x.std() / y.std())
    assert row.energy_distance == energy_distance(x, y, n_bootstrap=20, random_state=3)
    row, x, y, z = row_of(comparison, "lineal_path"), *(m["lineal_path"][..., 1] for m in (a, b, c))
    scatter = np.square(y - y.mean(0)).sum() / (len(y) - 1)
    assert row.z == pytest.approx(np.sqrt(np.square(x.mean(0) - y.mean(0)).sum() / scatter))
    assert row.other_z == pytest.approx(np.sqrt(np.square(z.mean(0) - y.mean(0)).sum() / scatter))
    assert row.floor == energy_distance(z, y, n_bootstrap=20, random_state=3)
    assert len(row.true_mean) == len(row.generated_std) == y.shape[1]


def test_sets_of_one_kind_pass_and_coarser_ones_differ_in_all_but_volume_fraction():
    generated, true, other = sets()
    same = compare_sets(generated, true, other, phases=2, n_bootstrap=0)
    assert same.n_outside == 0
    assert abs(row_of(same, "specific_surface").spread - 1) < 0.5
    assert row_of(same, "specific_surface").distinguishable is None
    coarse = compare_sets(sets(width=4)[0], true, other, phases=2, n_bootstrap=20)
    assert row_of(coarse, "volume_fraction").verdict == INSIDE
    for measure in ("specific_surface", "chord_lengths", "mean_chord_length"):
        assert row_of(coarse, measure).verdict == OUTSIDE
        assert row_of(coarse, measure).distinguishable
    assert not row_of(coarse, "volume_fraction").distinguishable
    assert row_of(coarse, "specific_surface").z < -1
    assert row_of(coarse, "mean_chord_length").z > 1


def test_a_broken_network_differs_in_the_measures_of_connectivity():
    grid = np.zeros((6, 21, 21), np.uint8)
    for sample, structure in enumerate(grid):
        structure[sample % 3 :: 5] = structure[:, (2 * sample) % 5 :: 5] = 1
    broken = grid.copy()
    rng = np.random.default_rng(0)
    broken[rng.random(grid.shape) < 0.15] = 0
    comparison = compare_sets(broken, grid, grid[::-1], phases=2, n_bootstrap=0)
    assert row_of(comparison, "percolating_share", axis=0).true_mean == [1]
    for measure, axis in (("percolating_share", 0), ("percolating_share", 1), ("pieces", None)):
        assert row_of(comparison, measure, axis=axis).verdict == OUTSIDE


def test_a_set_as_near_as_another_region_passes():
    true = np.zeros((4, 8, 8), np.uint8)
    true[:, 0] = 1
    near, far = true.copy(), true.copy()
    near[:, 1, :2] = far[:, 1, :6] = 1
    comparison = compare_sets(near, true, far, phases=2, measures=["volume_fraction"], n_bootstrap=0)
    row = row_of(comparison, "volume_fraction")
    # All true volume fractions are equal, so that there is no standard deviation to measure by.
    assert row.z is None
    assert row.energy_distance.value == pytest.approx(2 * 2 / 64)
    assert row.floor.value == pytest.approx(2 * 6 / 64)
    assert row.verdict == AS_NEAR
    exchanged = compare_sets(far, true, near, phases=2, measures=["volume_fraction"], n_bootstrap=0)
    assert row_of(exchanged, "volume_fraction").verdict == OUTSIDE
    without = compare_sets(near, true, phases=2, measures=["volume_fraction"], n_bootstrap=0)
    assert row_of(without, "volume_fraction").verdict == OUTSIDE
    assert row_of(without, "volume_fraction").floor is None


def test_a_phase_without_chords_has_no_mean_and_is_outside_if_the_other_set_has_chords():
    true = blobs(4, (12, 12))
    empty = np.zeros_like(true)
    row = row_of(compare_sets(empty, true, phases=2, n_bootstrap=0), "mean_chord_length")
    assert (row.n_generated, row.n_true) == (0, 4)
    assert row.generated_mean == []
    assert row.z is row.energy_distance is row.spread is None
    assert row.verdict == OUTSIDE
    both = compare_sets(empty, empty, phases=2, n_bootstrap=0)
    assert row_of(both, "mean_chord_length").verdict == ABSENT
    assert row_of(both, "volume_fraction").z == 0


def test_the_result_can_be_written_as_json_and_is_equal_for_arrays_and_structures():
    generated, true, other = sets(6, (10, 10))
    comparison = compare_sets(generated, true, other, phases=2, n_bootstrap=5)
    grid = Grid((10, 10), periodic=False)
    lazy = compare_sets(*(Structures(X, grid) for X in (generated, true, other)), phases=2, n_bootstrap=5)
    values = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert values == json.loads(json.dumps(lazy.to_dict()))
    assert values["n_other"] == 6
    assert values["rows"][0]["verdict"] in (INSIDE, AS_NEAR, OUTSIDE)
    measured = [measure_structures(X, phases=2) for X in (generated, true, other)]
    assert compare_measured(*measured, n_bootstrap=5) == comparison


def test_invalid_input_is_refused():
    X = blobs(3, (8, 8))
    with pytest.raises(InputError, match="equal shape"):
        compare_sets(X, X[:, :7], phases=2)
    with pytest.raises(InputError, match="Two or more structures"):
        compare_sets(X, X[:1], phases=2)
    with pytest.raises(InputError, match="Sets measured alike"):
        compare_measured(measure_structures(X, phases=2), measure_structures(X, phases=2, cutoff=2))
