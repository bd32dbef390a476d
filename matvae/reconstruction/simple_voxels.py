"""Simple voxels: those that can change their phase without merging, splitting, opening or closing anything nearby.

A voxel is simple for two phases if each of them touches it by faces in exactly one local piece, i.e. if all its
face neighbours of that phase are connected within the 3 x 3 (x 3) neighbourhood by voxels that share faces; in three
dimensions without the eight corners, which touch no face neighbour (after Bertrand & Malandain, Pattern Recognition
Letters 15, 169 (1994)).
"""

from __future__ import annotations

import itertools
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from .neighbourhoods import padded_by_one

CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def simple(labels: Tensor, pair: tuple[int, int], periodic: bool) -> Tensor:
    """Find the voxels of two phases that may exchange their phase for the other.

    Parameters
    ----------
    labels : Tensor ``(sample, *space)``
    pair : (int, int)
        The two phases.
    periodic : bool
        Whether a structure continues on its opposite side; if not, nothing lies outside.

    Returns
    -------
    Tensor of bool ``(sample, *space)``
    """
    here = torch.zeros_like(labels, dtype=torch.bool)
    one_piece = torch.ones_like(here)
    table = _one_piece(labels.ndim - 1).to(labels.device)
    for phase in pair:
        inside = labels == phase
        here |= inside
        one_piece &= table[_codes(inside, periodic)]
    return here & one_piece


def highest_nearby(scores: Tensor, periodic: bool) -> Tensor:
    """Mark voxels whose score exceeds those of all their neighbours, so that no two of them are neighbours.

    Parameters
    ----------
    scores : Tensor ``(sample, *space)``
        Minus infinity for voxels that are never chosen.
    periodic : bool
    """
    # Of equal neighbours, at most the one with the largest number of its own is chosen.
    order = torch.arange(scores[0].numel(), device=scores.device, dtype=torch.float64).view_as(scores[0])
    distinct = scores.double() + scores.nan_to_num(0, 0, 0).double().abs().amax() * 1e-9 * (order / order.numel())
    highest = padded_by_one(distinct.unsqueeze(1), periodic, -torch.inf).squeeze(1)
    for axis in range(1, scores.ndim):
        n = highest.shape[axis] - 2
        before, here, after = (highest.narrow(axis, step, n) for step in range(3))
        highest = torch.maximum(torch.maximum(before, here), after)
    return (distinct == highest) & torch.isfinite(scores)


def _codes(inside: Tensor, periodic: bool) -> Tensor:
    """Number ``(sample, *space)`` whose bits say which of the neighbours are inside."""
    ndim = inside.ndim - 1
    kernel = torch.zeros(3**ndim)
    for bit, place in enumerate(_neighbours(ndim)):
        kernel[sum((step + 1) * 3**axis for axis, step in enumerate(reversed(place)))] = 2.0**bit
    padded = padded_by_one(inside.unsqueeze(1).float(), periodic, 0.0)
    return CONVOLVE[ndim](padded, kernel.to(padded).view(1, 1, *[3] * ndim)).squeeze(1).round().long()


def _neighbours(ndim: int) -> list[tuple[int, ...]]:
    """Steps to the neighbours that share a face or an edge."""
    return [place for place in itertools.product((-1, 0, 1), repeat=ndim) if 1 <= sum(map(abs, place)) <= 2]


@cache
def _one_piece(ndim: int) -> Tensor:
    """Whether the face neighbours that a code contains are at least one, and connected, for every code."""
    places = torch.tensor(_neighbours(ndim))
    n = len(places)
    bits = (torch.arange(2**n).unsqueeze(1) >> torch.arange(n)) & 1 == 1
    faces = bits & (places.abs().sum(1) == 1)
    touching = ((places.unsqueeze(1) - places).abs().sum(2) == 1).float()
    first = (faces.cumsum(1) == 1) & faces
    reached = first
    for _ in range(n):
        grown = bits & (reached | (reached.float() @ touching > 0))
        if torch.equal(grown, reached):
            break
        reached = grown
    return faces.any(1) & (faces <= reached).all(1)
