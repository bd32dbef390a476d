"""Draw the figures on reports: ``python docs/pictures_report.py``; it needs chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from screenshots import chromium, opened, save_small, shrink, side_by_side, taken

from matvae import StatsVAETransformer, open_structures
from matvae.data.datasets import make_dataset
from matvae.jobs import import_structures, report_model
from matvae.report import (
    plot_agreement,
    plot_difference,
    plot_history,
    plot_latents,
    plot_sections,
    plot_strip,
)
from matvae.report.style import DENSITY, add_phase_legend

IMAGES = Path(__file__).parent / "images"
# Parts of the micrograph that share no voxels.
TRAINING, UNSEEN = (None, (0, 160)), (None, (160, 256))
DESKTOP, PHONE, HEIGHT = 1060, 390, 1240


def fit_model(folder: Path) -> StatsVAETransformer:
    """Fit a model to a part of a micrograph; save it, its training windows and unseen windows in the folder."""
    make_dataset("ceramics", folder / "ceramics.zarr")
    for name, region, stride in (("train.zarr", TRAINING, 8), ("test.zarr", UNSEEN, 16)):
        import_structures(folder / "ceramics.zarr", folder / name, region=region, window=32, stride=stride)
    model = StatsVAETransformer(5, periodic=False, cutoff=16, random_state=0)
    model.fit(open_structures(folder / "train.zarr")).save(folder / "ceramics.matvae")
    return model


def page(folder: Path) -> None:
    """Take pictures of the first screen in light and in dark mode, of a section, and of the page on a phone."""
    file = folder / "report.html"
    report_model(folder / "ceramics.matvae", folder / "test.zarr", file, train=folder / "train.zarr")
    with chromium() as browser:
        for scheme, name in (("light", "report-first-screen.png"), ("dark", "report-first-screen-dark.png")):
            save_small(taken(opened(browser, file, DESKTOP, scheme=scheme), 0, 940), IMAGES / name)
        section = opened(browser, file, DESKTOP)
        section.add_style_tag(content="figcaption, .download { display: none }")
        part = section.locator("section[aria-labelledby=reconstructions]")
        start, figure = part.bounding_box()["y"], part.locator("figure").first.bounding_box()
        save_small(taken(section, start, figure["y"] + figure["height"]), IMAGES / "report.png")
        phones = []
        # What is seen first, and then the sections with figures.
        for scheme, anchor in (("light", "body"), ("dark", "#history")):
            phone = opened(browser, file, PHONE, scheme=scheme)
            start = phone.locator(anchor).bounding_box()["y"]
            phones.append(taken(phone, start, start + HEIGHT))
        save_small(side_by_side(phones, 20), IMAGES / "report-phone.png")


def plots(folder: Path, model: StatsVAETransformer) -> None:
    """Draw plots of each kind in one figure."""
    test = open_structures(folder / "test.zarr")
    X = test.data.compute()
    Z = model.transform(X)
    reconstructions = model.inverse_transform(Z)
    f, g = (model.statistics(a[:1])[0, ..., 0] for a in (X, reconstructions))
    make_dataset("grf", folder / "volume.zarr", n=1, size=(24, 24, 24), correlation_length=6)
    figure = Figure(figsize=(12, 9.5), dpi=75 * DENSITY, layout="constrained")
    rows = figure.subfigures(3, 1, height_ratios=(1, 0.62, 1))
    top = rows[0].subplots(1, 3)
    plot_history(top[0], model.history_).set(title="plot_history", ylabel="loss, relative error")
    fractions = [a.mean((1, 2)) for a in (X, reconstructions)]
    names = {"xlabel": "volume fraction of the original", "ylabel": "volume fraction of the reconstruction"}
    plot_agreement(top[1], *fractions).set(title="plot_agreement", **names)
    plot_latents(top[2], Z, values=fractions[0], value_name="volume fraction").set_title("plot_latents")
    strip, difference = rows[1].subplots(1, 2, width_ratios=(3, 1))
    realizations = model.inverse_transform(Z[:1], n_realizations=3, random_state=0)[0]
    plot_strip(strip, [X[0], *realizations], ["original", 1, 2, 3], phases=2).set_title("plot_strip")
    plot_difference(difference, f, g).set_title("plot_difference")
    bottom = list(rows[2].subplots(1, 3))
    plot_sections(bottom, np.asarray(open_structures(folder / "volume.zarr").data[0]))
    rows[2].suptitle("plot_sections")
    add_phase_legend(figure, 2)
    picture = IMAGES / "report-plots.png"
    figure.savefig(picture)
    shrink(picture)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        fitted = fit_model(Path(scratch))
        page(Path(scratch))
        plots(Path(scratch), fitted)
