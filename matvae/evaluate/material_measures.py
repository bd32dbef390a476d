"""Measures of a material: one number or one curve per structure and phase, beyond 2-point statistics.

Two sets of structures are compared by the distributions of these measures (`set_distances`), since structures of nearly
equal 2-point statistics may differ in their connections, and structures of one material differ in their statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..data import Structures
from ..data.sample_blocks import Progress, sample_blocks, samples_per_block
from ..data.structures import as_dask
from ..errors import InputError
from ..stats import (
    chord_length_distribution,
    cluster_function,
    lag_shape,
    lineal_path,
    radial_average,
    surface_area,
    volume_fractions,
)
from ..stats.form import check_array, check_values, find_form
from ..stats.labelling import count_clusters, label_clusters
from ..stats.map_samples import as_tensor


@dataclass(frozen=True)
class MeasureOptions:
    """How the structures of all sets are measured.

    Parameters
    ----------
    phases : int
        Number of phases.
    periodic : bool
        Whether structures continue on their opposite side.
    cutoff : int
        Longest length of the curves, in voxels.
    connectivity : int
        Voxels are connected if they share a face (1), also an edge (2), also a corner (3).
    """

    phases: int
    periodic: bool
    cutoff: int
    connectivity: int


@dataclass(frozen=True)
class Measure:
    """A measure of structures.

    Parameters
    ----------
    function : callable
        ``function(labels, options)`` of labels ``(sample, *space)`` and `MeasureOptions` returns
        ``(sample, *coordinate, phase)``, with NaN where a structure has no such value.
    unit : str
        Unit of the values; empty if they are dimensionless.
    coordinate : str
        Meaning of the axis between sample and phase: ``"length"`` or ``"radius"`` of a curve, ``"axis"`` for one number
        per spatial axis; empty for a single number.
    """

    function: Callable[[np.ndarray, MeasureOptions], np.ndarray]
    unit: str = ""
    coordinate: str = ""


def measure_structures(
    X: Any,
    *,
    phases: int,
    measures: Sequence[str] | None = None,
    periodic: bool = False,
    cutoff: int | None = None,
    connectivity: int = 1,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Measure structures block by block.

    Parameters
    ----------
    X : Structures or array ``(sample, *space)``
        Labels 0 to H-1 in one to three dimensions; numpy, dask or torch.
    phases : int
        Number of phases H, of at least 2. A set may lack a phase, so that it is not looked up.
    measures : sequence of str, optional
        Names in `MEASURES`; by default all.
    periodic : bool
        Whether structures continue on their opposite side. Windows of micrographs do not; what is compared with them
        has to be measured as they are.
    cutoff : int, optional
        Longest length of lineal path, chord length distribution and cluster function in voxels, by default
        ``(N - 1) // 2``, with N the shortest axis. Longer ones are averages over few independent positions.
    connectivity : int
        Voxels of a cluster share a face (1, as everywhere in matvae), also an edge (2), also a corner (3). In two
        dimensions 2 means eight neighbours, in three 3 means twenty-six.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    dict of str to array of float64
        Name to ``(sample, phase)``, ``(sample, axis, phase)``, ``(sample, length, phase)`` or
        ``(sample, radius, phase)``; see `MEASURES`.

    Raises
    ------
    InputError
        If a name or an option is unknown or out of range, or the array does not hold labels of these phases.
    """
    data = lazy_labels(X)
    phases = validate.integer("phases", phases, 2)
    form = find_form(data.shape, data.dtype.kind in "iub", phases=phases, state_axis=None)
    options = MeasureOptions(
        phases,
        validate.boolean("periodic", periodic),
        _longest(form.space, cutoff),
        validate.integer("connectivity", connectivity, 1, len(form.space)),
    )
    names = list(MEASURES) if measures is None else [validate.choice("measures", name, MEASURES) for name in measures]
    n_lags = int(np.prod(lag_shape(form.space, options.periodic, options.cutoff)))
    # Labels, and the cluster function at all lags of all phases in single precision, before its radial average.
    size = samples_per_block(4 * phases * max(n_lags, int(np.prod(form.space))))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for start, block in sample_blocks(data, size):
        check_values(as_tensor(block), form)
        for name in names:
            parts[name].append(np.asarray(MEASURES[name].function(block, options), dtype=np.float64))
        if progress is not None:
            progress(start + len(block), len(data))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}


def lazy_labels(X: Any) -> Any:
    """Return a set of structures as a dask array ``(sample, *space)``.

    Raises
    ------
    InputError
        If X holds no structures, or is neither `Structures` nor an array.
    """
    if isinstance(X, Structures):
        X = X.data
    check_array(X)
    return X if hasattr(X, "dask") else as_dask(np.asarray(X))


