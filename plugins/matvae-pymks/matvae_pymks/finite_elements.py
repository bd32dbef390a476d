"""One structure by PyMKS's finite elements, on today's sfepy and without traces in the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from matvae.errors import InputError

from .upstream import import_pymks, import_quietly

_LOCK = threading.RLock()
_MODULES = (
    "sfepy.base.base",
    "sfepy.base.goptions",
    "sfepy.discrete.fem.periodic",
    "sfepy.discrete.fem.poly_spaces",
    "sfepy.solvers.nls",
)


@cache
def import_solver() -> ModuleType:
    """Import PyMKS's module of finite elements, and all of sfepy that it uses.

    Raises
    ------
    MissingExtraError
        If sfepy or PyMKS is not installed.
    """
    # sfepy first: where it is missing, PyMKS's module ends with pytest's Skipped, which is no ordinary error.
    for name in _MODULES:
        import_quietly(name, needed="sfepy, with which solve_fe works,", install="pip install 'matvae-pymks[fe]'")
    import_pymks()
    with fresh_sfepy():
        return import_pymks("pymks.fmks.data.elastic_fe")


@contextmanager
def fresh_sfepy() -> Iterator[None]:
    """Keep sfepy quiet and without memory, one thread at a time, and give its global state back afterwards.

    sfepy (2026.3) remembers which nodes of opposite faces match by how many there are: a mesh whose faces have as many
    nodes as those of an earlier one, laid out otherwise, would be made periodic by the wrong pairs.
    """
    from sfepy.base.base import output
    from sfepy.base.goptions import goptions
    from sfepy.discrete.fem.periodic import periodic_cache

    with _LOCK:
        verbose, printing, matches = goptions["verbose"], dict(vars(output)), dict(periodic_cache)
        goptions["verbose"] = False
        output.set_output(quiet=True)
        periodic_cache.clear()
        try:
            yield
        finally:
            goptions["verbose"] = verbose
            vars(output).update(printing)
            periodic_cache.clear()
            periodic_cache.update(matches)


def solve_structure(properties: np.ndarray) -> dict[str, np.ndarray]:
    """Fields of one structure with unit voxels under unit mean strain along its first axis.

    sfepy's tolerances are absolute: give moduli near 1.

    Parameters
    ----------
    properties : array ``(*space, 2)``
        Lame's first parameter and the shear modulus of each voxel.

    Returns
    -------
    dict
        ``"strain"`` and ``"stress"`` ``(*space, component)``, ``"displacement"`` ``(*(space + 1), axis)``.

    Raises
    ------
    InputError
        If the iteration, which 3-D takes, does not converge.
    """
    solver, space = import_solver(), properties.shape[:-1]
    with fresh_sfepy():
        problem = solver.get_problem(solver.get_fields(space, 1.0), properties, 1.0, 1.0)
        status = _set_equations_solver(problem, iterate=len(space) == 3)
        solution = problem.solve(save_results=False)
        if not status["err"] <= 1e-6 * status["err0"]:
            raise InputError(
                "The equations of elasticity of a structure could not be solved: the forces that are left are "
                f"{status['err'] / status['err0']:.1g} of those at the start. Use phases whose moduli differ less."
            )
        fields = {name: solver.get_stress_strain_data(problem, space, name) for name in ("strain", "stress")}
        displacement = solution.create_output()["u"].data
    fields["displacement"] = displacement.reshape(*(n + 1 for n in space), len(space))
    return fields


def _set_equations_solver(problem: Any, iterate: bool) -> dict[str, float]:
    """Direct, as PyMKS does; or by conjugate gradients, several times faster in 3-D. Gives where the status will be."""
    from sfepy.solvers.ls import ScipyDirect, ScipyIterative
    from sfepy.solvers.nls import Newton

    equations = (
        ScipyIterative({}, method="cg", eps_r=1e-11, eps_a=0.0, i_max=20_000, setup_precond=_diagonal)
        if iterate
        else ScipyDirect({})
    )
    evaluator, status = problem.get_evaluator(), dict[str, float]()
    functions = {"fun": evaluator.eval_residual, "fun_grad": evaluator.eval_tangent_matrix}
    problem.set_solver(Newton({}, lin_solver=equations, status=status, **functions))
    return status


def _diagonal(matrix: Any, context: Any) -> Any:
    return sparse.diags_array(1 / matrix.diagonal())
