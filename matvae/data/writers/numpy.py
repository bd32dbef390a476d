"""npy: the array alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..structures import Structures
from .writer import Writer, blocks


class NumpyWriter(Writer):
    """Writer of .npy files: ``(*space)`` for one sample, ``(sample, *space)`` for several."""

    suffixes = (".npy",)
    holds = frozenset({"samples", "fields"})

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the header of numpy, and the voxels block by block."""
        shape = structures.data.shape if len(structures) > 1 else structures.grid.shape
        with path.open("wb") as file:
            header = {"shape": shape, "fortran_order": False, "descr": structures.data.dtype.str}
            np.lib.format.write_array_header_1_0(file, header)
            for block in blocks(structures):
                file.write(np.ascontiguousarray(block).data)
        return []


writer = NumpyWriter()
