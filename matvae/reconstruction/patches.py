"""Patches: the windows that cover a field, and a dictionary of patches of examples with nearest-neighbour search.

Patches are compared by the Gaussian-weighted squared difference of their phase fields, after a projection onto the
leading principal components of the dictionary, which makes the search one matrix product.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Standard deviation of the Gaussian weight of a patch, in units of its edge.
SPREAD = 0.3
# Patches that are compared with the whole dictionary at once: few enough for their distances to stay in the cache.
AT_ONCE = 256


def patch_weights(patch: int, ndim: int) -> Tensor:
    """Gaussian weights ``(voxel,)`` of the voxels of a cubic patch, largest in its centre."""
    line = torch.exp(-0.5 * ((torch.arange(patch) - (patch - 1) / 2) / (SPREAD * patch)).square())
    weights = line
    for _ in range(ndim - 1):
        weights = (weights.unsqueeze(-1) * line).flatten()
    return weights


def patch_offsets(shape: Sequence[int], patch: int, spacing: int = 1) -> Tensor:
    """Offsets ``(voxel,)`` of the voxels of a patch from its first one, in a flattened array of the given shape."""
    steps = [math.prod(shape[axis + 1 :]) * spacing for axis in range(len(shape))]
    return torch.tensor([sum(a * b for a, b in zip(place, steps, strict=True)) for place in _places(patch, len(shape))])


def _places(patch: int, ndim: int) -> list[tuple[int, ...]]:
    return list(itertools.product(range(patch), repeat=ndim))


def tiling(
    shape: Sequence[int], patch: int, stride: int, start: Sequence[int], periodic: bool, *, at_once: int = 1 << 12
) -> Iterator[Tensor]:
    """Yield indices ``(patch, voxel)`` into a flattened field of patches that together cover it.

    Parameters
    ----------
    shape : sequence of int
        Shape of the field.
    patch : int
        Edge of a patch, not longer than the field.
    stride : int
        Distance of neighbouring patches along each axis.
    start : sequence of int
        Position of the first patch along each axis, smaller than `stride`.
    periodic : bool
        Whether patches continue on the opposite side; if not, all lie inside.
    at_once : int
        Largest number of patches of one array, which bounds the memory.
    """
    voxels = []
    for n, first in zip(shape, start, strict=True):
        if periodic:
            corners = torch.arange(first, n, stride)
        else:
            # The patches at both ends touch the border, so that no voxel remains without one.
            corners = torch.arange(first - stride, n - patch + stride, stride).clamp(0, n - patch).unique()
        voxels.append((corners.unsqueeze(1) + torch.arange(patch)) % n)
    numbers = torch.arange(math.prod(map(len, voxels)))
    for part in numbers.split(at_once):
        index = torch.zeros(len(part), 1, dtype=torch.long)
        for n, along, corner in zip(shape, voxels, torch.unravel_index(part, [len(v) for v in voxels]), strict=True):
            index = (index.unsqueeze(2) * n + along[corner].unsqueeze(1)).flatten(1)
        yield index


@dataclass(frozen=True)
class Dictionary:
    """Example patches of one size at one level.

    Parameters
    ----------
    patches : Tensor ``(patch, phase, voxel)``
        Phase fields of the example patches.
    components : Tensor ``(phase * voxel, component)``
        Weighted projection of a patch.
    codes : Tensor ``(component, patch)``
        Projections of the example patches.
    half_norms : Tensor ``(patch,)``
        Half of their squared norms.
    """

    patches: Tensor
    components: Tensor
    codes: Tensor
    half_norms: Tensor

    def nearest(self, queries: Tensor) -> Tensor:
        """Index ``(query,)`` of the example patch nearest to each of the patches ``(query, phase, voxel)``."""
        codes = queries.flatten(1) @ self.components
        best = [torch.addmm(-self.half_norms, part, self.codes).argmax(1) for part in codes.split(AT_ONCE)]
        return torch.cat(best)


def build_dictionary(
    fields: Tensor, patch: int, spacing: int, n_patches: int, n_components: int, rng: np.random.Generator
) -> Dictionary:
    """Draw example patches at random positions, and their principal components.

    Parameters
    ----------
    fields : Tensor ``(example, phase, *space)``
        Sliding means of the examples.
    patch : int
        Edge of a patch, in voxels of the level.
    spacing : int
        Edge of such a voxel in voxels of `fields`.
    n_patches : int
        Number of patches; fewer if the examples have fewer positions.
    n_components : int
        Number of principal components.
    rng : numpy Generator
    """
    shape = tuple(fields.shape[2:])
    extents = [n - (patch - 1) * spacing for n in shape]
    n_positions = len(fields) * math.prod(extents)
    chosen = np.sort(rng.choice(n_positions, min(n_patches, n_positions), replace=False))
    example, *corner = np.unravel_index(chosen, (len(fields), *extents))
    first = torch.from_numpy(np.ravel_multi_index(tuple(corner), shape)).to(fields.device)
    index = first.unsqueeze(1) + patch_offsets(shape, patch, spacing).to(fields.device)
    rows = torch.from_numpy(example).to(fields.device)
    patches = fields.flatten(2)[rows.unsqueeze(1), :, index].movedim(2, 1).contiguous()
    root = patch_weights(patch, len(shape)).to(patches).sqrt()
    weighted = (patches * root).flatten(1)
    axes = _leading(weighted - weighted.mean(0), n_components, rng)
    codes = weighted @ axes
    components = (axes.view(patches.shape[1], -1, axes.shape[1]) * root.view(1, -1, 1)).flatten(0, 1)
    return Dictionary(patches, components, codes.T.contiguous(), codes.square().sum(1) / 2)


def _leading(rows: Tensor, n_components: int, rng: np.random.Generator) -> Tensor:
    """Leading principal axes ``(column, component)`` by subspace iteration from a random start."""
    n = min(n_components, *rows.shape)
    basis = torch.from_numpy(rng.standard_normal((rows.shape[1], n)).astype(np.float32)).to(rows)
    for _ in range(4):
        basis = torch.linalg.qr(rows.T @ (rows @ basis)).Q
    return basis
