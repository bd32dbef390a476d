"""Structures realized from the latents of held-out windows, as a set: is it the same material?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...data.subsets import spread_indices
from ...estimator import FittedModel, TwoPointPCA
from ...estimator.textures import DECODER, EXAMPLES, RETRIEVAL
from ...evaluate.lag_errors import lag_errors
from ...evaluate.material_measures import measure_structures
from ...evaluate.resemblance import Resemblance, agreement, agreement_of_pairs
from ...evaluate.set_distances import OUTSIDE, compare_measured
from .materials_decoded import Windows, surface_error
from .materials_windows import Material, MaterialWindows

# Measures that no method is fitted to, apart from the surface, which matvae decodes.
MEASURED = (
    "specific_surface",
    "mean_chord_length",
    "lineal_path",
    "cluster_function",
    "percolating_share",
    "pieces",
)
# Windows without overlap, by which copying and diversity are judged.
MOST_APART = 32


@dataclass
class Realizer:
    """Realizes the same held-out latents by several methods, and compares the sets with true windows.

    Parameters
    ----------
    material : Material
    windows : MaterialWindows
    test : Windows
        All test windows.
    n_realized : int
        Number of them that are realized, spread evenly.
    mean : array ``(*lag, correlation)``
        Mean statistics of the training windows.
    seed : int
    """

    material: Material
    windows: MaterialWindows
    test: Windows
    n_realized: int
    mean: np.ndarray
    seed: int
    chosen: Windows = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = self.test[spread_indices(len(self.test.structures), self.n_realized)]
        self._true = self._measured(self.windows.test)
        self._others = self._measured(self.windows.validation)
        apart = self.windows.apart[spread_indices(len(self.windows.apart), MOST_APART)]
        # The same for all methods, and slow.
        self._true_with_training = agreement(apart, self.windows.training, phases=self.material.phases)
        self._among_true = agreement_of_pairs(apart, phases=self.material.phases)

    def row(self, method: str, estimator: Any, realize: str) -> tuple[dict[str, Any], np.ndarray]:
        """Realize structures of a fitted method, and measure them.

        Returns
        -------
        row : dict
            See `benchmark_materials`.
        structures : array of uint8 ``(sample, *space)``
        """
        latents = estimator.transform(self.chosen.structures)
        started = time.monotonic()
        structures = self._inverse(estimator, latents, realize)
        seconds = (time.monotonic() - started) / len(latents)
        realized = Windows.of(structures, self.material.phases, self.material.cutoff)
        decoded = self._centred(np.asarray(estimator.inverse_statistics(latents)))
        centred = self._centred(realized.statistics)
        compared = compare_measured(self._measured(structures), self._true, self._others, n_bootstrap=0)
        outside = {row.measure for row in compared.rows if row.verdict == OUTSIDE}
        alike = Resemblance.of(
            agreement(structures, self.windows.training, phases=self.material.phases),
            self._true_with_training,
            agreement_of_pairs(structures, phases=self.material.phases),
            self._among_true,
        )
        row = {
            "method": method,
            "n_components": estimator.n_components,
            "realize": realize,
            "n_realized": len(latents),
            **{f"centred_{lags}": error for lags, error in centred.items()},
            **{f"loss_{lags}": error / decoded[lags] for lags, error in centred.items()},
            "surface_error": surface_error(self.chosen.surfaces, realized.surfaces),
            "seconds": seconds,
            "n_alike": len(MEASURED) - len(outside),
            "outside": [name for name in MEASURED if name in outside],
            "copying": float(alike.copying.mean()),
            "copying_true": float(alike.copying_true.mean()),
            "n_copies": alike.n_copies,
            "diversity": alike.diversity,
        }
        return row, structures

    def larger(self, estimator: Any, n: int) -> np.ndarray:
        """Structures ``(sample, *space)`` of twice the size, with the latents of the first realized windows."""
        size = 2 * self.material.size
        latents = estimator.transform(self.chosen.structures[:n])
        return np.asarray(estimator.inverse_transform(latents, random_state=self.seed, shape=size))

    def _inverse(self, estimator: Any, latents: np.ndarray, realize: str) -> np.ndarray:
        options = {} if isinstance(estimator, TwoPointPCA) else {"realize": realize}
        return np.asarray(estimator.inverse_transform(latents, random_state=self.seed, **options))

    def _centred(self, g: np.ndarray) -> dict[str, float]:
        errors = lag_errors(self.chosen.statistics, g, mean=self.mean)
        return {lags: float(np.median(of_lags["centred"])) for lags, of_lags in errors.items()}

    def _measured(self, structures: np.ndarray) -> dict[str, np.ndarray]:
        return measure_structures(structures, phases=self.material.phases, measures=MEASURED)


def ways_to_realize(estimator: Any) -> tuple[str, ...]:
    """Ways in which a fitted method gives structures."""
    if isinstance(estimator, TwoPointPCA):
        return (RETRIEVAL,)
    return (DECODER,) if FittedModel.of(estimator).decodes_structures else (RETRIEVAL, EXAMPLES)
