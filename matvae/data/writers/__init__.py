"""Writers, one per file format; plugins add theirs through the entry point group ``matvae.writers``.

A writer is an instance of a class derived from `Writer`, which states what the format can hold and writes structures to
a path. `matvae.data.write` prepares the structures, and `matvae.testing.check_writer` checks writers.
"""

from __future__ import annotations

from ...registry import Registry
from .writer import Writer

# Of two formats with the same ending, the first is chosen unless the other is named.
WRITERS = Registry(
    "writer",
    "matvae.writers",
    {
        "vti": "matvae.data.writers.vtk_image:vti_writer",
        "damask": "matvae.data.writers.vtk_image:damask_writer",
        "tiff": "matvae.data.writers.tiff:imagej_writer",
        "ome-tiff": "matvae.data.writers.tiff:ome_writer",
        "npy": "matvae.data.writers.numpy:writer",
        "raw": "matvae.data.writers.raw:writer",
        "ome-zarr": "matvae.data.writers.ome_zarr:writer",
        "abaqus": "matvae.data.writers.abaqus:writer",
        "stl": "matvae.data.writers.stl:writer",
    },
)

__all__ = ["WRITERS", "Writer"]
