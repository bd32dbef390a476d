"""Synthetic contents and result of a benchmark, with known values."""

from __future__ import annotations

import numpy as np

from matvae import two_point_stats
from matvae.report import BenchmarkParts, Example, Neighbours, Traversal

STEPS = (-1.0, 0.0, 1.0)


def images(n, seed):
    """Random images ``(sample, y, x)``."""
    return (np.random.default_rng(seed).random((n, 12, 12)) < 0.2).astype(np.uint8)


def example(number, lines, choice="drawn at random"):
    """A structure of horizontal lines whose reconstruction lacks one of them."""
    original, reconstruction = images(2, number)
    f, g = two_point_stats(np.stack([original, reconstruction]))[..., 0]
    latent = np.array([0.5, -1.0, 2.0])
    return Example(
        number, choice, original, reconstruction, f, g, latent, 0.25, (lines, 0), (lines - 1, 1 if number else 0)
    )


def parts():
    """Two examples with one line and two with two lines; latents of eight samples."""
    examples = [
        example(0, 1),
        example(3, 1, "largest error"),
        example(1, 2),
        example(2, 2, "smallest error"),
    ]
    queries = [examples[0], examples[2]]
    neighbours = Neighbours(
        np.array([[7, 8], [9, 11]]), np.array([[2e-22, 0.5], [0.125, 0.25]]), images(4, 5).reshape(2, 2, 12, 12)
    )
    rng = np.random.default_rng(0)
    return BenchmarkParts(
        examples=examples,
        neighbours={
            (source, measure): neighbours
            for source in ("original", "reconstruction")
            for measure in ("image", "statistics")
        },
        queries=queries,
        traversal=Traversal(np.array([2, 0]), np.array(STEPS), images(6, 6).reshape(2, 3, 12, 12)),
        latents=rng.standard_normal((8, 3)),
        lines=np.array([1, 1, 1, 1, 2, 2, 2, 2]),
        fractions=rng.uniform(0.1, 0.2, (8, 2)),
        means={name: np.full((12, 12), v) for name, v in result()["mean_peak"].items()},
        history=[
            {"seconds": 60.0 * k, "loss": 2.0 / k, "statistics_loss": 1.0 / k, "kl": 3.0, "validation_error": 0.5 / k}
            for k in (1, 2, 3)
        ],
    )


def result():
    """A result of `benchmark_paper` that matches these contents."""
    row = {"n_samples": 8, "orientation": 75.0, "number": 62.5, "volume_fraction_difference": 1.23456789}
    counts = [0, 3, 1, 0, 0, 0, 0]
    return {
        "preset": "matvae",
        "size": 12,
        "n": 50,
        "n_test": 8,
        "n_components": 3,
        "seed": 0,
        "test_seed": 1_000_000,
        "weights": None,
        "element": 3,
        "searched": 50,
        "pca": {"n_training": 40, "n_structures": 6},
        "rows": [
            {
                "method": "paper, as published",
                "n_samples": 100,
                "orientation": 98.0,
                "number": 63.0,
                "volume_fraction_difference": 17.0,
                "decoded_error": None,
                "structure_error": None,
                "published": True,
            },
            {"method": "PCA (3)", **row, "decoded_error": 0.5, "structure_error": 0.75},
            {"method": "matvae (3)", **row, "number": 87.5, "decoded_error": 0.0625, "structure_error": 0.125},
        ],
        "by_number": [{"lines": n, **row, "n_samples": 4, "structure_error": 0.5, "found": counts} for n in (1, 2)],
        "mean_peak": {"original": 0.25, "reconstruction": 0.5, "registered": 0.375},
        "notes": ["A <note> & more."],
        "settings": {"beta": 1e-4, "encoder": "statistics", "correlations": None},
        "n_weights": 1234567,
        "epochs": 3,
        "steps": 2100,
        "versions": {"matvae": "0.1.0", "torch": "2.13.0"},
        "machine": {"cores": 2, "device": "cpu"},
        "commands": {"run": "matvae run", "resume": "matvae run --resume", "longer": "matvae run --overwrite"},
        "seconds": {"data": None, "training": 180.0, "measuring": 7.0},
    }
