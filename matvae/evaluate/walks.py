"""Walks through the latent space, one component at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Walk:
    """Structures along latent components.

    Parameters
    ----------
    components : array of int ``(component,)``
        The one with the largest standard deviation first.
    steps : array ``(step,)``
        Distances from the start, in standard deviations of the component.
    structures : array ``(component, step, *space)``
    """

    components: np.ndarray
    steps: np.ndarray
    structures: np.ndarray


def walk(
    estimator: Any, latents: np.ndarray, *, steps: Sequence[float], n_components: int, random_state: int = 0
) -> Walk:
    """Decode structures along the components that vary most.

    All walks start at the same latent, that of the structure nearest to the centre of the set (see `central_latent`),
    from which one structure is decoded.

    Parameters
    ----------
    estimator : fitted estimator
        With `inverse_transform`.
    latents : array ``(sample, component)``
        Of the structures that define centre and standard deviations.
    steps : sequence of float
        Distances from the start, in standard deviations.
    n_components : int
        Number of components to walk along; fewer where the latents have fewer.
    random_state : int
        As in `measure`.

    Returns
    -------
    Walk
    """
    deviations = latents.std(axis=0)
    components = np.argsort(-deviations, kind="stable")[:n_components]
    points = np.tile(central_latent(latents), (len(components), len(steps), 1))
    for row, component in enumerate(components):
        points[row, :, component] += np.asarray(steps, dtype=points.dtype) * deviations[component]
    # A structure can take a second, and all walks share their start.
    distinct, places = np.unique(points.reshape(-1, points.shape[-1]), axis=0, return_inverse=True)
    decoded = np.asarray(estimator.inverse_transform(distinct, random_state=random_state))
    structures = decoded[places.reshape(-1)]
    return Walk(components, np.asarray(steps), structures.reshape(*points.shape[:2], *structures.shape[1:]))


def central_latent(latents: np.ndarray) -> np.ndarray:
    """Latent ``(component,)`` nearest to the median of a set, in units of the standard deviation of each component.

    It belongs to a real structure, which the median itself, taken component by component, need not.
    """
    scaled = (latents - np.median(latents, axis=0)) / np.maximum(latents.std(axis=0), 1e-12)
    return latents[np.square(scaled).sum(axis=1).argmin()]
