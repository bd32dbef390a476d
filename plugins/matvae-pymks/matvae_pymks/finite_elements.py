"""Finite-element solution of one structure with PyMKS and current sfepy, without side effects on the process."""

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
    """Import PyMKS's finite-element module, and the parts of sfepy that it uses.

    Raises
    ------
    MissingExtraError
        If sfepy or PyMKS is not installed.
    """
    # sfepy first: without it PyMKS's module raises pytest's Skipped, which is not an ordinary exception.
    for name in _MODULES:
        import_quietly(name, needed="sfepy, which solve_fe requires,", install="pip install 'matvae-pymks[fe]'")
    import_pymks()
    with fresh_sfepy():
        return import_pymks("pymks.fmks.data.elastic_fe")


@contextmanager
def fresh_sfepy() -> Iterator[None]:
    """Silence sfepy and clear its cache, one thread at a time, and restore its global state afterwards.

    sfepy (2026.3) caches the matching nodes of opposite faces by their number only: a mesh whose faces have as many
    nodes as those of an earlier mesh, but in another arrangement, would get the wrong periodic pairs.
    """
    from sfepy.base.base import output
    from sfepy.base.goptions import goptions
    from sfepy.discrete.fem.periodic import periodic_cache

    with _LOCK:
        verbose, output_state, cached = goptions["verbose"], dict(vars(output)), dict(periodic_cache)
        goptions["verbose"] = False
        output.set_output(quiet=True)
        periodic_cache.clear()
        try:
            yield
        finally:
            goptions["verbose"] = verbose
            vars(output).update(output_state)
            periodic_cache.clear()
            periodic_cache.update(cached)


def solve_structure(properties: np.ndarray) -> dict[str, np.ndarray]:
    """Solve one structure with unit voxels under unit mean strain along its first axis.

    sfepy's tolerances are absolute, so moduli should be of the order of 1.

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
        If the iterative solver, which is used in 3-D, does not converge.
    """
    solver, space = import_solver(), properties.shape[:-1]
    with fresh_sfepy():
        problem = solver.get_problem(solver.get_fields(space, 1.0), properties, 1.0, 1.0)
        status = _set_equations_solver(problem, iterate=len(space) == 3)
        solution = problem.solve(save_results=False)
        if not status["err"] <= 1e-6 * status["err0"]:
            raise InputError(
                "The equations of elasticity of a structure could not be solved: the residual forces are "
                f"{status['err'] / status['err0']:.1g} of the initial ones. Use phases whose moduli differ less."
            )
        fields = {name: solver.get_stress_strain_data(problem, space, name) for name in ("strain", "stress")}
        displacement = solution.create_output()["u"].data
    fields["displacement"] = displacement.reshape(*(n + 1 for n in space), len(space))
    return fields


def _set_equations_solver(problem: Any, iterate: bool) -> dict[str, float]:
    """Choose a direct solver, as PyMKS does, or conjugate gradients, several times faster in 3-D; return its status."""
    from sfepy.solvers.ls import ScipyDirect, ScipyIterative
    from sfepy.solvers.nls import Newton

    linear_solver = (
        ScipyIterative({}, method="cg", eps_r=1e-11, eps_a=0.0, i_max=20_000, setup_precond=_jacobi_preconditioner)
        if iterate
        else ScipyDirect({})
    )
    evaluator, status = problem.get_evaluator(), dict[str, float]()
    functions = {"fun": evaluator.eval_residual, "fun_grad": evaluator.eval_tangent_matrix}
    problem.set_solver(Newton({}, lin_solver=linear_solver, status=status, **functions))
    return status


def _jacobi_preconditioner(matrix: Any, context: Any) -> Any:
    return sparse.diags_array(1 / matrix.diagonal())
