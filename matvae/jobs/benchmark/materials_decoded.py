"""Errors of statistics decoded from the latents of held-out windows, and of another true window for comparison."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...estimator import StatsVAETransformer, TwoPointPCA
from ...evaluate.lag_errors import lag_errors
from ...model import VOXELS
from ...model.decoders.statistics import SURFACE_AREA
from ...stats import resolve_correlations, surface_area, two_point_stats
from .materials_windows import Material, MaterialWindows

PLAIN_PCA, LAG_PCA, MATVAE, IMAGE_VAE = "PCA", "PCA, lag metric", "matvae", "image-space VAE"
FLOOR = "another true window"


@dataclass(frozen=True)
class Windows:
    """Windows with the statistics, surfaces and volume fractions by which methods are measured.

    Parameters
    ----------
    structures : array of uint8 ``(sample, *space)``
    statistics : array ``(sample, *lag, correlation)``
    surfaces, volume_fractions : array ``(sample, phase)``
        Of phases 1 to H-1.
    """

    structures: np.ndarray
    statistics: np.ndarray
    surfaces: np.ndarray
    volume_fractions: np.ndarray

    @classmethod
    def of(cls, structures: np.ndarray, phases: int, cutoff: int) -> Windows:
        """Compute all of them."""
        f = two_point_stats(structures, spatial_dims=structures.ndim - 1, phases=phases, periodic=False, cutoff=cutoff)
        surfaces = surface_area(structures, spatial_dims=structures.ndim - 1, phases=phases, periodic=False)[:, 1:]
        return cls(structures, f, surfaces, fractions_in(f, phases))

    def __getitem__(self, indices: np.ndarray) -> Windows:
        return Windows(*(getattr(self, name)[indices] for name in self.__dataclass_fields__))


def estimators(material: Material, n_components: int, seed: int, image_seconds: float) -> dict[str, Any]:
    """Unfitted methods by name, PCA first; the image-space VAE only where it has seconds to train."""
    shared: dict[str, Any] = {"phases": material.phases, "periodic": False, "cutoff": material.cutoff}
    methods: dict[str, Any] = {
        PLAIN_PCA: TwoPointPCA(n_components, **shared),
        LAG_PCA: TwoPointPCA(n_components, metric="lags", **shared),
        MATVAE: StatsVAETransformer(n_components, random_state=seed, **shared),
    }
    if image_seconds:
        methods[IMAGE_VAE] = StatsVAETransformer(
            n_components, random_state=seed, encoder="image", loss=VOXELS, max_time=image_seconds, **shared
        )
    return methods


def fitted(estimator: Any, material_windows: MaterialWindows) -> float:
    """Fit a method on the training windows, and return the seconds it took."""
    started = time.monotonic()
    estimator.fit(material_windows.training)
    return time.monotonic() - started


def decoded_row(
    method: str, estimator: Any, test: Windows, mean: np.ndarray, plain: Mapping[str, Any] | None, seconds: float
) -> dict[str, Any]:
    """Errors of what a fitted method decodes from the latents of windows.

    Parameters
    ----------
    method : str
    estimator : fitted estimator
    test : Windows
    mean : array ``(*lag, correlation)``
        Mean statistics of the training windows, the prediction that has a centred error of 1.
    plain : mapping, optional
        Row of PCA with as many components, to which errors are relative.
    seconds : float
        Of the fit.

    Returns
    -------
    dict
        See `benchmark_materials`.
    """
    latents = estimator.transform(test.structures)
    g = np.asarray(estimator.inverse_statistics(latents))
    surfaces = None
    if isinstance(estimator, StatsVAETransformer):
        surfaces = estimator.inverse_descriptors(latents).get(SURFACE_AREA)
    errors = decoded_errors(test, g, None if surfaces is None else surfaces[:, 1:], mean)
    reference = errors if plain is None else plain
    lags = [name for name in errors if name.startswith("centred")]
    return {
        "method": method,
        "n_components": estimator.n_components,
        **errors,
        **{name.replace("centred", "ratio"): errors[name] / reference[name] for name in lags},
        "fit_seconds": seconds,
    }


def floor_row(test: Windows, others: Windows, mean: np.ndarray) -> dict[str, Any]:
    """The same row for another true window in place of what is decoded: the floor of any model of the material."""
    pairs = others[np.arange(len(test.structures)) % len(others.structures)]
    errors = decoded_errors(test, pairs.statistics, pairs.surfaces, mean)
    return {"method": FLOOR, "n_components": None, **errors}


def decoded_errors(true: Windows, g: np.ndarray, surfaces: np.ndarray | None, mean: np.ndarray) -> dict[str, Any]:
    """Errors of approximate statistics and surfaces of windows.

    Parameters
    ----------
    true : Windows
    g : array ``(sample, *lag, correlation)``
        Approximate statistics.
    surfaces : array ``(sample, phase)``, optional
        Approximate specific surfaces of phases 1 to H-1.
    mean : array ``(*lag, correlation)``

    Returns
    -------
    dict
        ``centred_all``, ``centred_8``, ``centred_16``, ``surface_error``, ``volume_fraction_bias`` and
        ``volume_fraction_largest``; for more than two phases, those of the phase where they are largest.
    """
    errors = lag_errors(true.statistics, g, mean=mean)
    difference = fractions_in(g, true.volume_fractions.shape[1] + 1) - true.volume_fractions
    bias = difference.mean(axis=0)
    return {
        **{f"centred_{lags}": float(np.median(of_lags["centred"])) for lags, of_lags in errors.items()},
        "surface_error": None if surfaces is None else surface_error(true.surfaces, surfaces),
        "volume_fraction_bias": float(bias[np.abs(bias).argmax()]),
        "volume_fraction_largest": float(np.abs(difference).max()),
    }


def surface_error(true: np.ndarray, approximate: np.ndarray) -> float:
    """Median of ``|s' - s| / s`` over all surfaces ``(sample, phase)`` that are not zero."""
    exists = true > 0
    return float(np.median(np.abs(approximate[exists] / true[exists] - 1)))


def fractions_in(statistics: np.ndarray, phases: int) -> np.ndarray:
    """Volume fractions ``(sample, phase)`` of phases 1 to H-1: their autocorrelations at zero lag."""
    pairs = resolve_correlations(None, phases)
    zero = tuple(n // 2 for n in statistics.shape[1:-1])
    at_zero = statistics[(slice(None), *zero)]
    return at_zero[:, [pairs.index((phase, phase)) for phase in range(1, phases)]]
