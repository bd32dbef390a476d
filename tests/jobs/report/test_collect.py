"""Contents of a report, compared with direct computations on whole arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, load, open_structures
from matvae.data import sample_blocks
from matvae.evaluate import Nearest
from matvae.evaluate.baseline import PCABaseline, pca_like
from matvae.evaluate.measure import measure
from matvae.evaluate.walks import central_latent
from matvae.jobs.report import collect
from matvae.jobs.report.collect import (
    LEAST,
    candidate_parts,
    choose,
    comparison_rows,
    example_parts,
    fit_pca,
    neighbour_parts,
    pca_structure_error,
    walk_parts,
)


@pytest.fixture(scope="module")
def model(trained):
    return load(trained / "m.matvae")


@pytest.fixture(scope="module")
def opened(trained):
    return open_structures(trained / "train.zarr"), open_structures(trained / "test.zarr")


@pytest.fixture
def measured(model, opened, monkeypatch):
    monkeypatch.setattr(sample_blocks, "BLOCK_BYTES", 4 * 64 * 5)
    pca, n = fit_pca(model, opened[0])
    baseline = PCABaseline(pca)
    return measure(model, opened[1], baseline), baseline, n


def numbered(n):
    X = np.zeros((n, 2, 2), dtype=np.uint8)
    X[:, 0, 0] = 1
    return Structures(X, Grid((2, 2)), {"number": np.arange(float(n))})


def test_a_small_set_is_chosen_completely():
    structures = numbered(5)
    chosen, indices = choose(structures)
    assert chosen is structures
    assert indices.tolist() == [0, 1, 2, 3, 4]


def test_structures_are_chosen_evenly_from_a_large_set(monkeypatch):
    chosen, indices = choose(numbered(100), most=30)
    assert (len(chosen), indices[0], indices[-1]) == (30, 0, 99)
    np.testing.assert_array_equal(chosen.properties["number"], indices)
    # Fewer if they are very large, but never fewer than LEAST.
    monkeypatch.setattr(collect, "MOST_VOXELS", 4)
    assert len(choose(numbered(100))[0]) == LEAST


def test_pca_has_twice_the_components_if_there_are_enough_structures():
    X = Structures((np.random.default_rng(0).random((30, 8, 8)) < 0.5).astype(np.uint8), Grid((8, 8)))
    model = StatsVAETransformer(n_components=3, max_epochs=1, width=16, random_state=0, decoder="dense").fit(X)
    pca, n = fit_pca(model, X)
    assert (len(pca.components_), n) == (6, 30)
    pca, n = fit_pca(model, X[:4])
    assert (len(pca.components_), n) == (4, 4)


def test_rows_and_their_note_state_the_data_that_were_measured(model, opened, measured):
    measurement, baseline, n = measured
    rows, note = comparison_rows(model, opened[1], measurement, baseline, n, same_data=False)
    errors = baseline.centred_errors(measurement.scatter)
    assert rows[:2] == [
        {"method": "training mean", "n_components": None, "centred_error": errors[0]},
        {"method": "PCA", "n_components": 1, "centred_error": errors[1]},
    ]
    assert rows[-1] == {
        "method": "matvae",
        "n_components": 3,
        "centred_error": measurement.decoded["centred_error"],
        "structure_centred_error": measurement.reconstructed["centred_error"],
    }
    assert "PCA was fitted on 40 training structures." in note
    assert "from 3 PC scores by phase retrieval, for 21 of the structures" in note
    _, note = comparison_rows(model, opened[1], measurement, baseline, n, same_data=True)
    assert "PCA was fitted on 40 of the structures of this report." in note


def test_structures_of_pc_scores_have_the_error_of_a_pca_with_as_many_components(model, opened, measured):
    training, test = opened
    error, _ = pca_structure_error(test, measured[1].pca, 2)
    expected = measure(pca_like(model, 2).fit(training.data), test, decode=False).reconstructed["centred_error"]
    assert error == pytest.approx(expected, rel=0.1)


def test_structures_of_pc_scores_are_omitted_for_fields_and_large_volumes(opened, measured, monkeypatch):
    pca = measured[1].pca
    field = Structures(np.zeros((6, 8, 8)), Grid((8, 8), phases=1))
    assert pca_structure_error(field, pca, 2)[0] is None
    monkeypatch.setattr(collect, "PCA_VOXELS", 64)
    error, note = pca_structure_error(opened[1], pca, 2)
    assert error is None
    assert "takes long" in note


def test_equal_structures_give_no_rows(model, opened):
    equal = Structures(np.repeat(opened[1].data[:1].compute(), 4, axis=0), opened[1].grid)
    pca, n = fit_pca(model, opened[0])
    baseline = PCABaseline(pca)
    rows, note = comparison_rows(model, equal, measure(model, equal, baseline), baseline, n, same_data=False)
    assert rows == []
    assert note.startswith("All structures have equal 2-point statistics")


def test_examples_are_spread_and_have_their_own_errors(model, opened):
    indices = np.arange(21) * 10
    examples = example_parts(model, opened[1], indices)
    assert examples.numbers.tolist() == [0, 70, 130, 200]
    X = opened[1].data[[0, 7, 13, 20]].compute()
    np.testing.assert_array_equal(examples.originals, X)
    reconstructions = model.inverse_transform(model.transform(X))
    np.testing.assert_array_equal(examples.reconstructions, reconstructions)
    f, g = (model.statistics(a).reshape(4, -1) for a in (X, reconstructions))
    np.testing.assert_allclose(examples.errors, np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1), rtol=1e-4)
    assert examples.realizations.shape == (3, 4, 8, 8)
    h = model.statistics(examples.realizations[2]).reshape(4, -1)
    expected = np.linalg.norm(f[2] - h, axis=1) / np.linalg.norm(f[2])
    np.testing.assert_allclose(examples.realization_errors[2], expected, rtol=1e-4)


def test_neighbours_are_the_nearest_and_keep_their_indices(model, opened, monkeypatch):
    train, test = opened
    examples, reports = example_parts(model, test, np.arange(21)), []
    neighbours, note = neighbour_parts(model, examples, train, progress=lambda *report: reports.append(report))
    assert reports[-1] == (40, 40)
    queries = test.data[[0, 7, 13]].compute()
    for kind, features in (("image", None), ("statistics", model.statistics)):
        slow = Nearest(queries, 3, features=features)
        slow.add(train.data.compute(), 0)
        np.testing.assert_array_equal(neighbours[kind].numbers, slow.index)
        np.testing.assert_allclose(neighbours[kind].distances, slow.distance)
    assert note == "40 of 40 training structures were searched."
    reconstructions = model.inverse_transform(model.transform(queries))
    expected = (reconstructions != queries).mean((1, 2))
    np.testing.assert_allclose(neighbours["image"].reconstruction_distances, expected)
    monkeypatch.setattr(collect, "SEARCHED", 20)
    some, note = neighbour_parts(model, examples, train)
    assert note == "20 of 40 training structures were searched."
    for row, indices in zip(some["image"].structures, some["image"].numbers, strict=True):
        np.testing.assert_array_equal(row, train.data.compute()[indices])
    assert neighbour_parts(model, examples, None)[0] == {}


def test_the_walk_starts_at_the_central_structure(model, opened):
    z = model.transform(opened[1].data.compute())
    walk = walk_parts(model, z)
    deviations = z.std(0)
    assert walk.components.tolist() == np.argsort(-deviations).tolist()
    component = walk.components[1]
    point = central_latent(z).copy()
    np.testing.assert_array_equal(walk.structures[1, 2], model.inverse_transform(point[None])[0])
    point[component] += 2 * deviations[component]
    end = model.inverse_transform(point[None])
    np.testing.assert_array_equal(walk.structures[1, 4], end[0])
    np.testing.assert_allclose(walk.statistics[1, 4], model.statistics(end)[0, ..., 0], atol=1e-6)


def test_candidates_are_encoded_by_the_model(model, opened, monkeypatch):
    candidates = candidate_parts(model, opened[1], "designed.zarr", "m.matvae")
    np.testing.assert_array_equal(candidates.structures, opened[1].data.compute())
    np.testing.assert_allclose(candidates.latents, model.transform(candidates.structures))
    assert (list(candidates.properties), candidates.units) == (["k"], {"k": "GPa"})
    monkeypatch.setattr(collect, "MOST_CANDIDATES", 4)
    assert candidate_parts(model, opened[1], "a", "m.matvae").properties["k"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_latents_stored_by_a_search_are_used(model, opened, monkeypatch):
    stored = {f"latent_{i}": np.full(21, float(i)) for i in range(3)}
    record = {"model": "m.matvae", "reasons": [None, "too little", *[None] * 19], "region": "Latents stay."}
    designed = replace(opened[1], properties={"k": np.arange(21.0), **stored}, attributes=record)
    monkeypatch.setattr(collect, "MOST_CANDIDATES", 2)
    candidates = candidate_parts(model, designed, "a", "m.matvae")
    assert candidates.latents.tolist() == [[0.0, 1.0, 2.0]] * 2
    assert list(candidates.properties) == ["k"]
    assert (candidates.reasons, candidates.region) == ([None, "too little"], "Latents stay.")
    # Latents of another model have another meaning.
    other = candidate_parts(model, designed, "a", "other.matvae")
    np.testing.assert_allclose(other.latents, model.transform(candidates.structures))
    assert candidate_parts(model, replace(designed, attributes={"reasons": "none"}), "a", "m").reasons == []
