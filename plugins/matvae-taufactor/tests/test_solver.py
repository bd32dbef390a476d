"""The solver: equal to the equations of finite volumes, solved directly; where TauFactor alone goes wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.sparse.linalg import spsolve

from matvae_taufactor import percolating
from matvae_taufactor.solver import Walls, relative_diffusivity

CPU = torch.device("cpu")


def direct(inside: np.ndarray, periodic: bool) -> float:
    """Conductors of 1 between the centres of neighbouring voxels, and of 2 to the walls, half a voxel away."""
    n, length = inside.size, len(inside)
    places = np.arange(n).reshape(inside.shape)
    pairs = []
    for axis in range(inside.ndim):
        around = axis > 0 and periodic
        here = places if around else places.take(range(inside.shape[axis] - 1), axis)
        there = np.roll(places, -1, axis) if around else places.take(range(1, inside.shape[axis]), axis)
        both = inside.ravel()[here] & inside.ravel()[there]
        pairs.append(np.stack([here[both], there[both]]))
    i, j = np.concatenate(pairs, axis=1)
    links = sparse.coo_array((np.ones(len(i)), (i, j)), shape=(n, n)).tocsr()
    links = links + links.T
    first, last = np.zeros(n), np.zeros(n)
    first[places[0]], last[places[-1]] = 2, 2
    keep = np.flatnonzero(inside)
    matrix = sparse.diags_array(links.sum(axis=1) + first + last) - links
    field = spsolve(matrix.tocsc()[keep][:, keep], first[keep])
    return float(last[keep] @ field) * length / (n / length)


def blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random, and connected to both sides."""
    noise = np.fft.fftn(np.random.default_rng(seed).normal(size=shape))
    decay = np.exp(-30 * sum(f**2 for f in np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")))
    field = np.fft.ifftn(noise * decay).real
    return percolating(field > np.quantile(field, 0.2), periodic=False)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(16, 16), (12, 11), (13, 1, 8), (8, 7, 6), (9, 5, 5)])
def test_solution_is_that_of_the_equations_solved_directly(shape, periodic):
    inside = blobs(shape)
    assert inside.any()
    found = relative_diffusivity(inside, periodic, 1e-4, 10_000, CPU)
    assert found == pytest.approx(direct(inside, periodic), rel=2e-4)


def test_tolerance_bounds_the_error():
    inside = blobs((32, 32), seed=2)
    found = relative_diffusivity(inside, True, 1e-2, 10_000, CPU)
    assert found == pytest.approx(direct(inside, True), rel=1e-2)


def test_plane_takes_as_few_iterations_as_walls():
    inside = blobs((32, 32), seed=2)
    assert relative_diffusivity(inside, False, 1e-3, 500, CPU) is not None
    assert relative_diffusivity(inside, True, 1e-3, 500, CPU) is not None


def test_without_convergence_there_is_no_number_and_no_word(capsys):
    assert relative_diffusivity(blobs((32, 32)), True, 1e-9, 200, CPU) is None
    assert capsys.readouterr() == ("", "")


def test_reason_for_testing_percolation_first():
    """Layers across the flow, of which TauFactor makes a number that has no meaning, or iterates to the end."""
    layers = np.ones((8, 8, 1), np.uint8)
    layers[4] = 0
    solver = Walls(layers, device="cpu")
    with np.errstate(all="ignore"):
        solver.solve(iter_limit=1000, verbose=False)
    assert not solver.converged or not 0 < float(solver.D_eff[0]) <= 1
