"""What a report measures equals what whole arrays give, computed the slow and obvious way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matvae import Grid, Structures, TwoPointPCA, load, open_structures
from matvae.data import sample_blocks as blocks_module
from matvae.evaluate import Nearest
from matvae.jobs.report import gather as report_gather
from matvae.jobs.report.gather import (
    candidate_parts,
    example_parts,
    measure_all,
    pca_structures_error,
    rows_beside_pca,
    similar_parts,
    volume_fractions_of,
    walk_parts,
)
from matvae.jobs.report.sample import fit_pca


@pytest.fixture(scope="module")
def model(trained):
    return load(trained / "m.matvae")


@pytest.fixture(scope="module")
def opened(trained):
    return open_structures(trained / "train.zarr"), open_structures(trained / "test.zarr")


@pytest.fixture
def measured(model, opened, monkeypatch):
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 4 * 64 * 5)
    seen = []
    pca, n = fit_pca(model, opened[0])
    found = measure_all(model, opened[1], pca, seen.append)
    assert seen == [5, 10, 15, 20, 21]
    return found, pca, n


def centred(f, g):
    f, g = (a.reshape(len(a), -1).astype(float) for a in (f, g))
    return np.linalg.norm(f - g) / np.linalg.norm(f - f.mean(0))


def test_errors_are_those_of_whole_arrays(model, opened, measured):
    found, _, _ = measured
    X = opened[1].data.compute()
    z = model.transform(X)
    made = model.inverse_transform(z)
    f = model.statistics(X)
    np.testing.assert_allclose(found.latents, z, rtol=1e-4, atol=1e-5)
    assert found.decoded == pytest.approx(centred(f, model.inverse_statistics(z)), abs=1e-5)
    assert found.structure == pytest.approx(centred(f, model.statistics(made)), abs=1e-5)
    assert -found.relative.mean() == pytest.approx(model.score(X), abs=1e-5)
    np.testing.assert_allclose(found.fractions[..., 0], [X.mean((1, 2)), made.mean((1, 2))])
    assert list(found.pairs) == [(1, 1)]


def test_errors_of_pca_are_those_of_a_fit_with_so_many_components(model, opened, measured):
    found, pca, _ = measured
    train, X = (one.data.compute() for one in opened)
    f = model.statistics(X)
    assert found.pca_centred[0] == pytest.approx(centred(f, np.broadcast_to(pca.mean_, f.shape)), abs=1e-4)
    for n in (1, 2, 3):
        one = TwoPointPCA(n, phases=2).fit(train)
        expected = centred(f, one.inverse_statistics(one.transform(X)).reshape(f.shape))
        assert found.pca_centred[n] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(found.scores, pca.transform(X), atol=1e-4)


def test_rows_say_what_was_measured_on_what(model, opened, measured):
    found, pca, n = measured
    rows, note = rows_beside_pca(model, opened[1], found, pca, n, own=False)
    assert [(row["method"], row["n_components"]) for row in rows][:2] == [("training mean", None), ("PCA", 1)]
    assert rows[-1] == {
        "method": "matvae",
        "n_components": 3,
        "centred_error": found.decoded,
        "structure_centred_error": found.structure,
    }
    assert "PCA was fitted on 40 training structures." in note
    assert "made of 3 scores by phase retrieval, for 21 of the structures" in note
    assert "of the structures of this report" in rows_beside_pca(model, opened[1], found, pca, n, own=True)[1]


def test_structures_of_scores_are_left_out_where_there_are_none(opened, measured, monkeypatch):
    _, pca, _ = measured
    field = Structures(np.zeros((6, 8, 8)), Grid((8, 8), phases=1))
    assert pca_structures_error(field, pca, 2)[0] is None
    monkeypatch.setattr(report_gather, "PCA_VOXELS", 64)
    error, said = pca_structures_error(opened[1], pca, 2)
    assert error is None
    assert "takes long" in said


def test_equal_structures_have_nothing_to_compare(model, opened):
    alike = Structures(np.repeat(opened[1].data[:1].compute(), 4, axis=0), opened[1].grid)
    pca, n = fit_pca(model, opened[0])
    rows, note = rows_beside_pca(model, alike, measure_all(model, alike, pca, lambda done: None), pca, n, own=False)
    assert rows == []
    assert note.startswith("All structures have the same")


def test_volume_fractions_of_every_phase():
    labels = np.array([[[0, 1], [2, 2]], [[1, 1], [1, 1]]])
    assert volume_fractions_of(labels, 3).tolist() == [[0.25, 0.5], [1.0, 0.0]]


def test_examples_are_spread_and_have_their_own_errors(model, opened):
    numbers = np.arange(21) * 10
    found = example_parts(model, opened[1], numbers)
    assert found.numbers.tolist() == [0, 70, 130, 200]
    X = opened[1].data[[0, 7, 13, 20]].compute()
    np.testing.assert_array_equal(found.originals, X)
    made = model.inverse_transform(model.transform(X))
    np.testing.assert_array_equal(found.reconstructions, made)
    f, g = (model.statistics(a).reshape(4, -1) for a in (X, made))
    np.testing.assert_allclose(found.errors, np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1), rtol=1e-4)
    assert found.realizations.shape == (3, 4, 8, 8)
    h = model.statistics(found.realizations[2]).reshape(4, -1)
    expected = np.linalg.norm(f[2] - h, axis=1) / np.linalg.norm(f[2])
    np.testing.assert_allclose(found.realization_errors[2], expected, rtol=1e-4)


def test_neighbours_are_the_nearest_and_keep_their_numbers(model, opened, monkeypatch):
    train, test = opened
    found, said = similar_parts(model, test, train, lambda done: None)
    queries = test.data[[0, 7, 13]].compute()
    for by, features in (("image", None), ("statistics", model.statistics)):
        slow = Nearest(queries, 3, features=features)
        slow.add(train.data.compute(), 0)
        np.testing.assert_array_equal(found[by].numbers, slow.index)
        np.testing.assert_allclose(found[by].distances, slow.distance)
    assert said == "Sought among 40 of 40 training structures."
    made = model.inverse_transform(model.transform(queries))
    np.testing.assert_allclose(found["image"].reconstruction_distances, (made != queries).mean((1, 2)))
    monkeypatch.setattr(report_gather, "SEARCHED", 20)
    some, said = similar_parts(model, test, train, lambda done: None)
    assert said == "Sought among 20 of 40 training structures."
    for row, numbers in zip(some["image"].structures, some["image"].numbers, strict=True):
        np.testing.assert_array_equal(row, train.data.compute()[numbers])


def test_a_walk_changes_one_component_by_standard_deviations(model, opened):
    z = model.transform(opened[1].data.compute())
    walk = walk_parts(model, z)
    deviation = z.std(0)
    assert walk.components.tolist() == np.argsort(-deviation).tolist()
    component = walk.components[1]
    point = np.median(z, axis=0)
    np.testing.assert_array_equal(walk.structures[1, 2], model.inverse_transform(point[None].astype(z.dtype))[0])
    point[component] += 2 * deviation[component]
    end = model.inverse_transform(point[None].astype(z.dtype))
    np.testing.assert_array_equal(walk.structures[1, 4], end[0])
    np.testing.assert_allclose(walk.statistics[1, 4], model.statistics(end)[0, ..., 0], atol=1e-6)


def test_candidates_are_seen_by_the_model(model, opened, monkeypatch):
    found = candidate_parts(model, opened[1], "designed.zarr", "m.matvae")
    np.testing.assert_array_equal(found.structures, opened[1].data.compute())
    np.testing.assert_allclose(found.latents, model.transform(found.structures))
    assert (list(found.properties), found.units) == (["k"], {"k": "GPa"})
    monkeypatch.setattr(report_gather, "MOST_CANDIDATES", 4)
    assert candidate_parts(model, opened[1], "a", "m.matvae").properties["k"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_latents_of_a_search_are_those_it_found(model, opened, monkeypatch):
    own = {f"latent_{i}": np.full(21, float(i)) for i in range(3)}
    said = {"model": "m.matvae", "reasons": [None, "too little", *[None] * 19], "region": "Latents stay."}
    designed = replace(opened[1], properties={"k": np.arange(21.0), **own}, attributes=said)
    monkeypatch.setattr(report_gather, "MOST_CANDIDATES", 2)
    found = candidate_parts(model, designed, "a", "m.matvae")
    assert found.latents.tolist() == [[0.0, 1.0, 2.0]] * 2
    assert (list(found.properties), found.reasons, found.region) == (["k"], [None, "too little"], "Latents stay.")
    # Latents of another model mean something else.
    other = candidate_parts(model, designed, "a", "other.matvae")
    np.testing.assert_allclose(other.latents, model.transform(found.structures))
    assert candidate_parts(model, replace(designed, attributes={"reasons": "none"}), "a", "m").reasons == []