def _longest(space: tuple[int, ...], cutoff: int | None) -> int:
    shortest = min(space)
    if shortest < 4:
        raise InputError(
            f"Structures need at least 4 voxels along every axis to be measured, but their shape is {space}. "
            "Remove an axis of a single voxel, or cut larger windows."
        )
    return (shortest - 1) // 2 if cutoff is None else validate.integer("cutoff", cutoff, 1, (shortest - 1) // 2)


def _usual(labels: np.ndarray, options: MeasureOptions) -> dict[str, Any]:
    """Options that statistics of these labels ``(sample, *space)`` have in common."""
    return {"spatial_dims": labels.ndim - 1, "phases": options.phases, "periodic": options.periodic}


def _volume_fraction(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    return volume_fractions(labels, spatial_dims=labels.ndim - 1, phases=options.phases)


def _specific_surface(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    return surface_area(labels, **_usual(labels, options))


def _chord_lengths(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    # Sets are compared up to the cutoff; a cutoff of the distribution itself would warn of longer chords.
    p = chord_length_distribution(labels, **_usual(labels, options))
    return p[:, : options.cutoff]


def _mean_chord_length(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    """Mean of the distribution over all lengths; NaN where a phase has no chord with both ends in the structure."""
    p = chord_length_distribution(labels, **_usual(labels, options)).astype(np.float64)
    total = p.sum(axis=1)
    lengths = np.arange(1, p.shape[1] + 1)
    return np.where(total > 0, np.tensordot(p, lengths, (1, 0)) / np.where(total > 0, total, 1), np.nan)


def _lineal_path(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    return lineal_path(labels, **_usual(labels, options), cutoff=options.cutoff)


def _cluster_function(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    usual = _usual(labels, options)
    function = cluster_function(labels, **usual, cutoff=options.cutoff, connectivity=options.connectivity)
    # One value per integer radius: without bins, long radii, which are many, would outweigh the short ones.
    return radial_average(function, bins=[0, *(np.arange(options.cutoff + 1) + 0.5)])


def _percolating_share(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    """Share of a phase's voxels in clusters that connect the two sides of each axis; 0 where the phase is absent."""
    shares = np.zeros((len(labels), labels.ndim - 1, options.phases))
    for sample, structure in enumerate(labels):
        for phase in range(options.phases):
            # A path has to lead through the structure itself, whether or not its sides are joined.
            clusters, n_clusters = label_clusters(structure == phase, options.connectivity, periodic=False)
            sizes = np.bincount(clusters.ravel(), minlength=n_clusters + 1)
            for axis in range(structure.ndim):
                spanning = np.intersect1d(clusters.take(0, axis), clusters.take(-1, axis))
                n_voxels = sizes[spanning[spanning > 0]].sum()
                shares[sample, axis, phase] = n_voxels / max(1, sizes[1:].sum())
    return shares


def _pieces(labels: np.ndarray, options: MeasureOptions) -> np.ndarray:
    counts = count_clusters(labels, options.phases, options.connectivity, options.periodic)
    return 1000 * counts / np.prod(labels.shape[1:])


#: Measures by name, each of every phase. Lengths are in voxels.
#:
#: - ``volume_fraction``
#: - ``specific_surface``: see `matvae.stats.surface_area`, for isotropic interfaces.
#: - ``mean_chord_length``: mean of the chord length distribution over all lengths that fit.
#: - ``chord_lengths``: see `matvae.stats.chord_length_distribution`, averaged over the axes.
#: - ``lineal_path``: see `matvae.stats.lineal_path`, averaged over the axes.
#: - ``cluster_function``: see `matvae.stats.cluster_function`, averaged over the directions.
#: - ``percolating_share``: share of the phase's voxels in clusters that connect the two sides of an axis.
#: - ``pieces``: clusters per 1000 voxels of the structure, single voxels included.
MEASURES: dict[str, Measure] = {
    "volume_fraction": Measure(_volume_fraction),
    "specific_surface": Measure(_specific_surface, "1/voxel"),
    "mean_chord_length": Measure(_mean_chord_length, "voxel"),
    "chord_lengths": Measure(_chord_lengths, coordinate="length"),
    "lineal_path": Measure(_lineal_path, coordinate="length"),
    "cluster_function": Measure(_cluster_function, coordinate="radius"),
    "percolating_share": Measure(_percolating_share, coordinate="axis"),
    "pieces": Measure(_pieces, "1/(1000 voxels)"),
}
