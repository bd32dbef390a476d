"""Grey images segmented once, into a temporary store from which windows are cut, and the preview of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
import numpy as np

from ..crew import Crew
from ..data import Segmentation, Structures, open_structures, save_structures
from ..data.segment import Segmented, segment
from ..files import unfinished


@contextmanager
def segmented_beside(
    target: Path, grey: Sequence[Structures], segmentation: Segmentation, crew: Crew
) -> Iterator[Segmented]:
    """Segment images into a temporary folder beside the output, which is removed at the end.

    Otherwise every block of windows would filter the image again.

    Parameters
    ----------
    target : Path
        Output.
    grey, segmentation
        As in `matvae.data.segment.segment`.
    crew : Crew
        Who segments the images, once the thresholds are known.

    Raises
    ------
    InputError, MissingExtraError
        As there.
    StoreError
        If the folder cannot be written.
    """
    segmented = segment(grey, segmentation)
    with unfinished(target) as folder:
        stored = []
        for i, part in enumerate(segmented.parts):
            save_structures(folder / f"{i}.zarr", part, crew=crew)
            stored.append(open_structures(folder / f"{i}.zarr"))
        yield replace(segmented, parts=stored)


def describe_segmentation(written: Structures, segmented: Segmented) -> dict[str, Any]:
    """Return ``segmentation``, with the thresholds of the first structure, ``volume_fractions`` and ``n_constant``."""
    numbers = _numbers_of_voxels(written)
    return {
        "segmentation": {"thresholds": list(segmented.thresholds), **written.attributes["segmentation"]},
        "volume_fractions": (numbers.sum(axis=0) / numbers.sum()).tolist(),
        "n_constant": int(np.count_nonzero((numbers > 0).sum(axis=1) == 1)),
    }


def _numbers_of_voxels(structures: Structures) -> np.ndarray:
    """Return the number of voxels ``(structure, phase)`` inside the mask."""
    inside = True if structures.mask is None else structures.mask
    space = tuple(range(1, structures.data.ndim))
    counts = [((structures.data == phase) & inside).sum(axis=space) for phase in range(structures.grid.phases)]
    return np.stack(dask.compute(*counts), axis=1)


def preview(grey: Structures, segmented: Segmented) -> Any:
    """Draw the central slice of the first structure, before and after segmentation, as a matplotlib figure."""
    from ..report import plot_segmentation

    labels = segmented.parts[0]
    plane: tuple[Any, ...] = (0, grey.grid.shape[0] // 2) if grey.grid.ndim == 3 else (0,)
    return plot_segmentation(
        grey.data[plane].compute(),
        labels.data[plane].compute(),
        phases=labels.grid.phases,
        values=segmented.histogram.values,
        counts=segmented.histogram.counts,
        thresholds=segmented.thresholds,
        mask=None if labels.mask is None else labels.mask[plane].compute(),
    )
