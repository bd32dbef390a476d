"""Synthetic contents of a report: structures of any dimension, with values that are easy to recognise."""

from __future__ import annotations

import numpy as np

from matvae import Grid, two_point_stats
from matvae.report import Candidates, Examples, Neighbours, ReportParts, Traversal


def labels(rng, n, grid):
    """Random structures ``(sample, *space)``."""
    return rng.integers(0, grid.phases, (n, *grid.shape)).astype(np.uint8)


def statistics(structures, grid):
    """2-point statistics ``(sample, *lag, correlation)``."""
    return np.asarray(two_point_stats(structures, spatial_dims=grid.ndim, phases=grid.phases))


def parts(shape=(8, 8), phases=2, **changes):
    """Contents of a report on six structures with three latent components."""
    rng = np.random.default_rng(0)
    grid = Grid(shape, phases=phases)
    n, k = 6, 3
    originals, reconstructions, realizations = labels(rng, 2, grid), labels(rng, 2, grid), labels(rng, 4, grid)
    traversal = labels(rng, 15, grid)
    values = {
        "title": "Report of rock.matvae",
        "version": "0.1.0",
        "grid": grid,
        "model": {"name": "rock.matvae", "weights": "1,234"},
        "data": {"name": "test.zarr", "structures": "6"},
        "settings": {"beta": "0.0001"},
        "notes": ["A note."],
        "history": [{"loss": 2.0, "validation_error": 0.75}, {"loss": 0.5, "validation_error": 0.25}],
        "pairs": [(1, 1)],
        "numbers": np.arange(0, 2 * n, 2),
        "errors": np.linspace(0.1, 0.2, n),
        "fractions": np.stack([np.full((n, phases - 1), 0.25), np.full((n, phases - 1), 0.375)]),
        "rows": [
            {"method": "training mean", "n_components": None, "centred_error": 1.0},
            {"method": "PCA", "n_components": 1, "centred_error": 0.5},
            {"method": "PCA", "n_components": 3, "centred_error": 0.25},
            {"method": "matvae", "n_components": 3, "centred_error": 0.125, "structure_centred_error": 0.1875},
        ],
        "rows_note": "PCA was fitted on 5 training structures.",
        "examples": Examples(
            np.array([0, 10]),
            originals,
            reconstructions,
            statistics(originals, grid),
            statistics(reconstructions, grid),
            np.array([0.25, 0.5]),
            realizations.reshape(2, 2, *shape),
            np.array([[0.11, 0.22], [0.33, 0.44]]),
        ),
        "similar": {
            by: Neighbours(
                np.array([[7, 8], [9, 11]]),
                np.array([[0.0, 0.5], [0.125, 0.25]]),
                labels(rng, 4, grid).reshape(2, 2, *shape),
                np.array([0.75, 0.0625]),
            )
            for by in ("image", "statistics")
        },
        "searched": "Sought among 20 of 20 training structures.",
        "latents": rng.standard_normal((n, k)),
        "scores": rng.standard_normal((n, 4)),
        "properties": {"modulus": np.array([1.0, 2.0, 3.0, np.nan, 5.0, 6.0])},
        "units": {"modulus": "GPa"},
        "materials": ["alloy"] * 3 + ["ceramic"] * 3,
        "traversal": Traversal(
            np.array([2, 0, 1]),
            np.array([-2.0, -1.0, 0.0, 1.0, 2.0]),
            traversal.reshape(3, 5, *shape),
            statistics(traversal, grid)[..., 0].reshape(3, 5, *shape),
        ),
        "candidates": Candidates(
            "designed.zarr",
            labels(rng, 3, grid),
            rng.standard_normal((3, k)),
            {
                "requested_modulus": np.array([1.5, 2.5, 3.5]),
                "modulus": np.array([1.25, 2.5, np.nan]),
                "modulus_spread": np.array([0.125, 0.25, np.nan]),
            },
            {"modulus": "GPa"},
        ),
    }
    return ReportParts(**{**values, **changes})
