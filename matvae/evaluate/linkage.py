"""Structure-property linkages: how well latents predict a property, by two kinds of regression.

R^2 is ``1 - sum (y - y')^2 / sum (y - mean(y))^2`` over structures the regression has not seen: 1 is exact, 0 is as
good as their mean, and there is no lower bound.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

# The cost of a Gaussian process grows with the cube of the number of samples.
GAUSSIAN_PROCESS_SAMPLES = 1000


def polynomial() -> Any:
    """Quadratic polynomials of the latents, with a ridge penalty chosen by leave-one-out validation.

    Gupta, Cecen, Goyal, Singh & Kalidindi, Acta Materialia 91, 239 (2015), who select terms instead.
    """
    features = PolynomialFeatures(2, include_bias=False)
    return make_pipeline(StandardScaler(), features, StandardScaler(), RidgeCV(np.logspace(-6, 4, 21)))


def gaussian_process(n_components: int) -> Any:
    """Gaussian process with one length scale per component and white noise, fitted by maximum marginal likelihood.

    Rasmussen & Williams, "Gaussian processes for machine learning" (2006), sections 2.2 and 5.1.
    """
    distance = RBF(np.full(n_components, float(n_components) ** 0.5), (1e-2, 1e5))
    kernel = ConstantKernel(1.0, (1e-3, 1e3)) * distance + WhiteKernel(0.1, (1e-6, 1e1))
    return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))


def linkage_scores(
    latents: np.ndarray,
    properties: Mapping[str, np.ndarray],
    unseen_latents: np.ndarray,
    unseen_properties: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """R^2 of regressions from latents to properties, fitted on some structures and evaluated on others.

    Parameters
    ----------
    latents, unseen_latents : array ``(sample, component)``
        Of the structures for fitting, and of those for evaluation.
    properties, unseen_properties : mapping of str to array ``(sample,)``
        Their properties; finite.
    seed : int
        Of the random subset that the Gaussian process is fitted on if there are more than 1000 structures.

    Returns
    -------
    dict of str to dict
        Maps each property to its R^2 by ``polynomial`` and by ``gaussian_process``.
    """
    Z, unseen = (np.asarray(array, dtype=np.float64) for array in (latents, unseen_latents))
    subset = np.sort(np.random.default_rng(seed).permutation(len(Z))[:GAUSSIAN_PROCESS_SAMPLES])
    scores: dict[str, dict[str, float]] = {}
    for name, y in properties.items():
        true = unseen_properties[name]
        with warnings.catch_warnings():
            # A component that is irrelevant to the property gets the largest length scale, as it should.
            warnings.simplefilter("ignore", ConvergenceWarning)
            predicted = {
                "polynomial": polynomial().fit(Z, y).predict(unseen),
                "gaussian_process": gaussian_process(Z.shape[1]).fit(Z[subset], y[subset]).predict(unseen),
            }
        scores[name] = {kind: float(r2_score(true, values)) for kind, values in predicted.items()}
    return scores


def mean_scores(
    properties: Mapping[str, np.ndarray], unseen_properties: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float]]:
    """R^2 of always predicting the mean over the training structures, in the form of `linkage_scores`."""

    def score(y: np.ndarray, true: np.ndarray) -> float:
        return float(r2_score(true, np.full(len(true), y.mean())))

    values = {name: score(y, unseen_properties[name]) for name, y in properties.items()}
    return {name: {"polynomial": value, "gaussian_process": value} for name, value in values.items()}
