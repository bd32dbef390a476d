"""Prediction of stiffness from PC scores and from VAE latents: ``python docs/examples/homogenization.py``.

Writes docs/generated/homogenization.md and docs/images/homogenization.png, and prints the duration of each part.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from matvae import StatsVAETransformer
from matvae.report import plot_structure
from matvae.report.style import DENSITY, add_phase_legend
from matvae_pymks import FlattenTransformer, PrimitiveTransformer, TwoPointCorrelation, generate_multiphase, solve_fe

DOCS = Path(__file__).resolve().parents[1]
GRAIN_SIZES = [(2, 2), (4, 4), (7, 7), (10, 10), (8, 3), (3, 9), (12, 5), (5, 12), (15, 2), (2, 15)]  # rows, columns
N_PER_CLASS = 40
SIZE = 21
MODULI, RATIOS = (100.0, 10.0), (0.3, 0.3)  # GPa; phase 0 is stiff
COMPONENTS = (1, 2, 3, 5, 10)
DEGREE = 2


def structures() -> np.ndarray:
    """Generate all classes, ``(sample, x, y)``, with 35 to 65 % of each phase."""
    shape = (N_PER_CLASS, SIZE, SIZE)
    return np.concatenate(
        [
            generate_multiphase(shape, grain_size, (0.5, 0.5), percent_variance=0.15, seed=seed)
            for seed, grain_size in enumerate(GRAIN_SIZES)
        ]
    )


def stiffness(X: np.ndarray) -> np.ndarray:
    """Compute the effective stiffness C11 ``(sample,)`` in GPa: mean stress over mean strain."""
    macro_strain = 0.001
    return solve_fe(X, MODULI, RATIOS, macro_strain)["stress"][..., 0].mean(axis=(1, 2)) / macro_strain


def regression() -> Pipeline:
    """Return the polynomial regression used for both; the ridge penalty is chosen on the training data."""
    return make_pipeline(StandardScaler(), PolynomialFeatures(DEGREE), RidgeCV(np.logspace(-6, 2, 17)))


def by_pca(n_components: int) -> Pipeline:
    """Return PyMKS's workflow."""
    correlations = TwoPointCorrelation(correlations=[(1, 1)])
    return make_pipeline(PrimitiveTransformer(), correlations, FlattenTransformer(), PCA(n_components), regression())


def by_vae(n_components: int) -> Pipeline:
    model = StatsVAETransformer(n_components, decoder="dense", beta=1e-3, width=128, max_epochs=200, random_state=0)
    return make_pipeline(model, regression())


def r_squared(X: np.ndarray, y: np.ndarray) -> dict[str, list[float]]:
    """Compute R^2 on a held-out quarter of each class."""
    classes = np.repeat(np.arange(len(GRAIN_SIZES)), N_PER_CLASS)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=classes, random_state=0)
    return {
        name: [build(n).fit(X, y).score(X_test, y_test) for n in COMPONENTS]
        for name, build in {"PCA": by_pca, "VAE": by_vae}.items()
    }


def write_table(scores: dict[str, list[float]]) -> None:
    rows = [f"| {n} | {pca:.3f} | {vae:.3f} |" for n, pca, vae in zip(COMPONENTS, *scores.values(), strict=True)]
    header = ["| components | R², PCA scores | R², VAE latents |", "|---|---|---|"]
    marker = "<!-- written by docs/examples/homogenization.py -->"
    text = "\n".join(["---", "orphan: true", "---", "", marker, "", *header, *rows, ""])
    (DOCS / "generated" / "homogenization.md").write_text(text, encoding="utf-8")


def draw(X: np.ndarray, y: np.ndarray, scores: dict[str, list[float]]) -> None:
    figure = Figure(figsize=(9, 3.9), dpi=100 * DENSITY, layout="constrained")
    left, right = figure.subfigures(1, 2)
    left.suptitle("stretched from top to bottom", fontsize=10)
    add_phase_legend(left, 2, ("stiff", "soft"))
    for axes, index in zip(left.subplots(2, 2).flat, (0, 3, 8, 9), strict=True):
        first = index * N_PER_CLASS
        plot_structure(axes, X[first])
        rows, columns = GRAIN_SIZES[index]
        axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
        axes.set_title(f"grains {rows} x {columns}: {y[first]:.0f} GPa", fontsize=9)
    axes = right.subplots()
    for (name, values), style in zip(scores.items(), ("o--", "s-"), strict=True):
        axes.plot(COMPONENTS, values, style, label=name, color={"PCA": "#b5651d", "VAE": "#17324d"}[name])
    axes.set(xlabel="components", ylabel="R² of the stiffness, unseen structures", xticks=COMPONENTS)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(DOCS / "images" / "homogenization.png")


def main() -> None:
    start = time.perf_counter()
    X = structures()
    y = stiffness(X)
    print(f"{len(X)} structures solved in {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    scores = r_squared(X, y)
    print(f"{len(COMPONENTS)} models of each kind in {time.perf_counter() - start:.0f} s")
    for folder in ("generated", "images"):
        (DOCS / folder).mkdir(exist_ok=True)
    write_table(scores)
    draw(X, y, scores)


if __name__ == "__main__":
    main()
