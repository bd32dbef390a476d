"""PyMKS's Flatten-, Reshape- and PrimitiveTransformer for current scikit-learn, with inverse transforms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from matvae import errors
from matvae.errors import InputError
from matvae.stats.map_samples import is_dask


class StatelessMixin:
    """Mixin for transformers that learn nothing, and so are always fitted.

    `set_output` is accepted so that the output of a whole `Pipeline` can be set to tables; the output of
    more than two axes remains an array.
    """

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.requires_fit = False
        tags.no_validation = True
        return tags

    def set_output(self, *, transform: str | None = None) -> Any:
        """Accept the setting; the output remains an array, because it has too many axes for a table."""
        return self


class FlattenTransformer(StatelessMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Flattening of all axes but the first, ``(sample, *any)`` to ``(sample, feature)``, for numpy and dask.

    PyMKS's own class fails since scikit-learn 1.2, because its `transform` is static. This one is also invertible, and
    names its features.

    Attributes
    ----------
    sample_shape_ : tuple of int
        Shape of one sample in `fit`, which `inverse_transform` requires.
    """

    # Flat features fit into a table, so scikit-learn's own set_output applies.
    set_output = TransformerMixin.set_output

    def fit(self, X: Any, y: Any = None) -> FlattenTransformer:
        """Store the shape of one sample of ``(sample, *any)``."""
        self.sample_shape_ = tuple(_with_samples(X).shape[1:])
        return self

    def transform(self, X: Any) -> Any:
        """Flatten to ``(sample, feature)``, lazily for dask.

        Raises
        ------
        InputError
            If there is no sample axis, or the samples in `fit` had another shape.
        """
        X = _with_samples(X)
        expected = getattr(self, "sample_shape_", X.shape[1:])
        if tuple(X.shape[1:]) != tuple(expected):
            raise InputError(
                f"Samples of shape {tuple(expected)} are expected, as in fit, but the samples have shape "
                f"{tuple(X.shape[1:])}. Fit a new transformer for another shape."
            )
        return _flat(X)

    def inverse_transform(self, X: Any) -> Any:
        """Restore ``(sample, *any)`` from ``(sample, feature)``.

        Raises
        ------
        NotFittedError
            Before `fit`, which stores the shape.
        InputError
            If the number of features does not match the shape.
        """
        self._check_shape_known()
        return _reshape(X, self.sample_shape_)

    @property
    def _n_features_out(self) -> int:
        self._check_shape_known()
        return math.prod(self.sample_shape_)

    def _check_shape_known(self) -> None:
        if not hasattr(self, "sample_shape_"):
            raise errors.NotFittedError(
                "FlattenTransformer must be fitted to learn the shape of a sample. Call fit with the data first."
            )


class ReshapeTransformer(StatelessMixin, TransformerMixin, BaseEstimator):
    """Reshaping of flat samples, ``(sample, voxel)`` to ``(sample, *space)``, for numpy and dask.

    As the last step of a `Pipeline`, PyMKS's own class is considered not fitted, because scikit-learn 1.8 and later
    look for a fitted attribute. This one is also invertible.

    Parameters
    ----------
    shape : tuple of int
        ``(None, *space)``; the first entry stands for the samples and is ignored.
    """

    def __init__(self, shape: Sequence[int | None]) -> None:
        self.shape = shape

    def fit(self, X: Any = None, y: Any = None) -> ReshapeTransformer:
        """Return the transformer; it has nothing to learn."""
        return self

    def transform(self, X: Any) -> Any:
        """Reshape to ``(sample, *space)``, lazily for dask.

        Raises
        ------
        InputError
            If the number of voxels does not match the shape.
        """
        return _reshape(X, self.shape[1:])

    def inverse_transform(self, X: Any) -> Any:
        """Flatten samples with any axes to ``(sample, voxel)``."""
        return _flat(_with_samples(X))


