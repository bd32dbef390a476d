"""Every form of X is recognized by fit and restored by inverse_transform."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import torch

from matvae import Grid, Structures, two_point_stats
from matvae.errors import InputError
from matvae.estimator.sample_layout import layout_of_structures
from matvae.estimator.samples import sample_numbers

from ..structures import one_hot


@pytest.mark.parametrize("shape", [(12,), (6, 5), (4, 5, 6)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.uint16])
def test_labels_keep_their_shape_and_dtype(make_blobs, tiny, shape, dtype) -> None:
    X = make_blobs(16, shape).astype(dtype)
    model = tiny(max_epochs=1).fit(X)
    structures = model.inverse_transform(model.transform(X))
    assert (structures.shape, structures.dtype) == (X.shape, X.dtype)
    assert set(np.unique(structures)) <= {0, 1}
    assert model.grid_ == Grid(shape, phases=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_a_continuous_field_is_decoded_to_a_field(tiny, dtype) -> None:
    X = np.random.default_rng(0).normal(3, 0.5, (20, 6, 6)).astype(dtype)
    model = tiny().fit(X)
    fields = model.inverse_transform(model.transform(X))
    assert (fields.shape, fields.dtype, model.grid_.phases) == (X.shape, X.dtype, 1)
    assert abs(fields.mean() - 3) < 0.5


FORMS = {
    "labels": ({}, lambda X: X),
    "flat": ({"sample_shape": (6, 6)}, lambda X: X.reshape(len(X), -1)),
    "not flat": ({"sample_shape": (6, 6)}, lambda X: X),
    "states last": ({"state_axis": -1}, lambda X: one_hot(X, 3).astype(np.float32)),
    "states as integers": ({"state_axis": -1}, lambda X: one_hot(X, 3).astype(np.uint8)),
    "states first": ({"state_axis": 1}, lambda X: one_hot(X, 3, 1).astype(float)),
    "flat states": (
        {"state_axis": -1, "sample_shape": (6, 6)},
        lambda X: one_hot(X, 3).astype(np.float32).reshape(len(X), -1),
    ),
    "flat states first": (
        {"state_axis": 1, "sample_shape": (6, 6)},
        lambda X: one_hot(X, 3, 1).astype(np.float32).reshape(len(X), -1),
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_all_forms_of_the_same_structures_give_the_same_results(make_blobs, tiny, form: str, kind: str) -> None:
    labels = make_blobs(24, (6, 6), phases=3)
    parameters, convert = FORMS[form]
    X = convert(labels)
    data = X if kind == "numpy" else da.from_array(X, chunks=(5, *X.shape[1:]))
    expected = tiny(max_epochs=1).fit(labels)
    model = tiny(max_epochs=1, **parameters).fit(X)
    assert model.grid_ == Grid((6, 6), phases=3)
    Z = model.transform(data)
    np.testing.assert_allclose(np.asarray(Z), expected.transform(labels), atol=1e-4)
    np.testing.assert_allclose(np.asarray(model.statistics(data)), two_point_stats(labels), atol=1e-5)
    decoded = model.inverse_transform(Z)
    assert (decoded.shape, decoded.dtype) == (X.shape, X.dtype)
    np.testing.assert_array_equal(np.asarray(decoded), convert(expected.inverse_transform(expected.transform(labels))))
    assert model.score(data) == pytest.approx(expected.score(labels), abs=1e-3)
    realized = model.inverse_transform(Z, n_realizations=2, random_state=0)
    assert realized.shape == (24, 2, *X.shape[1:])


def test_a_single_local_state_is_a_field(tiny) -> None:
    X = np.random.default_rng(0).normal(3, 0.5, (20, 6, 6, 1))
    model = tiny(state_axis=-1).fit(X)
    fields = model.inverse_transform(model.transform(X))
    assert fields.shape == X.shape
    assert abs(fields.mean() - 3) < 0.5


STATISTICS = {
    "all lags": ({}, {}, False),
    "flat": ({"sample_shape": (6, 6)}, {}, True),
    "cutoff": ({"sample_shape": (6, 6), "cutoff": 2}, {"cutoff": 2}, False),
    "windows": ({"sample_shape": (6, 6), "periodic": False}, {"periodic": False}, True),
    "named pairs": ({"correlations": [(1, 1), (0, 2)]}, {"correlations": [(1, 1), (0, 2)]}, False),
}


@pytest.mark.parametrize("phases", [2, 3])
@pytest.mark.parametrize("case", STATISTICS)
def test_statistics_are_accepted_as_input(make_blobs, tiny, case: str, phases: int) -> None:
    parameters, options, flat = STATISTICS[case]
    labels = make_blobs(24, (6, 6), phases=3 if case == "named pairs" else phases)
    f = two_point_stats(labels, **options)
    X = f.reshape(24, -1) if flat else f
    model = tiny(max_epochs=1, input="statistics", **parameters).fit(X)
    assert model.grid_.shape == (6, 6)
    assert model.grid_.phases == labels.max() + 1
    Z = model.transform(X)
    structures = model.inverse_transform(Z)
    assert (structures.shape, structures.dtype) == (labels.shape, np.uint8)
    assert structures.max() < model.grid_.phases
    assert model.inverse_statistics(Z).shape == f.shape
    np.testing.assert_allclose(model.statistics(X), f, atol=1e-6)
    g = two_point_stats(structures, phases=model.grid_.phases, **options)
    error = np.linalg.norm((g - f).reshape(24, -1), axis=1)
    error = error / np.linalg.norm(f.reshape(24, -1), axis=1)
    assert model.score(X) == pytest.approx(-error.mean(), rel=1e-4)


def test_lists_tensors_and_data_frames_are_accepted(X, tiny, fitted) -> None:
    Z = fitted.transform(X)
    np.testing.assert_array_equal(tiny().fit(X.tolist()).transform(X.tolist()), Z)
    tensor = torch.from_numpy(np.array(X))
    np.testing.assert_array_equal(tiny().fit(tensor).transform(tensor), Z)
    frame = pd.DataFrame(X.reshape(40, -1), columns=[f"voxel {i}" for i in range(64)])
    model = tiny(sample_shape=(8, 8)).fit(frame)
    assert list(model.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(model.transform(frame), Z)
    with pytest.raises(InputError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])
    model.fit(da.from_array(X.reshape(40, -1)))
    assert not hasattr(model, "feature_names_in_")


def test_the_grid_of_structures_is_kept(X, tiny) -> None:
    grid = Grid((8, 8), phases=3, voxel_size=0.5, unit="micrometer", axes=("z", "y"))
    model = tiny(max_epochs=1).fit(Structures(X, grid))
    assert model.grid_ == grid
    assert isinstance(model.transform(Structures(X, grid)), da.Array)


def test_sample_numbers_follow_the_chunks() -> None:
    X = da.zeros((7, 3), chunks=((2, 0, 5), (1, 2)))
    index = sample_numbers(X)
    assert index.chunks == ((2, 0, 5), (1,))
    np.testing.assert_array_equal(index.compute(), sample_numbers(np.zeros((7, 3))))


@pytest.mark.parametrize(
    ("shape", "parameters", "message"),
    [
        ((4, 30), {"sample_shape": (6, 6)}, "flattened to 36 voxels, but samples of shape \\(30,\\)"),
        ((4, 7, 6, 2), {"sample_shape": (6, 6), "state_axis": -1}, "Pass the shape of one structure"),
        ((4, 6, 6), {"sample_shape": (6, 6), "state_axis": -1}, None),
        ((4, 2, 2, 2, 2), {}, "one to three spatial axes"),
        ((4, 6, 6), {"state_axis": 5}, "state_axis"),
    ],
)
def test_contradictory_layouts_are_refused(shape, parameters: dict, message: str | None) -> None:
    X = np.zeros(shape, dtype=np.float32)
    settings = {"phases": "auto", "sample_shape": None, "state_axis": None, **parameters}
    with pytest.raises(InputError, match=message):
        layout_of_structures(X, **settings)


@pytest.mark.parametrize(
    ("shape", "parameters", "message"),
    [
        ((9, 36), {}, "pass sample_shape"),
        ((9, 6, 6, 1), {"cutoff": 2}, "pass sample_shape"),
        ((9, 6, 6, 1), {"sample_shape": (6, 6), "cutoff": 2}, "Crop them to a cutoff"),
        ((9, 6, 6, 2), {}, "cannot be the default set"),
        ((9, 6, 6, 2), {"phases": 3}, "3 correlations"),
    ],
)
def test_statistics_of_unsuitable_shape_are_refused(tiny, shape, parameters: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        tiny(input="statistics", **parameters).fit(np.ones(shape))
