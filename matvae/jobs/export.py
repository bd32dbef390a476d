"""Job that writes structures for other programs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data import open_structures, write
from ..data.sample_blocks import Progress
from ..data.write import Samples
from ..room import size_on_disk
from .files.outputs import check_output

logger = logging.getLogger("matvae")


def export_structures(
    source: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    samples: Samples = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write structures in a format of another program.

    Parameters
    ----------
    source : path
        Store, or another source that `open_structures` reads without further options.
    out : path
        File to write, or folder for OME-Zarr. Its ending chooses the format; numbers are added to its name if there are
        several samples and a file holds one.
    format : str, optional
        Name of the format, where the ending is not enough.
    samples : int, slice or "all", optional
        Samples to write; by default the only one, or all if a file of the format holds several.
    voxel_size, unit
        Edge lengths of a voxel and their unit; they override the source.
    overwrite : bool
        Whether existing files may be replaced.
    progress : callable, optional
        Called with the number of files that are complete and their total.

    Returns
    -------
    dict
        ``files``, ``format``, ``samples`` (indices), ``grid`` (as it is written), ``notes``, ``bytes``.

    Raises
    ------
    InputError, MissingExtraError, StoreError
        As `matvae.data.write`.
    """
    # `write` checks each of the files; here, that none of them damages the source.
    check_output(out, [source], overwrite=True, replaceable=lambda path: True)
    structures = open_structures(source, voxel_size=voxel_size, unit=unit)
    written = write(structures, out, format, samples=samples, overwrite=overwrite, progress=progress)
    for note in written.notes:
        logger.info(note)
    return {
        "files": [str(path) for path in written.files],
        "format": written.format,
        "samples": list(written.samples),
        "grid": written.grid.to_dict(),
        "notes": list(written.notes),
        "bytes": sum(size_on_disk(path) for path in written.files),
    }
