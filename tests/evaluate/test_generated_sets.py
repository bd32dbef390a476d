"""Generated sets beside the structures that they stand for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid, StatsVAETransformer, Structures, TwoPointPCA
from matvae.errors import InputError
from matvae.evaluate import generated_sets
from matvae.evaluate.generated_sets import (
    compare_generated,
    default_number,
    realization_method,
    reason_against,
    training_structures,
)
from matvae.evaluate.set_distances import compare_sets

NAMES, AXES = ("solid", "pore"), ("y", "x")


def of_shape(shape, n=3, phases=2):
    return Structures(np.zeros((n, *shape), np.float32 if phases == 1 else np.uint8), Grid(shape, phases=phases))


@pytest.fixture(scope="module")
def texture(training):
    return StatsVAETransformer(2, decoder="statistics", random_state=0).fit(training)


@pytest.mark.parametrize(
    ("shape", "n", "expected"),
    [((64, 64), 100, 48), ((64, 64), 10, 10), ((64, 64, 64), 100, 8), ((128, 128, 128), 100, 0)],
)
def test_fewer_large_structures_are_realized(shape, n, expected):
    structures = Structures(np.broadcast_to(np.uint8(0), (n, *shape)), Grid(shape))
    assert default_number(structures) == expected


def test_sets_that_cannot_be_compared_have_a_reason():
    assert reason_against(of_shape((8, 8)), 2) is None
    assert "none are where they are large" in reason_against(of_shape((8, 8)), 0)
    assert "needs two or more" in reason_against(of_shape((8, 8)), 1)
    assert "4 voxels along every axis" in reason_against(of_shape((3, 8)), 3)
    assert "continuous fields" in reason_against(of_shape((8, 8), phases=1), 3)


def test_the_method_is_the_default_of_the_model(model, texture, training):
    assert (realization_method(model), realization_method(texture)) == ("decoder", "retrieval")
    with pytest.raises(InputError, match="TwoPointPCA was given"):
        realization_method(TwoPointPCA(1).fit(training.data))


def test_the_structures_themselves_have_no_faults(model, training, unseen):
    X = unseen.data.compute()
    result = compare_generated(model, X, X, training, names=NAMES, axes=AXES)
    values = result.to_dict()
    assert values["verdict"].startswith(f"{values['n_distinct']} of {values['n_distinct']} measures")
    assert [phase["volume_fraction_bias"] for phase in values["phases"]] == [0.0, 0.0]
    assert values["resemblance"]["copying_mean"] == values["resemblance"]["copying_true_mean"]
    assert values["resemblance"]["diversity"] == 1.0
    assert (values["method"], values["other_true"], values["n_searched"]) == (
        "decoder",
        "training structures",
        len(training),
    )
    assert {row["phase_name"] for row in values["rows"]} == set(NAMES)
    assert {row["axis_name"] for row in values["rows"]} == {None, "y", "x"}
    json.dumps(values, allow_nan=False)


def test_measures_are_those_of_compare_sets(model, training, unseen):
    X, generated = unseen.data.compute(), 1 - unseen.data.compute()
    result = compare_generated(model, generated, X, training, names=NAMES, axes=AXES)
    other = training_structures(model, training, len(X))[0]
    expected = compare_sets(generated, X, other, phases=2, periodic=True)
    assert result.comparison == expected
    assert result.phases[0].volume_fraction_bias == pytest.approx(2 * X.mean() - 1)


def test_copies_of_training_structures_are_found(model, training, unseen):
    X = unseen.data[:6].compute()
    copies = np.roll(training.data[:6].compute(), (2, 3), (1, 2))
    result = compare_generated(model, copies, X, training, names=NAMES, axes=AXES)
    np.testing.assert_array_equal(result.resemblance.copying, 1.0)
    assert result.resemblance.n_copies == 6
    assert "6 of 6 realizations agree more with a training structure" in result.verdict
    assert "copy" not in compare_generated(model, X, X, training, names=NAMES, axes=AXES).verdict


def test_a_model_of_textures_carries_another_region(texture, model, unseen, monkeypatch):
    X = unseen.data[:5].compute()
    result = compare_generated(texture, X, X, None, names=NAMES, axes=AXES)
    assert result.training == "windows that the model carries as examples"
    assert result.comparison.n_other == 5
    without = compare_generated(model, X, X, None, names=NAMES, axes=AXES)
    assert (without.resemblance, without.comparison.n_other, without.training) == (None, 0, "")
    # The search for copies is bounded, but covers at least as many structures as were generated.
    monkeypatch.setattr(generated_sets, "SEARCHED_VOXELS", 1)
    assert compare_generated(texture, X, X, None, names=NAMES, axes=AXES).n_searched == 5
