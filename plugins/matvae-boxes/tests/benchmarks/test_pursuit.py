"""Run time of the search for boxes by stage, compared with phase retrieval of the same statistics."""

from __future__ import annotations

import cProfile
import pstats
from time import perf_counter

import numpy as np

from matvae import Grid, load
from matvae.data.datasets.lines import Lines
from matvae.reconstruction import reconstruct
from matvae_boxes import REFERENCE

N, SIZE, ITERATIONS = 64, 224, 400
STAGES = {"_place": "placing boxes", "_downhill": "refining all boxes", "_settle": "refining boxes of a known kind"}


def test_time_per_structure():
    generator, rng = Lines((SIZE, SIZE)), np.random.default_rng(1)
    X = np.stack([generator.sample(rng)[0] for _ in range(N)])
    model = load(REFERENCE)
    profiler = cProfile.Profile()
    started = perf_counter()
    z = profiler.runcall(model.transform, X)
    searched = perf_counter() - started
    started = perf_counter()
    reconstruct(model.statistics(X), grid=Grid((SIZE, SIZE)), max_iter=ITERATIONS, random_state=0)
    retrieved = perf_counter() - started
    # The fourth entry is the time in the function including those that it calls.
    seconds = {name: entry[3] for (_, _, name), entry in pstats.Stats(profiler).stats.items() if name in STAGES}
    shares = ", ".join(f"{stage} {100 * seconds[name] / searched:.0f} %" for name, stage in STAGES.items())
    print(
        f"\n{SIZE} x {SIZE}, {1e3 * searched / N:.0f} ms per structure: {shares}; phase retrieval "
        f"{1e3 * retrieved / N:.0f} ms, ratio {retrieved / searched:.1f}",
        end="",
    )
    assert np.isfinite(z).all()
