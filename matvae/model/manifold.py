"""Polynomial manifolds: PC scores of statistics as polynomials of the latent, of first or second order.

A manifold of first order is PCA. One of second order bends with the data: since 2-point statistics are quadratic in the
structure, they lie close to such a surface of few dimensions (quadratic manifolds: Geelen, Wright & Willcox, Computer
Methods in Applied Mechanics and Engineering 403, 115717 (2023)). Both are fitted without gradient descent: the
coefficients by ridge regression, the latents by Gauss-Newton steps, in turns.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Penalty of squared coefficients relative to the number of samples; linear terms are hardly penalised.
RIDGE = 1e-2
LINEAR_RIDGE = 1e-4
# Turns of regression and search; the error hardly falls afterwards.
ROUNDS = 8
SEARCH_STEPS = 20
# Samples whose latents are searched at once.
BLOCK = 2048


def n_terms(n_components: int, order: int) -> int:
    """Number of terms of a polynomial of first or second order."""
    return 1 + n_components + (n_components * (n_components + 1) // 2 if order == 2 else 0)


def terms(z: Tensor, order: int) -> Tensor:
    """Terms ``(sample, term)`` of latents ``(sample, component)``: 1, z_i and, at second order, z_i z_j for i <= j."""
    linear = torch.cat([torch.ones_like(z[:, :1]), z], dim=1)
    if order == 1:
        return linear
    i, j = torch.triu_indices(z.shape[1], z.shape[1], device=z.device)
    return torch.cat([linear, z[:, i] * z[:, j]], dim=1)


def jacobian(z: Tensor, coefficients: Tensor, order: int) -> Tensor:
    """Derivatives ``(sample, component, score)`` of ``terms(z, order) @ coefficients``."""
    n = z.shape[1]
    linear = coefficients[1 : 1 + n].expand(len(z), -1, -1)
    if order == 1:
        return linear
    i, j = torch.triu_indices(n, n, device=z.device)
    curvature = coefficients.new_zeros(n, n, coefficients.shape[1])
    curvature[i, j] += coefficients[1 + n :]
    curvature[j, i] += coefficients[1 + n :]
    return linear + torch.einsum("sj,jik->sik", z, curvature)


def regression(z: Tensor, values: Tensor, order: int) -> Tensor:
    """Coefficients ``(term, column)`` of the polynomial of latents that is closest to values ``(sample, column)``."""
    design = terms(z, order)
    penalty = torch.full((design.shape[1],), RIDGE, dtype=z.dtype, device=z.device)
    penalty[: 1 + z.shape[1]] = LINEAR_RIDGE
    penalty[0] = 0.0
    gram = design.T @ design + torch.diag(len(z) * penalty)
    return torch.linalg.solve(gram, design.T @ values)


def search(scores: Tensor, z: Tensor, coefficients: Tensor, order: int, steps: int = SEARCH_STEPS) -> Tensor:
    """Latents whose polynomial is closest to the scores, by Levenberg-Marquardt steps from a start.

    Parameters
    ----------
    scores : Tensor ``(sample, score)``
    z : Tensor ``(sample, component)``
        Start.
    coefficients : Tensor ``(term, score)``
    order : int
    steps : int

    Returns
    -------
    Tensor ``(sample, component)``
        No farther from the scores than the start; each independent of the other samples.
    """
    blocks = zip(scores.split(BLOCK), z.split(BLOCK), strict=True)
    return torch.cat([_search_block(target, start, coefficients, order, steps) for target, start in blocks])


def _search_block(scores: Tensor, z: Tensor, coefficients: Tensor, order: int, steps: int) -> Tensor:
    identity = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    damping = z.new_full((len(z), 1, 1), 1e-2)
    residual = scores - terms(z, order) @ coefficients
    loss = residual.square().sum(1)
    for _ in range(steps):
        slopes = jacobian(z, coefficients, order)
        normal = slopes @ slopes.mT
        scale = normal.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-12)[:, None, None]
        gradient = (slopes @ residual.unsqueeze(-1)).squeeze(-1)
        moved = z + torch.linalg.solve(normal + damping * scale * identity, gradient)
        moved_residual = scores - terms(moved, order) @ coefficients
        moved_loss = moved_residual.square().sum(1)
        better = moved_loss < loss
        z = torch.where(better[:, None], moved, z)
        residual = torch.where(better[:, None], moved_residual, residual)
        loss = torch.where(better, moved_loss, loss)
        damping = torch.where(better[:, None, None], 0.3 * damping, 4 * damping).clamp(1e-8, 1e8)
    return z


def whitened(z: Tensor) -> Tensor:
    """Latents with zero mean, unit variance and no correlations, as close as possible to the given ones."""
    centred = z - z.mean(0)
    _, singular, rotation = torch.linalg.svd(centred, full_matrices=False)
    # A component without variation stays as it is.
    scale = (singular / len(z) ** 0.5).clamp_min(1e-9 * singular[0].clamp_min(1e-300))
    return centred @ rotation.T / scale @ rotation


def start_latents(scores: Tensor, n_components: int) -> Tensor:
    """Whitened leading PC scores ``(sample, component)``: the latents of PCA."""
    leading = scores[:, :n_components]
    return leading / leading.std(0, correction=0).clamp_min(1e-12)
