"""Draw the figures on reports: ``python docs/pictures_report.py``; it trains for a minute, and needs chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from screenshots import save_small, screenshot

from matvae import StatsVAETransformer, open_structures
from matvae.data.datasets import make_dataset
from matvae.jobs import report_model
from matvae.report import (
    plot_agreement,
    plot_difference,
    plot_history,
    plot_latents,
    plot_sections,
    plot_strip,
)
from matvae.report.style import DENSITY

IMAGES = Path(__file__).parent / "images"
SECONDS = 60
PARAMETERS = {"volume_fraction_range": (0.2, 0.5), "correlation_length_range": (3, 8), "isotropic": False}
# A phone; windows of Chromium are at least 500 pixels wide, so that the page is shown in a frame.
PHONE, HEIGHT = 390, 1500
DARK = "@media (prefers-color-scheme: dark)"


def train_model(folder: Path) -> StatsVAETransformer:
    """Train a model on random fields; save it, its training structures and unseen structures in the folder."""
    for name, n, seed in (("train.zarr", 4000, 2), ("test.zarr", 500, 1)):
        make_dataset("grf", folder / name, n=n, size=32, seed=seed, **PARAMETERS)
    model = StatsVAETransformer(9, max_time=SECONDS, random_state=0, decoder="dense")
    model.fit(open_structures(folder / "train.zarr")).save(folder / "fields.matvae")
    return model


def page(folder: Path) -> None:
    """Take screenshots of the first screen in light and in dark mode, and of the section on reconstructions."""
    report_model(folder / "fields.matvae", folder / "test.zarr", folder / "report.html", train=folder / "train.zarr")
    # A screenshot begins at the top of the page, so all other sections are hidden in a copy.
    hidden = "main > :not(section), section:not([aria-labelledby=reconstructions]), footer, figcaption, .download"
    style = hidden + " { display: none } </style>"
    html = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "section.html").write_text(html.replace("</style>", style, 1), encoding="utf-8")
    section = screenshot(folder / "section.html", folder, width=1060, height=1030)
    save_small(Image.open(section), IMAGES / "report.png")
    (folder / "dark.html").write_text(html.replace(DARK, "@media all", 1), encoding="utf-8")
    for name, picture in (("report", "report-first-screen"), ("dark", "report-first-screen-dark")):
        first = Image.open(screenshot(folder / f"{name}.html", folder, width=1280, height=1000))
        save_small(first.crop((120, 0, 1160, 1000)), IMAGES / f"{picture}.png")


def phone(folder: Path) -> None:
    """Take pictures of the page on a phone, in light and in dark mode, beside each other."""
    both = Image.new("RGB", (2 * PHONE + 20, HEIGHT), "white")
    # What is seen first, and then the sections with figures.
    for i, (name, anchor) in enumerate({"report": "", "dark": "#history"}.items()):
        frame = f'<iframe src="{name}.html{anchor}" style="width: {PHONE}px; height: {HEIGHT}px; border: 0"></iframe>'
        (folder / "frame.html").write_text(f'<body style="margin: 0">{frame}</body>', encoding="utf-8")
        picture = Image.open(screenshot(folder / "frame.html", folder, width=500, height=HEIGHT))
        both.paste(picture.crop((0, 0, PHONE, HEIGHT)), (i * (PHONE + 20), 0))
    save_small(both, IMAGES / "report-phone.png")


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
    plot_history(top[0], model.history_).set_title("plot_history")
    fractions = [a.mean((1, 2)) for a in (X, reconstructions)]
    plot_agreement(top[1], *fractions).set_title("plot_agreement")
    plot_latents(top[2], Z, values=fractions[0], value_name="volume fraction").set_title("plot_latents")
    strip, difference = rows[1].subplots(1, 2, width_ratios=(3, 1))
    realizations = model.inverse_transform(Z[:1], n_realizations=3, random_state=0)[0]
    plot_strip(strip, [X[0], *realizations], ["original", 1, 2, 3], phases=2).set_title("plot_strip")
    plot_difference(difference, f, g).set_title("plot_difference")
    bottom = list(rows[2].subplots(1, 3))
    plot_sections(bottom, np.asarray(open_structures(folder / "volume.zarr").data[0]))
    rows[2].suptitle("plot_sections")
    figure.savefig(IMAGES / "report-plots.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        fitted = train_model(Path(scratch))
        page(Path(scratch))
        phone(Path(scratch))
        plots(Path(scratch), fitted)
