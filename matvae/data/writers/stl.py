"""STL: the closed surface of every phase, by marching cubes between the centres of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...grid import Grid
from ..structures import Structures
from .vtk_image import save, vtk_module
from .writer import Writer, corner, lengths, volume


class StlWriter(Writer):
    """Writer of one .stl file per phase; surfaces are closed where the phase meets the boundary of the structure."""

    suffixes = (".stl",)
    holds = frozenset({"voxel_size", "origin"})
    least_dims = 3

    def paths(self, path: Path, grid: Grid) -> list[Path]:
        """Return one file per phase: ``rock_phase0.stl``, ``rock_phase1.stl``, ..."""
        return [path.with_name(f"{path.stem}_phase{phase}{path.suffix}") for phase in range(grid.phases)]

    def write(self, path: Path, structures: Structures) -> Sequence[str]:
        """Write the surfaces of the phases that occur."""
        labels, grid = volume(structures), structures.grid
        present = np.bincount(labels.ravel(), minlength=grid.phases) > 0
        for phase, target in enumerate(self.paths(path, grid)):
            if present[phase]:
                _save(target, _surface(labels == phase, lengths(grid), corner(grid)))
        absent = ", ".join(str(phase) for phase in np.flatnonzero(~present))
        return [f"{path.name}: no voxel has the phase {absent}, so there is no surface of it."] if absent else []


def _surface(mask: np.ndarray, size: Sequence[float], origin: Sequence[float]) -> Any:
    """Return the triangles around the voxels of a mask ``(z, y, x)``."""
    # A border of voxels outside of the mask closes the surface.
    padded = np.pad(mask, 1).astype(np.uint8)
    image = vtk_module("vtkCommonDataModel").vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.SetSpacing(*size[::-1])
    # Values are those of the centres of voxels, and the first of them lies in the border.
    image.SetOrigin(*(position - length / 2 for position, length in zip(origin[::-1], size[::-1], strict=True)))
    image.GetPointData().SetScalars(vtk_module("util.numpy_support").numpy_to_vtk(padded.ravel(), deep=True))
    contour = vtk_module("vtkFiltersCore").vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    return contour.GetOutput()


def _save(path: Path, surface: Any) -> None:
    writer = vtk_module("vtkIOGeometry").vtkSTLWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(surface)
    writer.SetFileTypeToBinary()
    save(writer, path)


writer = StlWriter()
