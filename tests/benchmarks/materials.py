"""Windows of real materials; training and unseen windows come from disjoint halves of a micrograph."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import tifffile

MATERIALS = ("alloy", "ceramics", "copolymer", "hsla_steel")


def micrograph(folder: Path, name: str) -> np.ndarray:
    """Return labels ``(y, x)`` of a two-phase micrograph."""
    if name == "hsla_steel":
        return (tifffile.imread(folder / "micrographs" / f"{name}.tiff") > 0).astype(np.uint8)
    return np.load(folder / "micrographs" / f"{name}.npy")


def berea(folder: Path, scratch: Path) -> np.ndarray:
    """Return labels ``(z, y, x)`` of Berea sandstone, with the pores as phase 1."""
    with zipfile.ZipFile(folder / "volumes" / "berea.zip") as archive:
        return (tifffile.imread(archive.extract("berea.tif", scratch)) == 0).astype(np.uint8)


def windows(whole: np.ndarray, n: int, size: int, seed: int = 0) -> np.ndarray:
    """Return ``n`` random windows ``(sample, *space)``, which may overlap."""
    rng = np.random.default_rng(seed)
    corners = np.stack([rng.integers(0, extent - size + 1, n) for extent in whole.shape], axis=1)
    return np.stack([whole[tuple(slice(c, c + size) for c in corner)] for corner in corners])


def halves(whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right half of a micrograph."""
    middle = whole.shape[1] // 2
    return whole[:, :middle], whole[:, middle:]
