"""Raw voxels, with a JSON header beside them that says what they are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...grid import Grid
from ..structures import Structures
from .writer import Writer, blocks


class RawWriter(Writer):
    """Writer of .raw files, the last axis (x) being the fastest, each with a header of the same name in JSON."""

    suffixes = (".raw",)
    holds = frozenset({"samples", "fields", "voxel_size", "unit", "origin"})

    def paths(self, path: Path, grid: Grid) -> list[Path]:
        """Return the file of voxels and that of the header."""
        return [path, path.with_suffix(".json")]

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the voxels block by block, and the header."""
        with path.open("wb") as file:
            for block in blocks(structures):
                file.write(np.ascontiguousarray(block).data)
        header = _header(structures)
        path.with_suffix(".json").write_text(json.dumps(header, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return []


def _header(structures: Structures) -> dict[str, Any]:
    grid, has_samples = structures.grid, len(structures) > 1
    axes = [*(["s"] if has_samples else []), *(grid.axes or ())]
    return {
        "shape": list(structures.data.shape if has_samples else grid.shape),
        "dtype": structures.data.dtype.name,
        "byteorder": sys.byteorder,
        "offset": 0,
        "voxel_size": grid.voxel_size and list(grid.voxel_size),
        "unit": grid.unit,
        "origin": grid.origin and list(grid.origin),
        "axes": "".join(axes) if all(len(axis) == 1 for axis in axes) else axes,
        "phases": grid.phases,
    }


writer = RawWriter()
