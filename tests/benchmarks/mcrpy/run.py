"""Reconstruct structures from correlations with MCRpy 0.2.0, and record its loss and run time.

Requires the environment of ``requirements.txt``, in which matvae is not installed::

    python run.py WINDOWS.npy OUT.npz

``WINDOWS.npy`` holds labels 0 and 1, ``(sample, y, x)``. MCRpy characterizes each window by ``FFTCorrelations`` with
``limit_to`` 16, and reconstructs it from them with its default optimizer, loss and number of iterations, 500.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

# MCRpy 0.2.0 is written for numpy 1.
np.product = np.prod

import mcrpy  # noqa: E402

LIMIT = 16
ITERATIONS = 500
COMMON = {
    "descriptor_types": ["FFTCorrelations"],
    "limit_to": LIMIT,
    "use_multigrid_descriptor": False,
    "use_multiphase": False,
    "logging_level": logging.ERROR,
}


def reconstruct_window(window: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the final grey-scale structure of MCRpy, its loss, and the seconds of the reconstruction."""
    structure = mcrpy.Microstructure(window.astype(np.float64), use_multiphase=False, trainable=False)
    target = mcrpy.characterize(structure, mcrpy.CharacterizationSettings(**COMMON))
    settings = mcrpy.ReconstructionSettings(max_iter=ITERATIONS, convergence_data_steps=ITERATIONS, **COMMON)
    start = time.perf_counter()
    progress, last = mcrpy.reconstruct(target, window.shape, settings=settings)
    seconds = time.perf_counter() - start
    return last.numpy()[..., 0], float(progress["line_data"][-1][1]), seconds


def main(source: Path, out: Path) -> None:
    """Reconstruct every window, after a first reconstruction that is discarded."""
    windows = np.load(source)
    np.random.seed(0)
    reconstruct_window(windows[0])
    results = [reconstruct_window(window) for window in windows]
    grey, loss, seconds = (np.array(values) for values in zip(*results, strict=True))
    np.savez(out, grey=grey, loss=loss, seconds=seconds)
    print(f"{len(windows)} structures in {out}, {seconds.mean():.2f} s each")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
