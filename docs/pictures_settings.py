"""Draw the figure of the page on choosing settings: ``python docs/pictures_settings.py``, in a minute."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from matvae import StatsVAETransformer, Structures, TwoPointPCA, open_structures
from matvae.data import windows
from matvae.data.datasets import make_dataset
from matvae.evaluate import representative_windows
from matvae.evaluate.lag_errors import centred_lag_error
from matvae.report.style import DENSITY, SERIES
from matvae.stats.independent_windows import independent_windows

IMAGES = Path(__file__).parent / "images"
TRAIN, TEST = (slice(None), slice(0, 160)), (slice(None), slice(160, 256))
WINDOW, CUTOFF, SHORT = 32, 16, 8
COMPONENTS = (1, 2, 3, 5, 8)
SIZES = (16, 24, 32, 48, 64)
# Below this number of independent windows a model is linear.
ENOUGH = 50


def errors(image: Structures) -> dict[str, np.ndarray]:
    """Median centred errors of decoded statistics of test windows, ``(component, all lags or short ones)``."""
    train, test = (windows(image, WINDOW, stride=8, region=region) for region in (TRAIN, TEST))
    shared = {"periodic": False, "cutoff": CUTOFF}
    rows: dict[str, list[list[float]]] = {}
    for n in COMPONENTS:
        methods = {
            "PCA, plain metric": TwoPointPCA(n, metric="plain", **shared),
            "PCA, lag metric": TwoPointPCA(n, metric="lags", **shared),
            "matvae": StatsVAETransformer(n, random_state=0, **shared),
        }
        for name, method in methods.items():
            method.fit(train)
            f = method.statistics(test.data.compute())
            g = method.inverse_statistics(method.transform(test.data.compute()))
            mean = method.statistics(train.data.compute()).mean(0)
            both = [np.median(centred_lag_error(f, g, mean=mean, max_lag=most)) for most in (None, SHORT)]
            rows.setdefault(name, []).append(both)
    return {name: np.array(values) for name, values in rows.items()}


def draw(folder: Path) -> None:
    """Draw errors against the number of components, and independent windows against the window size."""
    make_dataset("ceramics", folder / "ceramics.zarr")
    image = open_structures(folder / "ceramics.zarr")
    figure = Figure(figsize=(11, 3.6), dpi=80 * DENSITY, layout="constrained")
    everywhere, short, sizes = figure.subplots(1, 3)
    for (name, values), (colour, marker) in zip(errors(image).items(), SERIES, strict=False):
        everywhere.plot(COMPONENTS, values[:, 0], f"{marker}-", color=colour, label=name)
        short.plot(COMPONENTS, values[:, 1], f"{marker}-", color=colour, label=name)
    for axes, lags in ((everywhere, "all lags"), (short, f"lags up to {SHORT} voxels")):
        axes.set(xlabel="components", ylabel="median centred error", title=lags, ylim=(0, 1))
        axes.legend(fontsize=8)
    counts = [
        independent_windows(windows(image, size, stride=size // 4, region=TRAIN).data.compute()) for size in SIZES
    ]
    recommended = representative_windows(image).recommended.window
    sizes.semilogy(SIZES, counts, "o-", color=SERIES[0][0])
    sizes.axhline(ENOUGH, color="grey", linestyle=":", label=f"{ENOUGH} windows: fewer give a linear model")
    sizes.axvline(max(recommended), color="grey", linestyle="--", label="three times the correlated range")
    sizes.set(xlabel="window / voxel", ylabel="independent windows", title="what the training region holds")
    sizes.legend(fontsize=8)
    figure.savefig(IMAGES / "choose-settings.png")
    print(recommended, dict(zip(SIZES, np.round(counts), strict=True)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        draw(Path(scratch))
