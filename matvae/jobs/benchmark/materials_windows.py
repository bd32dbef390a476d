"""Windows of real materials for training, validation and test, cut from regions that share no voxel."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np

from ...data import Structures, open_structures, windows
from ...errors import InputError
from ...grid import Grid

IMAGE, SLICES, VOLUME = "image", "slices", "volume"
# Share of a picture that is held out: half of it for validation, half for test.
HELD_OUT = 3 / 8
# Slices left out between training and held-out ones: neighbouring slices are nearly copies of each other.
GAP = 16


@dataclass(frozen=True)
class Material:
    """One measured picture, and how windows are cut from it.

    Parameters
    ----------
    name : str
    path : str
        In the folder of data. A zip archive holds a single file.
    values : tuple of tuples of int
        Values in the file that make up each phase.
    kind : ``"image"``, ``"slices"`` or ``"volume"``
        Whether windows are parts of an image, of slices of a volume normal to its first axis, or of a volume.
    size : int
        Voxels along each axis of a window.
    strides, held_out_strides : tuple of int
        Voxels between neighbouring windows along each axis of the picture: of the training windows, and of those for
        validation and test.
    """

    name: str
    path: str
    values: tuple[tuple[int, ...], ...]
    kind: str = IMAGE
    size: int = 64
    strides: tuple[int, ...] = (8, 8)
    held_out_strides: tuple[int, ...] = (16, 16)

    @property
    def phases(self) -> int:
        """Number of phases."""
        return len(self.values)

    @property
    def cutoff(self) -> int:
        """Largest lag of the statistics: half the window."""
        return self.size // 2


BINARY, PORES, ACTIVE = ((0,), (1,)), ((255,), (0,)), ((0, 2), (1,))
MATERIALS = {
    material.name: material
    for material in (
        Material("alloy", "micrographs/alloy.npy", BINARY),
        Material("ceramics", "micrographs/ceramics.npy", BINARY),
        Material("copolymer", "micrographs/copolymer.npy", BINARY),
        Material("composite", "micrographs/composite.npy", ((0,), (1,), (2,))),
        Material("hsla_steel", "micrographs/hsla_steel.tiff", ((0,), (255,)), IMAGE, 64, (16, 16), (32, 32)),
        Material("berea", "volumes/berea.zip", PORES, SLICES, 64, (4, 32, 32), (8, 64, 64)),
        Material("nmc", "volumes/nmc_electrode.tif", ACTIVE, SLICES, 64, (4, 32, 32), (8, 64, 64)),
        Material("berea_3d", "volumes/berea.zip", PORES, VOLUME, 32, (16, 16, 16), (32, 32, 32)),
        Material("nmc_3d", "volumes/nmc_electrode.tif", ACTIVE, VOLUME, 32, (16, 16, 16), (32, 32, 32)),
    )
}


@dataclass(frozen=True)
class MaterialWindows:
    """Windows of one material, from three regions that share no voxel.

    Parameters
    ----------
    training, validation, test : array of uint8 ``(sample, *space)``
    apart : array of uint8 ``(sample, *space)``
        Windows of the validation and test regions that do not overlap.
    larger : array of uint8 ``(*space)``
        A window of twice the size from the training region, for pictures.
    held_out : str
        Which side of the picture is held out.
    """

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    apart: np.ndarray
    larger: np.ndarray
    held_out: str


def choose_materials(folder: str | Path, names: tuple[str, ...] | None) -> list[Material]:
    """Materials whose files lie in a folder: all of them, or those named.

    Raises
    ------
    InputError
        If a name is unknown, a file is missing, or there is none at all.
    """
    if names is not None and not names:
        raise InputError(f"materials must be some of {', '.join(MATERIALS)}, but none was given.")
    for name in names or ():
        if name not in MATERIALS:
            raise InputError(f"materials must be some of {', '.join(MATERIALS)}, but {name!r} was given.")
        path = Path(folder) / MATERIALS[name].path
        if not path.is_file():
            raise InputError(f"The material {name!r} is expected in {path}, which does not exist. Leave it out.")
    chosen = [
        material
        for name, material in MATERIALS.items()
        if (name in names if names is not None else (Path(folder) / material.path).is_file())
    ]
    if not chosen:
        paths = sorted({material.path for material in MATERIALS.values()})
        raise InputError(f"{folder} holds none of {', '.join(paths)}. Name the folder that contains these files.")
    return chosen


def read_picture(material: Material, folder: str | Path) -> np.ndarray:
    """Labels ``(y, x)`` or ``(z, y, x)`` of a whole picture.

    Raises
    ------
    InputError, StoreError
        If the file cannot be read, or holds other values or axes than expected.
    """
    path = Path(folder) / material.path
    with TemporaryDirectory(prefix="matvae-") as temporary:
        if path.suffix == ".zip":
            path = _unzipped(path, Path(temporary))
        values = tuple(value for of_phase in material.values for value in of_phase)
        dims = 2 if material.kind == IMAGE else 3
        structures = open_structures(path, spatial_dims=dims, phase_values=values)
        labels = structures.data[0].compute()
    phases = np.repeat(np.arange(material.phases), [len(of_phase) for of_phase in material.values])
    return phases.astype(np.uint8)[labels]


def cut(
    material: Material, picture: np.ndarray, seed: int, *, most_training: int, most_held_out: int
) -> MaterialWindows:
    """Cut windows for training, validation and test.

    Parameters
    ----------
    material : Material
    picture : array of uint8 ``(y, x)`` or ``(z, y, x)``
        Labels, as `read_picture` returns them.
    seed : int
        Determines which side of the picture is held out, and which windows are drawn.
    most_training, most_held_out : int
        Maximum numbers of training windows, and of windows for validation and test each.

    Returns
    -------
    MaterialWindows

    Raises
    ------
    InputError
        If the picture is too small.
    """
    axis, at_end = _side(picture.ndim, material.kind, seed)
    training, validation, test = _regions(picture.shape, axis, at_end, GAP if material.kind == SLICES else 0)
    rng = np.random.default_rng(seed)

    def drawn(region: list[tuple[int, int]], strides: tuple[int, ...], most: int) -> np.ndarray:
        structures = _windows(picture, region, material, material.size, strides)
        indices = rng.choice(len(structures), min(most, len(structures)), replace=False)
        return structures.data[np.sort(indices)].compute()

    apart = [
        _windows(picture, region, material, material.size, (material.size,) * picture.ndim)
        for region in (validation, test)
    ]
    larger = _windows(picture, training, material, 2 * material.size, (material.size,) * picture.ndim)
    return MaterialWindows(
        training=drawn(training, material.strides, most_training),
        validation=drawn(validation, material.held_out_strides, most_held_out),
        test=drawn(test, material.held_out_strides, most_held_out),
        apart=np.concatenate([part.data.compute() for part in apart])[:most_held_out],
        larger=larger.data[len(larger) // 2].compute(),
        held_out=f"{'end' if at_end else 'start'} of {'zyx'[-picture.ndim :][axis]}",
    )


def _side(ndim: int, kind: str, seed: int) -> tuple[int, bool]:
    """Axis across which a part is held out, and whether it is the end of that axis; the seeds go through all sides."""
    # Slices within a plane are windows of the same picture; a distance along the normal separates them.
    axes = [0] if kind == SLICES else list(range(ndim))[::-1]
    return list(itertools.product(axes, (True, False)))[seed % (2 * len(axes))]


def _regions(shape: tuple[int, ...], axis: int, at_end: bool, gap: int) -> list[list[tuple[int, int]]]:
    """Bounds of the regions for training, validation and test, one ``(start, stop)`` per axis each."""
    n = shape[axis]
    n_held = round(HELD_OUT * n)
    held, kept = ((n - n_held, n), (0, n - n_held - gap)) if at_end else ((0, n_held), (n_held + gap, n))
    # The held-out part is long along its other axes: halves of it are more compact than it.
    across = max((other for other in range(len(shape)) if other != axis), key=lambda other: shape[other])
    half = shape[across] // 2
    whole = [(0, length) for length in shape]
    parts = []
    for along, bounds in ((kept, whole[across]), (held, (0, half)), (held, (half, shape[across]))):
        region = list(whole)
        region[axis], region[across] = along, bounds
        parts.append(region)
    return parts


def _windows(
    picture: np.ndarray, region: list[tuple[int, int]], material: Material, size: int, strides: tuple[int, ...]
) -> Structures:
    """Lazy windows of one region."""
    if material.kind == SLICES:
        (start, stop), *region = region
        step, *strides_within = strides
        stack = picture[start:stop:step]
    else:
        stack, strides_within = picture[None], list(strides)
    return windows(
        Structures(stack, Grid(stack.shape[1:], phases=material.phases, periodic=False)),
        size,
        stride=strides_within,
        region=region,
    )


def _unzipped(path: Path, folder: Path) -> Path:
    """Extract the only file of an archive."""
    with ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise InputError(
                f"The archive {path} should hold a single file, but holds {', '.join(names[:10]) or 'none'}. "
                "Pack only the picture."
            )
        return Path(archive.extract(names[0], folder))
