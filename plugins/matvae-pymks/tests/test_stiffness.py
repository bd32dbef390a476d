"""Stiffness: laminates, Reuss and Voigt bounds, axes, reasons for failures and refused input."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.optimize import PROPERTIES
from matvae.optimize.goal import parse_property
from matvae.testing import property_checks
from matvae_pymks import Stiffness, elastic, generate_multiphase, solve_fe

# sfepy uses deprecated names of pyparsing.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

E, NU = (10.0, 2.0), (0.3, 0.2)


def c11(dimension: int) -> np.ndarray:
    """Return C11 of each phase, with PyMKS's shear modulus in 2-D."""
    modulus, ratio = np.array(E), np.array(NU)
    return modulus * ratio / ((1 + ratio) * (1 - 2 * ratio)) + dimension / 3 * modulus / (1 + ratio)


def values(X: np.ndarray, **options) -> np.ndarray:
    measured = Stiffness(**({"elastic_modulus": E, "poissons_ratio": NU} | options)).measure(X, Grid(X.shape[1:]))
    assert measured.reasons == (None,) * len(X)
    return measured.values


def layers(*space: int) -> np.ndarray:
    """Return layers across the first axis, a quarter of them of phase 0."""
    X = np.ones((1, *space), int)
    X[:, 0] = 0
    return X


@pytest.mark.parametrize("check", property_checks(Stiffness(), [Grid((5, 4), voxel_size=0.5)]), ids=str)
def test_conforms(check):
    check()


def test_options_are_parsed_from_text():
    property, label = parse_property("stiffness(elastic_modulus=(1, 50), axis='x')")
    assert property == Stiffness((1, 50), axis="x")
    assert label.startswith("stiffness")


def test_property_is_registered():
    assert PROPERTIES.get("stiffness") is Stiffness
    assert (Stiffness.name, Stiffness.differentiable) == ("stiffness", False)


@pytest.mark.parametrize("space", [(4, 4), (4, 2, 2)])
def test_layers_across_the_load_have_the_reuss_average(space):
    assert values(layers(*space))[0] == pytest.approx(1 / (0.25 / c11(len(space))[0] + 0.75 / c11(len(space))[1]))


@pytest.mark.parametrize(("space", "axis"), [((4, 4), 1), ((4, 2, 2), 2), ((4, 2, 2), "y")])
def test_layers_along_the_load_have_the_voigt_average(space, axis):
    """With Poisson's ratios of 0 there is no lateral strain."""
    expected = len(space) / 3 * (0.25 * E[0] + 0.75 * E[1])
    assert values(layers(*space), poissons_ratio=0.0, axis=axis)[0] == pytest.approx(expected)


def test_value_lies_between_reuss_and_voigt_along_both_axes():
    X = generate_multiphase((2, 7, 7), (3, 3), (0.5, 0.5), seed=0).astype(np.uint8)
    fractions = np.stack([1 - X.mean(axis=(1, 2)), X.mean(axis=(1, 2))], axis=1)
    for axis in (0, 1):
        stiffness = values(X, axis=axis)
        assert (1 / (fractions @ (1 / c11(2))) < stiffness).all()
        assert (stiffness < fractions @ c11(2)).all()


def test_value_is_mean_stress_of_solve_fe_over_mean_strain():
    X = np.asarray(generate_multiphase((2, 6, 6), (3, 2), (0.5, 0.5), seed=0))
    stress = solve_fe(X, E, NU, macro_strain=0.01)["stress"]
    np.testing.assert_allclose(values(X), stress[..., 0].mean(axis=(1, 2)) / 0.01, rtol=1e-9)


def test_transposed_structure_is_as_stiff_along_the_transposed_axis():
    X = np.random.default_rng(0).integers(0, 2, (1, 4, 5))
    np.testing.assert_allclose(values(X.swapaxes(1, 2), axis="x"), values(X, axis="y"), rtol=1e-9)


def test_failure_has_a_reason_and_does_not_affect_other_structures(monkeypatch):
    solve = elastic.solve_structure

    def fail_on_layers(properties):
        if (properties[0] != properties[-1]).all():
            raise InputError("The equations could not be solved.")
        return solve(properties)

    monkeypatch.setattr(elastic, "solve_structure", fail_on_layers)
    X = np.concatenate([np.zeros((1, 4, 4), int), layers(4, 4)])
    measured = Stiffness(E, NU).measure(X, Grid((4, 4)))
    np.testing.assert_allclose(measured.values, [c11(2)[0], np.nan])
    assert measured.reasons == (None, "The equations could not be solved.")


@pytest.mark.parametrize(
    ("options", "grid", "message"),
    [
        ({"elastic_modulus": (1.0,)}, {}, "each of the 2 phases, but elastic_modulus=.1.0,. and"),
        ({"poissons_ratio": (0.3, 0.2, 0.1)}, {}, "each of the 2 phases"),
        ({}, {"phases": 3}, "each of the 3 phases"),
        ({"elastic_modulus": (1.0, -1.0)}, {}, "must be positive for every phase"),
        ({"poissons_ratio": 0.5}, {}, "between -1 and 0.5"),
        ({"axis": "z"}, {}, "axis must be one of y, x, or an index from 0 to 1, but 'z' was given"),
        ({"axis": -1}, {}, "but -1 was given"),
        ({}, {"voxel_size": (1, 2)}, r"the voxel size is \(1.0, 2.0\)"),
        ({}, {"shape": (5, 4)}, r"space \(5, 4\) are expected, .* with shape \(1, 4, 4\)"),
    ],
)
def test_mismatched_input_is_refused(options, grid, message):
    with pytest.raises(InputError, match=message):
        Stiffness(**options).measure(np.ones((1, 4, 4), int), Grid(**({"shape": (4, 4)} | grid)))
