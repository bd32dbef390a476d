"""solve_fe: known stresses, laminates, Reuss and Voigt bounds, periodicity, numpy and dask, refused input."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae.errors import InputError
from matvae_pymks import generate_multiphase, solve_fe

# sfepy uses deprecated names of pyparsing.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

E, NU = (10.0, 2.0), (0.3, 0.2)


def lame(modulus: float, ratio: float, dimension: int) -> tuple[float, float]:
    """Return Lame's first parameter and PyMKS's shear modulus, 2/3 of the true one in 2-D."""
    return modulus * ratio / ((1 + ratio) * (1 - 2 * ratio)), dimension / 3 * modulus / (2 * (1 + ratio))


def stiffnesses(dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Return C11 and C12 of each phase."""
    constants = np.array([lame(*phase, dimension) for phase in zip(E, NU, strict=True)])
    return constants.sum(axis=1) + constants[:, 1], constants[:, 0]


def mean(field: np.ndarray) -> np.ndarray:
    return field.mean(axis=tuple(range(1, field.ndim - 1)))


@pytest.mark.parametrize("space", [(4, 5), (2, 3, 2)])
@pytest.mark.parametrize("phase", [0, 1])
def test_single_phase_has_uniform_strain(space, phase):
    result = solve_fe(np.full((2, *space), phase), E, NU, macro_strain=0.01, delta_x=2.0)
    d, C11, C12 = len(space), *(C[phase] for C in stiffnesses(len(space)))
    strain, stress = np.zeros(3 * d - 3), np.zeros(3 * d - 3)
    strain[0], stress[0], stress[1:d] = 0.01, 0.01 * C11, 0.01 * C12
    np.testing.assert_allclose(result["strain"], np.broadcast_to(strain, (2, *space, len(strain))), atol=1e-9)
    np.testing.assert_allclose(result["stress"], np.broadcast_to(stress, (2, *space, len(stress))), atol=1e-8)
    corners = np.indices([n + 1 for n in space])[0] * 2.0
    np.testing.assert_allclose(result["displacement"][..., 0], np.stack(2 * [0.01 * corners]), atol=1e-9)
    np.testing.assert_allclose(result["displacement"][..., 1:], 0, atol=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_layers_in_series_have_the_reuss_average(dimension):
    """Layers across the load have equal stress, from the harmonic mean of C11."""
    layers = np.zeros((1, *(4,) * dimension), int)
    layers[:, 1:] = 1
    C11, _ = stiffnesses(dimension)
    result = solve_fe(layers, E, NU, macro_strain=0.02)
    expected = 0.02 / (0.25 / C11[0] + 0.75 / C11[1])
    np.testing.assert_allclose(result["stress"][..., 0], expected, rtol=1e-8)
    np.testing.assert_allclose(result["strain"][0, :, 0, ..., 0].reshape(4, -1)[:2, 0], expected / C11, rtol=1e-8)


@pytest.mark.parametrize("dimension", [2, 3])
def test_layers_in_parallel_have_the_voigt_average(dimension):
    """Layers along the load have equal strain: with Poisson's ratios of 0, the mean of the moduli."""
    layers = np.zeros((1, *(4,) * dimension), int)
    layers[:, :, 1:] = 1
    stress = solve_fe(layers, E, (0.0, 0.0), macro_strain=0.02)["stress"]
    assert mean(stress)[0, 0] == pytest.approx(0.02 * dimension / 3 * (0.25 * E[0] + 0.75 * E[1]), rel=1e-8)


def test_layers_in_parallel_have_the_backus_average():
    """With lateral stress, C11 = <C11 - C12^2 / C11> + <C12 / C11>^2 / <1 / C11> (Backus 1962, doi
    10.1029/JZ067i011p04427)."""
    layers = np.zeros((1, 4, 4), int)
    layers[:, :, 1:] = 1
    (C11, C12), fractions = stiffnesses(2), np.array([0.25, 0.75])
    expected = fractions @ (C11 - C12**2 / C11) + (fractions @ (C12 / C11)) ** 2 / (fractions @ (1 / C11))
    assert mean(solve_fe(layers, E, NU)["stress"])[0, 0] == pytest.approx(expected, rel=1e-3)


def test_effective_stiffness_lies_between_reuss_and_voigt():
    X = generate_multiphase((3, 9, 9), (3, 3), (0.5, 0.5), seed=0)
    C11, _ = stiffnesses(2)
    fractions = np.stack([1 - X.mean(axis=(1, 2)), X.mean(axis=(1, 2))], axis=1)
    effective = mean(solve_fe(X, E, NU)["stress"])[:, 0]
    assert (1 / (fractions @ (1 / C11)) < effective).all()
    assert (effective < fractions @ C11).all()


@pytest.mark.parametrize("space", [(5, 6), (3, 4, 3)])
def test_displacement_is_periodic_up_to_the_macro_strain(space):
    X = np.random.default_rng(0).integers(0, 2, (1, *space))
    result = solve_fe(X, E, NU, macro_strain=0.1, delta_x=3.0)
    for axis in range(len(space)):
        jump = np.take(result["displacement"], -1, axis + 1) - np.take(result["displacement"], 0, axis + 1)
        expected = np.zeros(len(space))
        expected[0] = 0.1 * 3.0 * space[0] if axis == 0 else 0
        np.testing.assert_allclose(jump, np.broadcast_to(expected, jump.shape), atol=1e-8)
    strains = mean(result["strain"])[0, : len(space)]
    np.testing.assert_allclose(strains, [0.1, *[0.0] * (len(space) - 1)], atol=1e-10)


def test_translated_structure_has_the_same_stiffness():
    """The accuracy is limited by PyMKS's last mid-side nodes."""
    X = generate_multiphase((1, 10, 10), (4, 4), (0.5, 0.5), seed=0)
    original, translated = (mean(solve_fe(x, E, NU)["stress"])[0, 0] for x in (X, np.roll(X, (3, 4), (1, 2))))
    assert original == pytest.approx(translated, rel=1e-3)


def test_stress_follows_hookes_law_with_engineering_shear_strain():
    X = np.random.default_rng(1).integers(0, 2, (1, 4, 4))
    result = solve_fe(X, E, NU)
    C11, C12 = (C[X] for C in stiffnesses(2))
    mu = np.array([lame(*phase, 2)[1] for phase in zip(E, NU, strict=True)])[X]
    exx, eyy, gamma = np.moveaxis(result["strain"], -1, 0)
    expected = np.stack([C11 * exx + C12 * eyy, C12 * exx + C11 * eyy, mu * gamma], axis=-1)
    np.testing.assert_allclose(result["stress"], expected, atol=1e-10)


def test_results_scale_with_strain_moduli_and_voxel_size():
    X = np.random.default_rng(0).integers(0, 2, (1, 4, 4))
    unit = solve_fe(X, E, NU)
    small = solve_fe(X, [1e11 * modulus for modulus in E], NU, macro_strain=1e-9, delta_x=1e-7)
    np.testing.assert_allclose(small["strain"], 1e-9 * unit["strain"], rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(small["stress"], 100 * unit["stress"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(small["displacement"], 1e-16 * unit["displacement"], rtol=1e-9, atol=1e-28)


@pytest.mark.parametrize("space", [(4, 5), (2, 3, 2)])
def test_dask_is_lazy_and_agrees_with_numpy(space):
    X = np.random.default_rng(0).integers(0, 2, (3, *space)).astype(np.uint8)
    expected = solve_fe(X, E, NU)
    result = solve_fe(da.from_array(X, chunks=(2, *(2,) * len(space))), E, NU)
    assert set(result) == {"strain", "stress", "displacement"}
    for name, lazy in result.items():
        assert isinstance(lazy, da.Array)
        assert (lazy.shape, lazy.dtype, lazy.chunks[0]) == (expected[name].shape, np.float64, (2, 1))
        np.testing.assert_array_equal(lazy.compute(), expected[name])


def test_concurrent_threads_do_not_interfere():
    X = np.random.default_rng(0).integers(0, 2, (4, 4, 4))
    stress = solve_fe(da.from_array(X, chunks=(1, 4, 4)), E, NU)["stress"]
    np.testing.assert_array_equal(stress.compute(scheduler="threads", num_workers=4), solve_fe(X, E, NU)["stress"])


def test_empty_input_returns_empty_fields():
    assert solve_fe(np.zeros((0, 4, 4), int), E, NU)["displacement"].shape == (0, 5, 5, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_data": np.zeros((4, 4), int)}, r"shape \(4, 4\). Add the sample axis of a single structure"),
        ({"x_data": np.zeros((1, 1, 4), int)}, "at least 2 voxels per axis"),
        ({"x_data": np.zeros((1, 4, 4))}, "float64. Convert labels with astype"),
        ({"x_data": np.full((1, 4, 4), 2)}, "Labels from 0 to 1 are expected, .* labels from 2 to 2"),
        ({"x_data": np.full((1, 4, 4), -1)}, "labels from -1 to -1"),
        ({"poissons_ratio": (0.3,)}, "one number for each phase, but they have 2 and 1"),
        ({"elastic_modulus": (1.0, 0.0)}, "positive for every phase"),
        ({"elastic_modulus": (1.0, np.nan)}, "positive for every phase"),
        ({"elastic_modulus": (1.0, 1e-16)}, "1e-6 of the solid's modulus"),
        ({"poissons_ratio": (0.3, 0.5)}, "between -1 and 0.5"),
        ({"macro_strain": np.inf}, "macro_strain=inf"),
        ({"delta_x": 0}, "delta_x=0"),
    ],
)
def test_invalid_input_is_refused(change, message):
    settings = {"x_data": np.zeros((1, 4, 4), int), "elastic_modulus": E, "poissons_ratio": NU} | change
    with pytest.raises(InputError, match=message):
        solve_fe(**settings)


def test_dask_labels_out_of_range_are_detected_when_computed():
    lazy = solve_fe(da.from_array(np.full((1, 4, 4), 2), chunks=(1, 4, 4)), E, NU)
    with pytest.raises(InputError, match="labels from 2 to 2"):
        lazy["strain"].compute()
