"""The measured data that pages show: arrays and plain values, nothing drawn yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..grid import Grid


@dataclass(frozen=True)
class Neighbours:
    """Training structures most similar to each of a set of query structures.

    Parameters
    ----------
    numbers : array of int ``(query, k)``
        Indices in the training set, nearest first.
    distances : array ``(query, k)``
        Mean squared differences from the query.
    structures : array ``(query, k, *space)``
    reconstruction_distances : array ``(query,)``
        Mean squared difference between each query and its reconstruction; empty if not measured.
    """

    numbers: np.ndarray
    distances: np.ndarray
    structures: np.ndarray
    reconstruction_distances: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Traversal:
    """Structures along latent components, all starting from one central latent.

    Parameters
    ----------
    components : array of int ``(component,)``
        Indices of the components, in order of decreasing variance.
    steps : array ``(step,)``
        Displacements, in standard deviations of the latents of the data.
    structures : array ``(component, step, *space)``
    statistics : array ``(component, step, *lag)``, optional
        First correlation of these structures.
    """

    components: np.ndarray
    steps: np.ndarray
    structures: np.ndarray
    statistics: np.ndarray | None = None


@dataclass(frozen=True)
class Examples:
    """Structures of the data, their reconstructions, and realizations of their latents.

    Parameters
    ----------
    numbers : array of int ``(sample,)``
        Indices in the data.
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
class Candidates:
    """Structures found by inverse design.

    Parameters
    ----------
    name : str
        Name of the store.
    structures : array ``(candidate, *space)``
    latents : array ``(candidate, component)``
        Latents that the structures were decoded from or, where these are unknown, encoded to.
    properties : mapping of str to array ``(candidate,)``
        Achieved values; ``NAME_spread`` and ``requested_NAME`` where available; ``out_of_distribution``.
    units : mapping of str to str
    reasons : sequence of (str or None)
        Per candidate, why it does not meet the request; empty if not recorded.
    region : str
        A sentence on the region to which the search was confined; empty if not recorded.
    """

    name: str
    structures: np.ndarray
    latents: np.ndarray
    properties: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    reasons: Sequence[str | None] = ()
    region: str = ""


@dataclass(frozen=True)
class RealizedSet:
    """Realizations of held-out latents beside the structures that were encoded, as sets.

    Parameters
    ----------
    generated : mapping
        Measures, errors per phase, copying and diversity, as from `GeneratedSet.to_dict` of `matvae.evaluate`.
    originals, realizations : array ``(sample, *space)``
        Some of the structures, and realizations of their latents by the model's default method.
    """

    generated: Mapping[str, Any]
    originals: np.ndarray
    realizations: np.ndarray


@dataclass(frozen=True)
class ReportParts:
    """Contents of the page of `matvae report`.

    Parameters
    ----------
    title : str
    version : str
        Version of matvae.
    grid : Grid
        Grid of one structure.
    model, data, settings : mapping of str to str
        Metadata, formatted for display.
    notes : sequence of str
        Caveats, shown at the top of the page.
    history : sequence of dict
        Training records.
    pairs : sequence of (int, int)
        Phases of the correlations.
    numbers : array of int ``(sample,)``
        Indices in the data of the structures that were measured.
    errors : array ``(sample,)``
        Relative errors of the statistics of the reconstructions.
    fractions : array ``(2, sample, phase)``, or None
        Volume fractions of originals and reconstructions, from phase 1 on; None for continuous fields.
    rows : sequence of dict
        Methods: ``method``, ``n_components`` and ``centred_error`` of decoded statistics or ``structure_centred_error``
        of structures.
    rows_note : str
        What PCA was fitted and measured on.
    examples : Examples
    similar : mapping of str to Neighbours
        Neighbours of the first examples by ``"image"`` and ``"statistics"``; empty without training structures.
    searched : str
        A sentence on the structures that were searched for neighbours.
    latents, scores : array ``(sample, component)``
    properties : mapping of str to array ``(sample,)``
    units : mapping of str to str
    materials : sequence of str ``(sample,)``, or None
        Source of each sample.
    traversal : Traversal
    candidates : Candidates or None
    summary : str
        How good the model is beside PCA and the floor, in a sentence or two.
    lag_rows : sequence of dict
        Methods: ``name``, ``realize`` (how structures came about, or None), and ``decoded`` and ``realized``, median
        errors at all lags and at short ones, or None.
    phase_names : sequence of str
        Name of every phase.
    realized_set : RealizedSet or None
    realized_set_note : str
        Why there are no sets to compare; empty otherwise.
    card : mapping of str to str
        What the card of the model says, by name.
    sampling : str
        Sampling errors of one window of the material and the error of the model beside them, in words, or why there are
        none.
    closed_form : bool
        Whether the decoder is fitted in closed form, not trained.
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
    similar: Mapping[str, Neighbours]
    searched: str
    latents: np.ndarray
    scores: np.ndarray
    properties: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    materials: Sequence[str] | None
    traversal: Traversal
    candidates: Candidates | None
    summary: str = ""
    lag_rows: Sequence[Mapping[str, Any]] = ()
    phase_names: Sequence[str] = ()
    realized_set: RealizedSet | None = None
    realized_set_note: str = ""
    sampling: str = ""
    closed_form: bool = False
    card: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One held-out structure of lines and its reconstruction.

    Parameters
    ----------
    number : int
        Index in the held-out set.
    choice : str
        Why it is shown, such as ``"drawn at random"``.
    original, reconstruction : array ``(y, x)``
    statistics, reconstructed_statistics : array ``(*lag)``
        Autocorrelations of both.
    latent : array ``(component,)``
    error : float
        Relative error of the statistics.
    original_lines, reconstruction_lines : (int, int)
        Numbers of horizontal and vertical lines.
    """

    number: int
    choice: str
    original: np.ndarray
    reconstruction: np.ndarray
    statistics: np.ndarray
    reconstructed_statistics: np.ndarray
    latent: np.ndarray
    error: float
    original_lines: tuple[int, int]
    reconstruction_lines: tuple[int, int]

    @property
    def lines(self) -> int:
        """Number of lines of the original."""
        return sum(self.original_lines)


@dataclass(frozen=True)
class BenchmarkParts:
    """Contents of the page of `matvae benchmark paper`, apart from its result.

    Parameters
    ----------
    examples : sequence of Example
        Several for each number of lines, the random ones first.
    neighbours : mapping of (str, str) to Neighbours
        Neighbours of the ``"original"`` or ``"reconstruction"`` of each of `queries`, by ``"image"`` or
        ``"statistics"``.
    queries : sequence of Example
    traversal : Traversal
    latents : array ``(sample, component)``
    lines : array of int ``(sample,)``
        True numbers of lines.
    fractions : array ``(sample, 2)``
        Volume fractions of originals and reconstructions.
    means : mapping of str to array ``(y, x)``
        Mean ``original``, mean ``reconstruction``, and ``registered``: the mean of the reconstructions after alignment
        with their originals.
    history : sequence of dict
        Training records.
    """

    examples: Sequence[Example]
    neighbours: Mapping[tuple[str, str], Neighbours]
    queries: Sequence[Example]
    traversal: Traversal
    latents: np.ndarray
    lines: np.ndarray
    fractions: np.ndarray
    means: Mapping[str, np.ndarray]
    history: Sequence[Mapping[str, Any]]
