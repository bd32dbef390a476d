"""What a page shows is what it says: the first, the best and the worst, and the nearest of all that were searched."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.jobs.benchmark import gather as benchmark_gather
from matvae.jobs.benchmark.gather import WALK_STEPS, choose, gather_parts, n_searched
from matvae.jobs.benchmark.measure import measure_lines


@pytest.fixture(scope="module")
def case(lined):
    estimator = load(lined / "m.matvae")
    training, test = (open_structures(lined / name) for name in ("train.zarr", "test.zarr"))
    return estimator, training, test, measure_lines(estimator, test, method="m", element=3)


@pytest.fixture(scope="module")
def parts(case):
    return gather_parts(*case)


def test_examples_are_the_first_the_best_and_the_worst(case):
    measured = case[-1]
    chosen = choose(measured)
    lines = measured.true.sum(1)
    for n in np.unique(lines):
        here = np.flatnonzero(lines == n)
        of_n = [(i, why) for i, why in chosen if lines[i] == n]
        assert [i for i, why in of_n if why == "drawn at random"] == here[:3].tolist()
        best, worst = (next(i for i, why in of_n if why == f"{which} error") for which in ("smallest", "largest"))
        assert measured.errors[best] == measured.errors[here].min()
        assert measured.errors[worst] == measured.errors[here].max()


def test_examples_hold_what_the_model_makes_of_them(case, parts):
    estimator, _, test, measured = case
    X = test.data.compute()
    for example in parts.examples:
        i = example.number
        np.testing.assert_array_equal(example.original, X[i])
        made = estimator.inverse_transform(measured.latents[i : i + 1])
        np.testing.assert_array_equal(example.reconstruction, made[0])
        f, g = (np.asarray(estimator.statistics(a))[0, ..., 0] for a in (X[i : i + 1], made))
        np.testing.assert_allclose(example.statistics, f, atol=1e-6)
        np.testing.assert_allclose(example.reconstructed_statistics, g, atol=1e-6)
        assert example.error == pytest.approx(np.linalg.norm(f - g) / np.linalg.norm(f), rel=1e-3)
        assert example.original_lines == tuple(measured.true[i])
        assert example.reconstruction_lines == tuple(measured.found[i])


def test_neighbours_are_those_of_comparing_every_pair(case, parts):
    estimator, training, _, measured = case
    assert [query.lines for query in parts.queries] == sorted(set(measured.true.sum(1)))
    assert all(query.choice == "drawn at random" for query in parts.queries)
    T = training.data.compute()
    for of in ("original", "reconstruction"):
        images = np.stack([getattr(query, of) for query in parts.queries])
        for by, features in (("image", lambda a: a), ("statistics", estimator.statistics)):
            one, other = (np.asarray(features(a), float).reshape(len(a), -1) for a in (images, T))
            distances = np.square(one[:, None] - other).mean(-1)
            found = parts.neighbours[of, by]
            np.testing.assert_allclose(found.distances, np.sort(distances, axis=1)[:, :3], atol=1e-9)
            np.testing.assert_array_equal(found.structures, T[found.numbers])


def test_of_many_only_the_first_are_searched(case, monkeypatch):
    assert n_searched(case[1]) == 60
    monkeypatch.setattr(benchmark_gather, "SEARCHED_VOXELS", 256 * 10 + 5)
    assert n_searched(case[1]) == 10
    seen = []
    found = gather_parts(*case, progress=lambda *done: seen.append(done)).neighbours["original", "image"]
    assert found.numbers.max() < 10
    assert seen[-1] == (10, 10)


def test_the_walk_changes_one_component_at_a_time(case, parts):
    estimator, _, _, measured = case
    spread = measured.latents.std(0)
    assert parts.traversal.components.tolist() == np.argsort(-spread).tolist()
    assert parts.traversal.structures.shape == (3, len(WALK_STEPS), 16, 16)
    start = WALK_STEPS.index(0.0)
    centre = parts.traversal.structures[0, start]
    assert all((row[start] == centre).all() for row in parts.traversal.structures)
    reconstructions = estimator.inverse_transform(measured.latents)
    assert any((centre == structure).all() for structure in reconstructions)
