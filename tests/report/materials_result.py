"""A synthetic result of the benchmark of materials, all of whose values are known, with its pictures."""

from __future__ import annotations

import numpy as np

from matvae.report import MaterialPictures


def decoded(material, method, n, error, **others):
    """A row of decoded statistics."""
    return {
        "material": material,
        "method": method,
        "n_components": n,
        "centred_all": error,
        "centred_all_spread": 0.01,
        "centred_8": 0.25,
        "centred_8_spread": None,
        "centred_16": 0.5,
        "ratio_all": None,
        "ratio_8": 0.75,
        "surface_error": None,
        "volume_fraction_bias": -0.0125,
        "volume_fraction_bias_spread": 0.005,
        "volume_fraction_largest": 0.05,
        "fit_seconds": 1.25,
        **others,
    }


def realized(material, realize, n_alike):
    """A row of realized structures."""
    return {
        "material": material,
        "method": "matvae",
        "n_components": 5,
        "realize": realize,
        "centred_all": 0.3,
        "centred_8": 0.2,
        "loss_all": 1.05,
        "loss_8": 1.0,
        "surface_error": 0.04,
        "surface_error_spread": 0.01,
        "n_alike": n_alike,
        "copying": 0.875,
        "copying_true": 0.85,
        "diversity": 0.96,
        "seconds": 1.5,
        "outside": [],
    }


def run(material, shape):
    """What a page shows of one run."""
    return {
        "material": material,
        "seed": 0,
        "held_out": "end of x",
        "shape": shape,
        "cutoff": shape[0] // 2,
        "n_training": 30,
        "independent_windows": 8.6,
        "n_validation": 4,
        "n_test": 5,
        "seconds": 12.4,
    }


def result():
    """An image and a volume, with two numbers of components."""
    rows = [
        row
        for material in ("alloy", "berea_3d")
        for row in (
            decoded(material, "another true window", None, 1.5),
            decoded(material, "PCA", 2, 0.6),
            decoded(material, "PCA", 5, 0.4),
            decoded(material, "matvae", 5, 0.3, surface_error=0.125),
        )
    ]
    return {
        "materials": ["alloy", "berea_3d"],
        "seeds": [0, 1],
        "n_components": [2, 5],
        "realized_at": 5,
        "n_realized": 6,
        "quick": False,
        "decoded": rows,
        "realized": [realized("alloy", "retrieval", 2.0), realized("alloy", "examples", 5.5)],
        "runs": [run("alloy", [16, 16]), run("berea_3d", [8, 8, 8])],
        "warnings": ["alloy: A <warning> & more."],
        "version": "1.2.3",
        "command": "matvae benchmark materials --data data",
    }


def pictures():
    """Random structures of both materials; the volume has neither PCA nor an image-space VAE."""
    rng = np.random.default_rng(0)

    def labels(*shape):
        return rng.integers(0, 3, shape, dtype=np.uint8)

    image, volume = (16, 16), (8, 8, 8)
    return {
        "alloy": MaterialPictures(3, *(labels(4, *image) for _ in range(5)), labels(1, 32, 32), labels(2, 32, 32)),
        "berea_3d": MaterialPictures(
            3, labels(4, *volume), None, None, labels(4, *volume), labels(4, *volume), labels(1, 16, 16, 16), None
        ),
    }
