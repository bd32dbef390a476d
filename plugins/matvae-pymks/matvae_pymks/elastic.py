"""Linear elasticity of structures with PyMKS's finite elements: solve_fe for current sfepy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask
import dask.array as da
import numpy as np

from matvae.errors import InputError

from .finite_elements import import_solver, solve_structure

_LARGEST_CONTRAST = 1e10


def solve_fe(
    x_data: Any,
    elastic_modulus: Sequence[float],
    poissons_ratio: Sequence[float],
    macro_strain: float = 1.0,
    delta_x: float = 1.0,
) -> dict[str, Any]:
    """Compute strain, stress and displacement of periodic structures under uniaxial mean strain.

    The mean strain is `macro_strain` along the first axis of space ("x", rows) and zero otherwise, so the mean of the
    first stress component divided by `macro_strain` is the effective stiffness C11. Each voxel is one element with
    quadratic displacements; the equations are solved directly in 2-D and by conjugate gradients in 3-D.

    PyMKS's own function fails with current sfepy (2026.3) when it reads the displacement, because it calls a method
    that has been removed (``create_output_dict``); its import also silences sfepy, and every FutureWarning, in the
    whole process. This function sets up the problem with PyMKS, solves it in units that suit sfepy's absolute
    tolerances, and changes no settings.

    Parameters
    ----------
    x_data : array ``(sample, *space)``
        Phase labels from 0 in 2-D or 3-D; numpy, or dask in chunks of samples.
    elastic_modulus : tuple of float
        Young's modulus of each phase, in any unit.
    poissons_ratio : tuple of float
        Poisson's ratio of each phase, between -1 and 0.5.
    macro_strain : float
        Mean strain along x.
    delta_x : float
        Voxel size, which sets the unit of displacements.

    Returns
    -------
    dict
        ``"strain"`` and ``"stress"`` ``(sample, *space, component)``: voxel means of xx, yy, xy in 2-D and xx, yy, zz,
        xy, xz, yz in 3-D, with engineering shear strains (twice the tensor components); ``"displacement"``
        ``(sample, *(space + 1), axis)`` at the corners of the voxels. Stress has the unit of `elastic_modulus`.
        float64; numpy, or lazy dask for dask.

    Raises
    ------
    MissingExtraError
        If sfepy or PyMKS is not installed.
    InputError
        If labels are not integers in 2-D or 3-D, or a phase lacks its modulus or ratio. Dask labels that are out of
        range are detected when the result is computed.

    Notes
    -----
    Results are those of PyMKS, with two peculiarities. In 2-D PyMKS scales the shear modulus by 2/3, so that the bulk
    modulus K is the same in 2-D and 3-D: C11 of a single phase is ``K + mu'`` with ``K = E / (3 (1 - 2 nu))`` and
    ``mu' = (2/3) E / (2 (1 + nu))``, which is neither plane strain nor plane stress. It also leaves the x displacement
    of the last mid-side nodes before the far x side free instead of periodic: translating a structure changes its C11
    by a fraction of about 1e-5 if the moduli differ by a factor of 2, and 1e-3 if they differ by 100.

    Each process solves one structure at a time, because sfepy's settings are global: threads wait for each other. To
    use several cores, use dask's process scheduler: ``dask.compute(result, scheduler="processes")``. Unlike PyMKS's,
    this function is not curried; use `functools.partial`.

    Examples
    --------
    >>> import numpy as np
    >>> from matvae_pymks import solve_fe
    >>> layers = np.zeros((1, 4, 4), int)
    >>> layers[:, :2] = 1
    >>> stress = solve_fe(layers, elastic_modulus=(1, 3), poissons_ratio=(0, 0), macro_strain=0.1)["stress"]
    >>> print(stress[..., 0].mean().round(6))  # in series: the harmonic mean 1.5 of the moduli, times 2/3 and 0.1
    0.1
    """
    labels = x_data if isinstance(x_data, da.Array) else np.asarray(x_data)
    _check_structures(labels)
    _check_numbers(elastic_modulus, poissons_ratio, macro_strain, delta_x)
    arguments = (tuple(elastic_modulus), tuple(poissons_ratio), float(macro_strain), float(delta_x))
    import_solver()
    if isinstance(labels, np.ndarray):
        return _solve_block(labels, *arguments)

    labels = labels.rechunk(dict.fromkeys(range(1, labels.ndim), -1))
    solve = dask.delayed(_solve_block, pure=True)
    solved = [solve(block, *arguments) for block in labels.to_delayed().ravel()]
    return {
        name: da.concatenate(
            [
                da.from_delayed(block[name], (n_samples, *shape), dtype=float)
                for block, n_samples in zip(solved, labels.chunks[0], strict=True)
            ]
        )
        for name, shape in _shapes(labels.shape[1:]).items()
    }


def _shapes(space: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Shape of each result for one structure."""
    components = {2: 3, 3: 6}[len(space)]
    return {
        "strain": (*space, components),
        "displacement": (*(n + 1 for n in space), len(space)),
        "stress": (*space, components),
    }


