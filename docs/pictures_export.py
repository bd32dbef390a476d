"""Draw the figure of the page on export, without a display: ``python docs/pictures_export.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyvista

from matvae import Grid, open_structures
from matvae.data import write
from matvae.data.datasets import make_dataset
from matvae.report.style import DENSITY

IMAGES = Path(__file__).parent / "images"


def exported(folder: Path) -> None:
    """Draw phase 1 of a structure as VTK reads it from the exported file, in a box with its size."""
    grid = Grid((24, 48, 48), voxel_size=(1.0, 0.5, 0.5), unit="micrometer")
    make_dataset("grf", folder / "grf.zarr", n=1, size=grid.shape, correlation_length=6, volume_fractions=[0.7, 0.3])
    write(open_structures(folder / "grf.zarr"), folder / "rock.vti", grid=grid)
    rock = pyvista.read(folder / "rock.vti")
    plotter = pyvista.Plotter(off_screen=True, window_size=(DENSITY * 640, DENSITY * 560))
    plotter.add_mesh(rock.threshold(0.5, scalars="phase"), color="#f0d9a8", ambient=0.25)
    plotter.add_mesh(rock.outline(), color="black", line_width=DENSITY)
    titles = {f"{axis}title": f"{axis} / micrometer" for axis in "xyz"}
    plotter.show_bounds(location="outer", font_size=11 * DENSITY, fmt="%.0f", **titles)
    plotter.camera.zoom(0.8)
    plotter.screenshot(IMAGES / "exported.png")


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exported(Path(scratch))
