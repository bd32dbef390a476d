"""Segmentation: from grey values to phases by thresholds, block by block.

Thresholds are found from a histogram over all blocks. A median filter and the removal of small objects read each block
with its neighbours, and a bilateral filter whole slices, so that results do not depend on the blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import Any

import dask.array as da
import numpy as np

from ..errors import InputError, MissingExtraError
from ..grid import MAX_PHASES
from ..validate import integer
from .histogram import Histogram, histogram_of
from .masks import valid_fractions
from .median import median_filter
from .small_objects import without_small_objects
from .structures import Structures

METHODS = ("otsu", "li")
FILTERS = ("median", "bilateral")
# The search of multi-Otsu takes bins ** (phases - 1) steps.
_MULTI_OTSU_BINS, _MULTI_OTSU_PHASES = 256, 5
# Fewer grey values are taken for labels.
LEAST_GREY_LEVELS = 17


@dataclass(frozen=True)
class Segmentation:
    """How grey values become phases; phase 0 has the lowest ones.

    Parameters
    ----------
    threshold : str, float or sequence of float
        ``"otsu"``, ``"otsu:3"`` for 3 phases (multi-Otsu), ``"li"``, or the thresholds themselves, in ascending order.
        The phase of a voxel is the number of thresholds below its grey value.
    per : str
        Whether one threshold is found for ``"all"`` images together, or one per ``"image"``. The slices of a volume
        always share it.
    denoise : str, optional
        ``"median"`` of neighbouring voxels (3 along each axis), or ``"bilateral"``, slice by slice, which preserves
        edges; before thresholds are found.
    min_size : int
        Objects of fewer voxels, connected through faces, take the label of the nearest voxel of a larger object.

    Raises
    ------
    InputError
        If a parameter is not one of these.

    Notes
    -----
    Otsu, IEEE Transactions on Systems, Man, and Cybernetics 9, 62 (1979). Liao, Chen & Chung, Journal of Information
    Science and Engineering 17, 713 (2001). Li & Tam, Pattern Recognition Letters 19, 771 (1998).
    """

    threshold: str | float | Sequence[float] = "otsu"
    per: str = "all"
    denoise: str | None = None
    min_size: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.threshold, str):
            name, _, phases = self.threshold.partition(":")
            most = _MULTI_OTSU_PHASES
            if name not in METHODS or (phases and (name != "otsu" or phases not in map(str, range(2, most + 1)))):
                raise InputError(
                    f"threshold must be 'otsu', 'otsu:3' (for 3 phases, up to {most}), 'li', or one or more grey "
                    f"values, but {self.threshold!r} was given."
                )
        else:
            given = self.threshold if isinstance(self.threshold, Sequence | np.ndarray) else [self.threshold]
            values = [float(value) for value in given]
            if not 1 <= len(values) < MAX_PHASES or not np.isfinite(values).all() or sorted(set(values)) != values:
                raise InputError(
                    "Thresholds must be different grey values in ascending order, such as 100 or (60, 120), but "
                    f"{self.threshold!r} was given."
                )
            object.__setattr__(self, "threshold", tuple(values))
        if self.per not in ("all", "image"):
            raise InputError(f"per must be 'all' or 'image' (--threshold-per), but {self.per!r} was given.")
        if self.denoise not in (None, *FILTERS):
            raise InputError(f"denoise must be 'median' or 'bilateral', but {self.denoise!r} was given.")
        object.__setattr__(self, "min_size", integer("min_size", self.min_size, 0))

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        if not isinstance(self.threshold, str):
            return 1 + len(self.threshold)  # type: ignore[arg-type]
        return int(self.threshold.partition(":")[2] or 2)


@dataclass(frozen=True)
class Segmented:
    """Structures whose phases were made from grey values.

    Attributes
    ----------
    parts : list of Structures
        Labels. ``attributes["segmentation"]`` says how they were made; thresholds per image are the properties
        ``threshold_1``, ``threshold_2``, ...
    thresholds : tuple of float
        Those of the first structure; of all, unless they were found per image.
    histogram : Histogram
        Grey values from which they were found, after denoising.
    """

    parts: list[Structures]
    thresholds: tuple[float, ...]
    histogram: Histogram


def segment(parts: Sequence[Structures], segmentation: Segmentation) -> Segmented:
    """Make phases from grey values.

    Parameters
    ----------
    parts : sequence of Structures
        Continuous fields; voxels outside their masks are left out.
    segmentation : Segmentation

    Raises
    ------
    InputError
        If they hold labels, or a constant, or a threshold lies outside the grey values.
    MissingExtraError
        If scikit-image is missing.
    """
    for part in parts:
        _check(part, segmentation)
    smooth = [_denoised(part, segmentation.denoise) for part in parts]
    images = [part[i : i + 1] for part in smooth for i in range(len(part))]
    groups = [smooth] if segmentation.per == "all" else [[image] for image in images]
    histograms = [histogram_of(group) for group in groups]
    found = [_thresholds(histogram, segmentation) for histogram in histograms]
    # One row per structure, whether found together or one by one.
    rows = np.array(found if segmentation.per == "image" else found * sum(map(len, parts)))
    labels, start = [], 0
    for part in smooth:
        labels.append(_labelled(part, rows[start : start + len(part)], segmentation))
        start += len(part)
    return Segmented(labels, tuple(found[0]), histograms[0])


def _check(structures: Structures, segmentation: Segmentation) -> None:
    if structures.grid.phases > 1:
        raise InputError(
            f"Grey values are segmented, but these structures already hold the labels of {structures.grid.phases} "
            "phases. Omit the segmentation (--threshold), or open the grey image itself."
        )
    if segmentation.denoise == "bilateral":
        if structures.mask is not None and (valid_fractions(structures) < 1).any():
            raise InputError(
                "A bilateral filter cannot leave out voxels outside a mask. Use denoise='median' (--denoise median)."
            )
        if structures.grid.ndim == 1:
            raise InputError(
                "A bilateral filter needs at least two axes. Use denoise='median' (--denoise median) for lines."
            )


def _denoised(structures: Structures, name: str | None) -> Structures:
    if name is None:
        return structures
    data, mask = structures.data, structures.mask
    if name == "bilateral":
        slices = data.rechunk(dict.fromkeys((data.ndim - 2, data.ndim - 1), -1))
        return replace(structures, data=slices.map_blocks(_bilateral, dtype=data.dtype, meta=data._meta))
    depth = {axis: int(axis > 0) for axis in range(data.ndim)}
    edges = {axis: "nearest" if axis else "none" for axis in range(data.ndim)}
    arrays = [data] if mask is None else [data, mask]
    filtered = da.map_overlap(median_filter, *arrays, depth=depth, boundary=edges, dtype=data.dtype, meta=data._meta)
    return replace(structures, data=filtered)


def _bilateral(block: np.ndarray) -> np.ndarray:
    smooth = np.empty_like(block)
    for index in np.ndindex(block.shape[:-2]):
        smooth[index] = _skimage("restoration").denoise_bilateral(block[index].copy(), mode="edge")
    return smooth


def _thresholds(histogram: Histogram, segmentation: Segmentation) -> list[float]:
    low, high = histogram.low, histogram.high
    if low == high:
        raise InputError(
            f"An image should have different grey values to be segmented, but all of its voxels are {low:g}. Check the "
            "file, the region and the mask."
        )
    if not isinstance(segmentation.threshold, str):
        values = [float(value) for value in segmentation.threshold]  # type: ignore[union-attr]
        if values[0] < low or values[-1] >= high:
            raise InputError(
                f"Thresholds should lie between the grey values, which run from {low:g} to {high:g}, but "
                f"{', '.join(f'{value:g}' for value in values)} was given, which leaves a phase empty."
            )
        return values
    if histogram.is_exact and len(histogram.values) < LEAST_GREY_LEVELS:
        shown = ", ".join(f"{value:g}" for value in histogram.values)
        raise InputError(
            f"Thresholds are found in grey images, but these voxels have only the values {shown}, like labels of "
            "phases. Instead of segmenting them, say which value is which phase with phase_values='auto' (command "
            "line: matvae import FILE OUT.zarr --phase-values auto, without --threshold), or give the thresholds as "
            "numbers."
        )
    name = segmentation.threshold.partition(":")[0]
    if name == "li":
        return [li_threshold(histogram)]
    filters = _skimage("filters")
    if segmentation.n_phases == 2:
        return [float(filters.threshold_otsu(hist=(histogram.counts, histogram.values)))]
    # scikit-image takes the bins to have one width.
    even = histogram.even(_MULTI_OTSU_BINS)
    found = filters.threshold_multiotsu(hist=(even.counts, even.values), classes=segmentation.n_phases)
    return [float(value) for value in found]


def li_threshold(histogram: Histogram) -> float:
    """Return the threshold of minimum cross entropy between an image and its segmentation.

    Notes
    -----
    Li & Tam, Pattern Recognition Letters 19, 771 (1998): a fixed point of the mean grey values on both sides.
    """
    # Counted from the lowest value, since the mean values must be positive.
    values, counts = histogram.values - histogram.low, histogram.counts
    threshold, previous = np.average(values, weights=counts), -np.inf
    while abs(threshold - previous) > 1e-6 * (histogram.high - histogram.low):
        previous = threshold
        is_above = values > threshold
        above, below = (np.average(values[side], weights=counts[side]) for side in (is_above, ~is_above))
        if below == 0:
            break
        threshold = (above - below) / (np.log(above) - np.log(below))
    return float(threshold + histogram.low)


def _labelled(structures: Structures, thresholds: np.ndarray, segmentation: Segmentation) -> Structures:
    """Return the labels of structures, with thresholds ``(sample, threshold)``."""
    data, mask = structures.data, structures.mask
    chunks = (data.chunks[0], *[1] * (data.ndim - 1))
    labels = da.zeros_like(data, dtype=np.uint8)
    for column in thresholds.T:
        limits = da.from_array(column.reshape(-1, *[1] * (data.ndim - 1)), chunks=chunks)
        labels = labels + (data > limits).astype(np.uint8)
    if segmentation.min_size > 1:
        labels = without_small_objects(labels, mask, segmentation.min_size)
    if mask is not None:
        labels = da.where(mask, labels, np.uint8(0))
    record: dict[str, Any] = asdict(segmentation)
    properties, units = dict(structures.properties), dict(structures.units)
    if segmentation.per == "all":
        record["thresholds"] = thresholds[0].tolist()
    else:
        properties |= {f"threshold_{i}": column for i, column in enumerate(thresholds.T, start=1)}
    return Structures(
        labels,
        replace(structures.grid, phases=segmentation.n_phases),
        properties,
        units,
        {**structures.attributes, "segmentation": record},
        mask,
    )


def _skimage(module: str) -> Any:
    try:
        return import_module(f"skimage.{module}")
    except ImportError as error:
        raise MissingExtraError(
            "Segmentation of grey images needs scikit-image; install it with: pip install 'matvae[segment]'"
        ) from error