def _solve_block(
    labels: np.ndarray, modulus: Sequence[float], ratio: Sequence[float], macro_strain: float, delta_x: float
) -> dict[str, np.ndarray]:
    """Solve structures ``(sample, *space)`` one by one."""
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < len(modulus):
        raise InputError(
            f"Labels from 0 to {len(modulus) - 1} are expected, because {len(modulus)} phases have a modulus and a "
            f"ratio, but the structures have labels from {labels.min()} to {labels.max()}. Pass one of each for every "
            "phase."
        )
    space = labels.shape[1:]
    results = {name: np.empty((len(labels), *shape)) for name, shape in _shapes(space).items()}
    # The problem is linear: it is solved for unit strain, unit voxels and moduli up to 1, and then scaled.
    stress_unit = float(max(modulus))
    scale = {"strain": macro_strain, "displacement": macro_strain * delta_x, "stress": macro_strain * stress_unit}
    lame = _lame([E / stress_unit for E in modulus], ratio, len(space))
    for i, structure in enumerate(labels.astype(np.intp)):
        for name, values in solve_structure(lame[structure]).items():
            results[name][i] = scale[name] * values
    return results


def _lame(modulus: Sequence[float], ratio: Sequence[float], dimension: int) -> np.ndarray:
    """Lame's first parameter and PyMKS's shear modulus ``(phase, 2)``; in 2-D the latter is 2/3 of the true one."""
    E, nu = np.asarray(modulus, float), np.asarray(ratio, float)
    return np.stack([E * nu / ((1 + nu) * (1 - 2 * nu)), dimension / 3 * E / (2 * (1 + nu))], axis=-1)


def _check_structures(labels: Any) -> None:
    if labels.ndim not in (3, 4) or min(labels.shape[1:]) < 2:
        raise InputError(
            "Structures (sample, *space) in 2-D or 3-D, with at least 2 voxels per axis, are expected, but the array "
            f"has shape {tuple(labels.shape)}. Add the sample axis of a single structure with structure[None]."
        )
    if labels.dtype.kind not in "iub":
        raise InputError(
            f"Phase labels must be integers from 0, but the array has type {labels.dtype}. Convert labels with "
            "astype(int); a continuous field must be segmented first."
        )


def _check_numbers(modulus: Sequence[float], ratio: Sequence[float], macro_strain: float, delta_x: float) -> None:
    if len(modulus) != len(ratio) or not len(modulus):
        raise InputError(
            "elastic_modulus and poissons_ratio must have one number for each phase, but they have "
            f"{len(modulus)} and {len(ratio)}."
        )
    if not all(np.isfinite(E) and E > 0 for E in modulus):
        raise InputError(f"elastic_modulus must be positive for every phase, but {tuple(modulus)} was given.")
    if max(modulus) / min(modulus) > _LARGEST_CONTRAST:
        raise InputError(
            f"The elastic moduli may differ by a factor of up to {_LARGEST_CONTRAST:.0e}, beyond which rounding errors "
            f"dominate, but {tuple(modulus)} was given. For pores use 1e-6 of the solid's modulus."
        )
    if not all(-1 < nu < 0.5 for nu in ratio):
        raise InputError(
            "poissons_ratio must lie between -1 and 0.5 for every phase, because a solid is unstable otherwise, but "
            f"{tuple(ratio)} was given. For a nearly incompressible phase use 0.49."
        )
    if not np.isfinite(macro_strain) or not (np.isfinite(delta_x) and delta_x > 0):
        raise InputError(
            "macro_strain must be a finite number and delta_x a positive one, but "
            f"macro_strain={macro_strain!r} and delta_x={delta_x!r} were given."
        )
