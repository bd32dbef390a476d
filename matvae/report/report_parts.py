"""What the report of a model shows, measured and chosen: arrays and plain values, nothing drawn yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..grid import Grid


@dataclass(frozen=True)
class Examples:
    """Structures of the data, what became of them, and what else their latents give.

    Parameters
    ----------
    numbers : array of int ``(sample,)``
        Their places in the data.
    originals, reconstructions : array ``(sample, *space)``
    statistics, reconstructed_statistics : array ``(sample, *lag, correlation)``
    errors : array ``(sample,)``
        Relative errors of the statistics.
    realizations : array ``(sample, realization, *space)``
    realization_errors : array ``(sample, realization)``
    """

    numbers: np.ndarray
    originals: np.ndarray
    reconstructions: np.ndarray
    statistics: np.ndarray
    reconstructed_statistics: np.ndarray
    errors: np.ndarray
    realizations: np.ndarray
    realization_errors: np.ndarray


@dataclass(frozen=True)
class Similar:
    """Training structures most similar to some structures.

    Parameters
    ----------
    numbers : array of int ``(query, k)``
        Their places in the training set, nearest first.
    distances : array ``(query, k)``
        Mean squared differences.
    structures : array ``(query, k, *space)``
    own : array ``(query,)``
        Mean squared difference of what the model makes of each query.
    """

    numbers: np.ndarray
    distances: np.ndarray
    structures: np.ndarray
    own: np.ndarray


@dataclass(frozen=True)
class Traversal:
    """Structures along latent components, from the middle of the data.

    Parameters
    ----------
    components : array of int ``(component,)``
        Which, the one that varies most first.
    steps : array ``(step,)``
        How far, in standard deviations of the data's latents.
    structures : array ``(component, step, *space)``
    statistics : array ``(component, step, *lag)``
        The first correlation of these structures.
    """

    components: np.ndarray
    steps: np.ndarray
    structures: np.ndarray
    statistics: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """Structures found by an inverse design.

    Parameters
    ----------
    name : str
        Where they are from.
    structures : array ``(candidate, *space)``
    latents : array ``(candidate, component)``
        Those they were made of or, where these are unknown, where the model sees them.
    properties : mapping of str to array ``(candidate,)``
        Achieved values, ``NAME_spread`` and ``requested_NAME`` where there are such; ``out_of_distribution``.
    units : mapping of str to str
    reasons : sequence of (str or None)
        One a candidate: why it is not what was asked for. Empty where nobody says.
    region : str
        Where the search was kept, in a sentence; empty where nobody says.
    """

    name: str
    structures: np.ndarray
    latents: np.ndarray
    properties: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    reasons: Sequence[str | None] = ()
    region: str = ""


@dataclass(frozen=True)
class ReportParts:
    """All of it.

    Parameters
    ----------
    title : str
    version : str
        Of matvae.
    grid : Grid
        What one structure is.
    model, data, settings : mapping of str to str
        Facts, ready to be read.
    notes : sequence of str
        What to know before reading.
    history : sequence of dict
        Training records.
    pairs : sequence of (int, int)
        Phases of the correlations.
    numbers : array of int ``(sample,)``
        Places in the data of the structures that were measured.
    errors : array ``(sample,)``
        Relative errors of the statistics of what came back.
    fractions : array ``(2, sample, phase)``, or None
        Volume fractions of originals and reconstructions, of phases 1 and so on; None for continuous fields.
    rows : sequence of dict
        Methods: ``method``, ``n_components`` and ``centred_error`` of decoded statistics or ``structure_centred_error``
        of structures.
    rows_note : str
        What PCA was fitted and measured on.
    examples : Examples
    similar : mapping of str to Similar
        ``"image"`` and ``"statistics"``, of the first examples; empty where there are no training structures.
    searched : str
        Among which structures these were sought.
    latents, scores : array ``(sample, component)``
    properties : mapping of str to array ``(sample,)``
    units : mapping of str to str
    materials : sequence of str ``(sample,)``, or None
        What each sample was cut from.
    traversal : Traversal
    candidates : Candidates or None
    """

    title: str
    version: str
    grid: Grid
    model: Mapping[str, str]
    data: Mapping[str, str]
    settings: Mapping[str, str]
    notes: Sequence[str]
    history: Sequence[Mapping[str, Any]]
    pairs: Sequence[tuple[int, int]]
    numbers: np.ndarray
    errors: np.ndarray
    fractions: np.ndarray | None
    rows: Sequence[Mapping[str, Any]]
    rows_note: str
    examples: Examples
    similar: Mapping[str, Similar]
    searched: str
    latents: np.ndarray
    scores: np.ndarray
    properties: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    materials: Sequence[str] | None
    traversal: Traversal
    candidates: Candidates | None