class PrimitiveTransformer(StatelessMixin, TransformerMixin, BaseEstimator):
    """Discretisation of values ``(sample, *space)`` into fractions of local states ``(sample, *space, state)``.

    A value x has the fraction ``m[h] = max(0, 1 - |x - node[h]| / spacing)`` of each state h, where `n_state` nodes
    are spaced evenly from `min_` to `max_` (hat functions, PyMKS's primitive basis). The fractions sum to 1. Values
    outside the range are clipped, as in PyMKS. Unlike PyMKS's own class, this one is invertible.

    Parameters
    ----------
    n_state : int
        Number of local states, at least 2.
    min_, max_ : float
        Values of the first and the last state. For labels 0 to H-1 use ``n_state=H, max_=H-1``.
    chunks : int, optional
        Chunk size of the state axis; None for one chunk.
    """

    def __init__(self, n_state: int = 2, min_: float = 0.0, max_: float = 1.0, chunks: int | None = None) -> None:
        self.n_state = n_state
        self.min_ = min_
        self.max_ = max_
        self.chunks = chunks

    def fit(self, X: Any = None, y: Any = None) -> PrimitiveTransformer:
        """Check the parameters.

        Raises
        ------
        InputError
            If there are fewer than 2 states, or `max_` does not exceed `min_`.
        """
        self._nodes()
        return self

    def transform(self, X: Any) -> da.Array:
        """Discretise into fractions ``(sample, *space, state)``: a float64 dask array, for numpy and dask alike.

        Raises
        ------
        InputError
            As in `fit`.
        """
        nodes = self._nodes()
        X = _with_samples(X)
        values = X if is_dask(X) else da.from_array(X, chunks=X.shape)
        states = da.from_array(nodes, chunks=self.chunks or len(nodes))
        distances = abs(da.clip(values, self.min_, self.max_)[..., None] - states)
        return da.maximum(1 - distances / (nodes[1] - nodes[0]), 0)

    def inverse_transform(self, X: Any) -> Any:
        """Recover values ``(sample, *space)`` from fractions, ``x = sum_h m[h] node[h]``, numpy or dask.

        Raises
        ------
        InputError
            If the last axis does not have `n_state` entries.
        """
        nodes = self._nodes()
        X = _with_samples(X)
        if X.ndim < 2 or X.shape[-1] != len(nodes):
            raise InputError(
                f"Fractions (sample, *space, state) with n_state = {len(nodes)} states are expected, but the array has "
                f"shape {tuple(X.shape)}. Move the states to the last axis."
            )
        return X @ nodes

    def _nodes(self) -> np.ndarray:
        if self.n_state < 2 or not self.max_ > self.min_:
            raise InputError(
                "PrimitiveTransformer requires n_state of at least 2 and max_ larger than min_, but "
                f"n_state={self.n_state!r}, min_={self.min_!r} and max_={self.max_!r} were given. For labels 0 to H-1 "
                "use n_state=H, max_=H-1."
            )
        return np.linspace(self.min_, self.max_, self.n_state)


def _with_samples(X: Any) -> Any:
    """Convert to a dask or numpy array, and check that it has a sample axis."""
    if issparse(X):
        raise InputError("A dense array is expected, but a sparse one was given. Convert it with X.toarray().")
    X = X if is_dask(X) else np.asarray(X)
    if X.ndim < 1:
        raise InputError("An array with a sample axis is expected, but a single number was given.")
    return X


def _flat(X: Any) -> Any:
    return X.reshape(X.shape[0], math.prod(X.shape[1:]))


def _reshape(X: Any, shape: Sequence[int | None]) -> Any:
    X = _with_samples(X)
    try:
        # In two steps, because dask cannot merge and split axes at once.
        return _flat(X).reshape(X.shape[0], *shape)
    except ValueError as error:
        raise InputError(
            f"Samples of shape {tuple(X.shape[1:])} cannot be reshaped to {tuple(shape)}, because the numbers of "
            "values differ. Pass the shape that the samples had before they were flattened."
        ) from error
