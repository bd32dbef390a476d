"""Examples, nearest neighbours and latent walks for the page of a benchmark."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import load, open_structures
from matvae.evaluate.walks import central_latent
from matvae.jobs.benchmark import collect
from matvae.jobs.benchmark.collect import WALK_STEPS, choose_examples, collect_parts, n_searched
from matvae.jobs.benchmark.measure import measure_lines


@pytest.fixture(scope="module")
def case(lined):
    estimator = load(lined / "m.matvae")
    training, test = (open_structures(lined / name) for name in ("train.zarr", "test.zarr"))
    return estimator, training, test, measure_lines(estimator, test, element=3)


@pytest.fixture(scope="module")
def parts(case):
    return collect_parts(*case)


def test_examples_are_the_first_the_best_and_the_worst(case):
    measured = case[-1]
    chosen = choose_examples(measured)
    lines, errors = measured.lines.numbers[0].sum(1), measured.measurement.errors
    for n in np.unique(lines):
        group = np.flatnonzero(lines == n)
        examples = [(index, reason) for index, reason in chosen if lines[index] == n]
        assert [index for index, reason in examples if reason == "drawn at random"] == group[:3].tolist()
        best, worst = (
            next(index for index, reason in examples if reason == f"{which} error") for which in ("smallest", "largest")
        )
        assert errors[best] == errors[group].min()
        assert errors[worst] == errors[group].max()


def test_examples_hold_their_reconstructions(case, parts):
    estimator, _, test, measured = case
    X = test.data.compute()
    true, counted = measured.lines.numbers
    for example in parts.examples:
        i = example.number
        np.testing.assert_array_equal(example.original, X[i])
        reconstruction = estimator.inverse_transform(measured.measurement.latents[i : i + 1])
        np.testing.assert_array_equal(example.reconstruction, reconstruction[0])
        f, g = (np.asarray(estimator.statistics(a))[0, ..., 0] for a in (X[i : i + 1], reconstruction))
        np.testing.assert_allclose(example.statistics, f, atol=1e-6)
        np.testing.assert_allclose(example.reconstructed_statistics, g, atol=1e-6)
        assert example.error == pytest.approx(np.linalg.norm(f - g) / np.linalg.norm(f), rel=1e-3)
        assert example.original_lines == tuple(true[i])
        assert example.reconstruction_lines == tuple(counted[i])


def test_neighbours_agree_with_a_comparison_of_every_pair(case, parts):
    estimator, training, _, measured = case
    assert [query.lines for query in parts.queries] == sorted(set(measured.lines.numbers[0].sum(1)))
    assert all(query.choice == "drawn at random" for query in parts.queries)
    T = training.data.compute()
    for source in ("original", "reconstruction"):
        images = np.stack([getattr(query, source) for query in parts.queries])
        for measure, features in (("image", lambda a: a), ("statistics", estimator.statistics)):
            queries, candidates = (np.asarray(features(a), float).reshape(len(a), -1) for a in (images, T))
            distances = np.square(queries[:, None] - candidates).mean(-1)
            neighbours = parts.neighbours[source, measure]
            np.testing.assert_allclose(neighbours.distances, np.sort(distances, axis=1)[:, :3], atol=1e-9)
            np.testing.assert_array_equal(neighbours.structures, T[neighbours.numbers])


def test_only_the_first_of_many_structures_are_searched(case, monkeypatch):
    assert n_searched(case[1]) == 60
    monkeypatch.setattr(collect, "SEARCHED_VOXELS", 256 * 10 + 5)
    assert n_searched(case[1]) == 10
    progress = []
    parts = collect_parts(*case, progress=lambda *done: progress.append(done))
    assert parts.neighbours["original", "image"].numbers.max() < 10
    assert progress[-1] == (10, 10)


def test_the_walk_starts_at_the_central_structure(case, parts):
    estimator, _, _, measured = case
    latents = measured.measurement.latents
    assert parts.traversal.components.tolist() == np.argsort(-latents.std(0)).tolist()
    assert parts.traversal.structures.shape == (3, len(WALK_STEPS), 16, 16)
    start = estimator.inverse_transform(central_latent(latents)[None])[0]
    assert all((row[WALK_STEPS.index(0.0)] == start).all() for row in parts.traversal.structures)


def test_volume_fractions_and_numbers_of_lines_match_the_measurement(case, parts):
    _, _, test, measured = case
    assert parts.fractions.shape == (24, 2)
    np.testing.assert_allclose(parts.fractions[:, 0], test.data.compute().mean((1, 2)))
    np.testing.assert_array_equal(parts.lines, measured.lines.numbers[0].sum(1))
