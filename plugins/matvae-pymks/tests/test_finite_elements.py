"""Finite elements: agreement with PyMKS's own solution, both solvers, and no side effects on the process."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

from matvae_pymks.finite_elements import fresh_sfepy, import_solver, solve_structure

# sfepy uses deprecated names of pyparsing.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def properties(space: tuple[int, ...]) -> np.ndarray:
    phases = np.array([[0.6, 0.4], [0.1, 0.02]])
    return phases[np.random.default_rng(0).integers(0, 2, space)]


@pytest.mark.parametrize("space", [(5, 4), (3, 2, 3)])
def test_solution_agrees_with_the_steps_of_pymks(space):
    """The reference calls PyMKS's functions up to the one that fails, with a direct solver also in 3-D."""
    solver, moduli = import_solver(), properties(space)
    with fresh_sfepy():
        problem = solver.get_problem(solver.get_fields(space, 1.0), moduli, 1.0, 1.0)
        solution = problem.solve()
        expected = {name: solver.get_stress_strain_data(problem, space, name) for name in ("strain", "stress")}
    fields = solve_structure(moduli)
    for name, values in expected.items():
        np.testing.assert_allclose(fields[name], values, atol=1e-9)
    nodes = solution()[: fields["displacement"].size].reshape(fields["displacement"].shape)
    np.testing.assert_allclose(fields["displacement"], nodes, atol=1e-9)


def test_cache_of_sfepy_neither_affects_the_solution_nor_changes():
    """The cache holds wrong node pairs, as from an earlier mesh with the same number of nodes."""
    from sfepy.discrete.fem.periodic import periodic_cache

    moduli = properties((3, 2, 3))
    expected = solve_structure(moduli)["stress"]
    with fresh_sfepy():
        solver = import_solver()
        solver.get_problem(solver.get_fields((3, 2, 3), 1.0), moduli, 1.0, 1.0)
        wrong = {key: (pair[0], pair[1][::-1].copy()) for key, pair in periodic_cache.items()}
    assert wrong
    original = dict(periodic_cache)
    periodic_cache.update(wrong)
    try:
        np.testing.assert_array_equal(solve_structure(moduli)["stress"], expected)
        assert periodic_cache == {**original, **wrong}
    finally:
        periodic_cache.clear()
        periodic_cache.update(original)


def test_shear_moduli_equal_those_of_pymks():
    from matvae_pymks.elastic import _lame

    for dimension in (2, 3):
        expected = import_solver()._convert_properties(dimension, (3.0, 5.0), (0.3, -0.2))
        np.testing.assert_allclose(_lame((3.0, 5.0), (0.3, -0.2), dimension), expected)


def test_solving_changes_no_settings_and_prints_nothing(capfd):
    from sfepy.base.base import output
    from sfepy.base.goptions import goptions

    assert import_solver() is import_solver()
    filters, output_state = list(warnings.filters), dict(vars(output))
    solve_structure(properties((3, 3)))
    assert warnings.filters == filters
    assert vars(output) == output_state
    assert goptions["verbose"]
    assert capfd.readouterr() == ("", "")


def test_settings_are_restored_after_an_error():
    from sfepy.base.goptions import goptions

    def fail() -> None:
        with fresh_sfepy():
            assert not goptions["verbose"]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert goptions["verbose"]


@pytest.mark.parametrize(("missing", "install"), [("sfepy", "'matvae-pymks[fe]'"), ("pymks", "matvae-pymks")])
def test_missing_package_is_reported(missing, install):
    code = f"""
import sys
import numpy as np
sys.modules[{missing!r}] = None
from matvae.errors import MissingExtraError
from matvae_pymks import solve_fe
try:
    solve_fe(np.zeros((1, 3, 3), int), (1.0,), (0.3,))
except MissingExtraError as error:
    print(error)
"""
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert completed.stdout.strip().endswith(f"with: pip install {install}"), completed
