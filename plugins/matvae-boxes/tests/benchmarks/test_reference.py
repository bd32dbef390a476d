"""Reconstructions of lines by the reference model, from latents alone and refined by the originals' statistics."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from matvae import Grid, load
from matvae.data.datasets.lines import Lines
from matvae.evaluate import LineErrors, VolumeFractionError, line_element
from matvae.reconstruction import reconstruct
from matvae_boxes import REFERENCE

N, SIZE, ITERATIONS = 200, 224, 400


def test_refinement_by_the_statistics_of_the_originals():
    generator, rng = Lines((SIZE, SIZE)), np.random.default_rng(1)
    images, properties = zip(*(generator.sample(rng) for _ in range(N)), strict=True)
    X, numbers = np.stack(images), np.array([[p["n_horizontal"], p["n_vertical"]] for p in properties])
    model = load(REFERENCE)
    f = model.statistics(X)
    started = perf_counter()
    decoded = model.inverse_transform(model.transform(X))
    row("from the latent alone", X, numbers, decoded, perf_counter() - started)
    for source, start in (("refined from the latent", decoded), ("refined from noise", None)):
        started = perf_counter()
        result = reconstruct(f, grid=Grid((SIZE, SIZE)), init=start, max_iter=ITERATIONS, random_state=0)
        row(source, X, numbers, result.structures, perf_counter() - started)


def row(source: str, X: np.ndarray, numbers: np.ndarray, reconstructions: np.ndarray, seconds: float) -> None:
    lines, fractions = LineErrors(line_element((SIZE, SIZE))), VolumeFractionError()
    lines.add(X, reconstructions, numbers)
    fractions.add(X, reconstructions)
    summary = lines.summary()
    print(
        f"\n{source:<26} orientation {summary['orientation']:5.1f} %   number {summary['number']:5.1f} %   "
        f"volume fraction {fractions.percent:5.2f} %   {1e3 * seconds / len(X):6.0f} ms each",
        end="",
    )
