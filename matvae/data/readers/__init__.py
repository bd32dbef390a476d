"""Readers, one per file format; plugins add theirs through the entry point group ``matvae.readers``.

A reader is an object with two methods: ``matches(path)`` tells from the path alone whether it reads this file or
folder, and ``open(path, name)`` returns a `Source` without reading voxels. `matvae.testing.check_reader` checks them.
"""

from __future__ import annotations

from ...registry import Registry
from .source import Reader, Source, pick_name

READERS = Registry(
    "reader",
    "matvae.readers",
    {
        "zarr": "matvae.data.readers.zarr:reader",
        "numpy": "matvae.data.readers.numpy:reader",
        "tiff": "matvae.data.readers.tiff:reader",
        "png": "matvae.data.readers.png:reader",
        "hdf5": "matvae.data.readers.hdf5:reader",
        "raw": "matvae.data.readers.raw:reader",
        "matlab": "matvae.data.readers.matlab:reader",
        "ebsd": "matvae.data.readers.ebsd:reader",
        "vti": "matvae.data.readers.vti:reader",
        "itk": "matvae.data.readers.itk:reader",
    },
)

__all__ = ["READERS", "Reader", "Source", "pick_name"]
