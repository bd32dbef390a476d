"""Names of the components, by which tables of latents call their columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .samples import check_fitted


class NamedComponents:
    """Base of transformers whose features are components: ``latent_0, latent_1, ...``."""

    _component_name = "latent"

    @property
    def _n_features_out(self) -> int:
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the components, which are those of the columns with ``set_output(transform="pandas")``.

        Parameters
        ----------
        input_features : array of str, optional
            Ignored, since components are not functions of single voxels; present for scikit-learn.

        Returns
        -------
        ndarray of str ``(component,)``

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        """
        check_fitted(self)
        return np.array([f"{self._component_name}_{i}" for i in range(self._n_features_out)], dtype=object)
