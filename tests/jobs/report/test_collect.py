"""Contents of a report, compared with direct computations on whole arrays."""

from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, load, open_structures
from matvae.data import sample_blocks
from matvae.evaluate import Nearest
from matvae.evaluate.baseline import pca_like
from matvae.evaluate.error_rows import fit_pcas
from matvae.evaluate.measure import Kept, measure, round_trip
from matvae.evaluate.walks import central_latent
from matvae.jobs.report import collect
from matvae.jobs.report.collect import (
    LEAST,
    candidate_parts,
    choose,
    comparison_rows,
    example_parts,
    fit_baselines,
    most_measured,
    neighbour_parts,
    pca_structure_error,
    set_parts,
    set_positions,
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
    baseline, _, n = fit_baselines(model, opened[0])
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


def test_fewer_structures_are_realized_where_they_are_large(model, monkeypatch):
    shapes = ((32, 32), (64, 64), (64,) * 3)
    sets = [Structures(da.zeros((100, *n), chunks=(1, *n), dtype=np.uint8), Grid(n)) for n in shapes]
    assert [most_measured(model, each) for each in sets] == [2000] * 3
    assert [len(set_positions(each)) for each in sets] == [24, 16, 8]
    monkeypatch.setattr(collect, "decodes_statistics", lambda estimator: True)
    assert [most_measured(model, each) for each in sets] == [64, 32, 20]


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
    baseline, table, n = fit_baselines(model, X)
    assert (len(baseline.pca.components_), [len(pca.components_) for pca in table.pcas], n) == (6, [3, 3], 30)
    baseline, table, n = fit_baselines(model, X[:4])
    assert (len(baseline.pca.components_), [len(pca.components_) for pca in table.pcas], n) == (4, [3, 3], 4)
    assert [len(pca.components_) for pca in fit_baselines(model, X[:2])[1].pcas] == [2, 2]


def test_baselines_equal_separate_fits(model, opened):
    training, test = opened
    X = test.data.compute()
    baseline, table, _ = fit_baselines(model, training)
    separate = [pca_like(model, 6).fit(training), *fit_pcas(model, training, 3)]
    for pca, alone in zip([baseline.pca, *table.pcas], separate, strict=True):
        assert pca.get_params() == alone.get_params()
        np.testing.assert_allclose(pca.transform(X), alone.transform(X), atol=1e-4)
        f, g = (each.inverse_statistics(each.transform(X)) for each in (pca, alone))
        np.testing.assert_allclose(f, g, atol=1e-5)


def test_rows_and_their_note_state_the_data_that_were_measured(model, opened, measured):
    measurement, baseline, n = measured
    rows, note = comparison_rows(model, measurement, baseline, n, 0.125, same_data=False)
    errors = baseline.centred_errors(measurement.scatter)
    assert rows[-2] == {"method": "PCA", "n_components": 3, "structure_centred_error": 0.125}
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
    assert note == "PCA was fitted on 40 training structures."
    rows, note = comparison_rows(model, measurement, baseline, n, same_data=True)
    assert note == "PCA was fitted on 40 of the structures of this report."
    assert [row["method"] for row in rows if "structure_centred_error" in row] == ["matvae"]


@pytest.fixture(scope="module")
def realized(model, opened):
    """Table with its rows made, the structures that were kept, their set, and the reason against one."""
    training, test = opened
    table, keep = fit_baselines(model, training)[1], Kept(set_positions(test))
    measurement = measure(model, test, keep, *table.observers)
    _, realized_set, reason = set_parts(model, test, training, table, measurement, keep.trip, ["a", "b"])
    return table, keep.trip, realized_set, reason


def test_the_set_consists_of_the_structures_that_were_measured(model, opened, realized):
    _, kept, realized_set, reason = realized
    assert reason == ""
    np.testing.assert_array_equal(realized_set.originals, opened[1].data.compute())
    np.testing.assert_array_equal(realized_set.realizations, kept.reconstructions)
    np.testing.assert_array_equal(kept.reconstructions, model.inverse_transform(model.transform(kept.structures)))


def test_sets_and_examples_come_from_a_few_structures_spread_over_a_large_set():
    assert set_positions(numbered(5)).tolist() == [0, 1, 2, 3, 4]
    positions = set_positions(numbered(100))
    assert (len(positions), positions[0], positions[-1]) == (24, 0, 99)
    # Of large volumes no set is realized, but some are shown.
    volumes = Structures(da.zeros((9, 128, 128, 128), chunks=(1, 128, 128, 128), dtype=np.uint8), Grid((128,) * 3))
    assert set_positions(volumes).tolist() == [0, 2, 3, 5, 6, 8]


def test_structures_of_pc_scores_have_the_error_of_a_pca_with_as_many_components(opened, realized):
    table = realized[0]
    error, note = pca_structure_error(table, 21, "")
    expected = measure(table.pcas[0], opened[1], decode=False).reconstructed["centred_error"]
    assert (table.pcas[0].metric, error) == ("plain", pytest.approx(expected, rel=0.02))
    assert "from 3 PC scores by phase retrieval, for 21 of the structures" in note


def test_a_note_says_why_there_are_no_structures_of_pc_scores(model, opened):
    _, table, _ = fit_baselines(model, opened[0])
    error, note = pca_structure_error(table, 21, "these are continuous fields")
    assert error is None
    assert note == "No structures were reconstructed from PC scores: these are continuous fields."
    table.refusal = "No volume fractions."
    assert pca_structure_error(table, 21, "")[1].endswith("PC scores: No volume fractions.")


def test_equal_structures_give_no_rows(model, opened):
    equal = Structures(np.repeat(opened[1].data[:1].compute(), 4, axis=0), opened[1].grid)
    baseline, _, n = fit_baselines(model, opened[0])
    rows, note = comparison_rows(model, measure(model, equal, baseline), baseline, n, same_data=False)
    assert rows == []
    assert note.startswith("All structures have equal 2-point statistics")


@pytest.mark.parametrize("at_hand", [True, False])
def test_examples_are_spread_and_have_their_own_errors(model, opened, at_hand):
    indices = np.arange(21) * 10
    kept = round_trip(model, opened[1].data.compute())
    X = opened[1].data[[0, 7, 13, 20]].compute()
    reconstructions = model.inverse_transform(model.transform(X))
    known = kept.reconstructions if at_hand else None
    examples = example_parts(model, kept, indices, known)
    assert examples.numbers.tolist() == [0, 70, 130, 200]
    np.testing.assert_array_equal(examples.originals, X)
    np.testing.assert_array_equal(examples.reconstructions, reconstructions)
    f, g = (model.statistics(a).reshape(4, -1) for a in (X, reconstructions))
    np.testing.assert_allclose(examples.errors, np.linalg.norm(f - g, axis=1) / np.linalg.norm(f, axis=1), rtol=1e-4)
    assert examples.realizations.shape == (3, 4, 8, 8)
    h = model.statistics(examples.realizations[2]).reshape(4, -1)
    expected = np.linalg.norm(f[2] - h, axis=1) / np.linalg.norm(f[2])
    np.testing.assert_allclose(examples.realization_errors[2], expected, rtol=1e-4)


def test_neighbours_are_the_nearest_and_keep_their_indices(model, opened, monkeypatch):
    train, test = opened
    examples, reports = example_parts(model, round_trip(model, test.data.compute()), np.arange(21)), []
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
