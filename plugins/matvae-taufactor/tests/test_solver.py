"""Agreement of the solver with a direct solution of the finite-volume equations, also where TauFactor alone fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.sparse.linalg import spsolve

from matvae_taufactor import percolating
from matvae_taufactor.solver import ImpermeableSides, relative_diffusivity

CPU = torch.device("cpu")


def direct(inside: np.ndarray, periodic: bool) -> float:
    """Solve conductances of 1 between neighbouring voxels, and of 2 to the walls, which are half a voxel away."""
    n, length = inside.size, len(inside)
    indices = np.arange(n).reshape(inside.shape)
    pairs = []
    for axis in range(inside.ndim):
        wraps = axis > 0 and periodic
        source = indices if wraps else indices.take(range(inside.shape[axis] - 1), axis)
        destination = np.roll(indices, -1, axis) if wraps else indices.take(range(1, inside.shape[axis]), axis)
        connected = inside.ravel()[source] & inside.ravel()[destination]
        pairs.append(np.stack([source[connected], destination[connected]]))
    i, j = np.concatenate(pairs, axis=1)
    links = sparse.coo_array((np.ones(len(i)), (i, j)), shape=(n, n)).tocsr()
    links = links + links.T
    first, last = np.zeros(n), np.zeros(n)
    first[indices[0]], last[indices[-1]] = 2, 2
    keep = np.flatnonzero(inside)
    matrix = sparse.diags_array(links.sum(axis=1) + first + last) - links
    field = spsolve(matrix.tocsc()[keep][:, keep], first[keep])
    return float(last[keep] @ field) * length / (n / length)


def blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return a random structure whose voxels are all connected to both sides."""
    noise = np.fft.fftn(np.random.default_rng(seed).normal(size=shape))
    decay = np.exp(-30 * sum(f**2 for f in np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")))
    field = np.fft.ifftn(noise * decay).real
    return percolating(field > np.quantile(field, 0.2), periodic=False)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(16, 16), (12, 11), (13, 1, 8), (8, 7, 6), (9, 5, 5)])
def test_solution_agrees_with_a_direct_solver(shape, periodic):
    inside = blobs(shape)
    assert inside.any()
    diffusivity = relative_diffusivity(inside, periodic, 1e-4, 10_000, CPU)
    assert diffusivity == pytest.approx(direct(inside, periodic), rel=2e-4)


def test_tolerance_bounds_the_error():
    inside = blobs((32, 32), seed=2)
    diffusivity = relative_diffusivity(inside, True, 1e-2, 10_000, CPU)
    assert diffusivity == pytest.approx(direct(inside, True), rel=1e-2)


def test_periodic_image_takes_as_few_iterations_as_impermeable_sides():
    inside = blobs((32, 32), seed=2)
    assert relative_diffusivity(inside, False, 1e-3, 500, CPU) is not None
    assert relative_diffusivity(inside, True, 1e-3, 500, CPU) is not None


def test_without_convergence_nothing_is_returned_or_printed(capsys):
    assert relative_diffusivity(blobs((32, 32)), True, 1e-9, 200, CPU) is None
    assert capsys.readouterr() == ("", "")


def test_taufactor_alone_fails_without_percolation():
    """For layers across the flow TauFactor returns a meaningless number, or does not converge."""
    layers = np.ones((8, 8, 1), np.uint8)
    layers[4] = 0
    solver = ImpermeableSides(layers, device="cpu")
    with np.errstate(all="ignore"):
        solver.solve(iter_limit=1000, verbose=False)
    assert not solver.converged or not 0 < float(solver.D_eff[0]) <= 1
