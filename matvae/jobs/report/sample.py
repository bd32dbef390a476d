"""Which structures a report looks at, so that it is done in a minute; and PCA of as many."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ...data import Structures
from ...estimator import TwoPointPCA
from ..measure import pca_like
from ..nearest import spread

# Structures measured: so many, fewer where they are large, but some in any case.
MOST, MOST_VOXELS, LEAST = 2000, 2**26, 20
# Statistics that PCA is fitted on, in bytes.
PCA_BYTES = 256 << 20


def choose(structures: Structures, most: int = MOST) -> tuple[Structures, np.ndarray]:
    """Structures spread over a set, still lazy, and their numbers in it ``(sample,)``."""
    n = min(most, max(LEAST, MOST_VOXELS // structures.grid.n_voxels))
    if len(structures) <= n:
        return structures, np.arange(len(structures))
    numbers = spread(len(structures), n)
    properties = {name: values[numbers] for name, values in structures.properties.items()}
    return replace(structures, data=structures.data[numbers], properties=properties), numbers


def fit_pca(estimator: Any, structures: Structures) -> tuple[TwoPointPCA, int]:
    """PCA of twice the model's components, as far as the structures give them, and the number of structures."""
    grid = structures.grid
    lags = math.prod(grid.shape) * (1 if estimator.periodic else 2**grid.ndim)
    most = max(2 * estimator.n_components + 1, LEAST, PCA_BYTES // (8 * lags))
    few, numbers = choose(structures, min(MOST, most))
    return pca_like(estimator, min(2 * estimator.n_components, len(numbers))).fit(few.data), len(numbers)
