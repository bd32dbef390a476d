"""Checks of parameters and samples that scikit-learn's rules place in `fit` and `transform`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from ..errors import InputError
from ..model import DECODERS, ENCODERS, LOSSES, PRECISIONS
from ..stats.blocks import is_dask
from .inference import VOLUME_FRACTION
from .inputs import STATISTICS, check_dask


def check_parameters(estimator: Any) -> None:
    """Refuse parameters of a wrong type or range, before any data is read.

    Raises
    ------
    InputError
        Naming the parameter, what it may be, and what it is.
    PluginError
        For an encoder or decoder that does not exist.
    """
    _integer(estimator, "n_components", 1)
    _integer(estimator, "width", 1)
    _integer(estimator, "max_epochs", 1, optional=True)
    if estimator.batch_size != "auto":
        _integer(estimator, "batch_size", 1)
    _real(estimator, "alpha", 0.0)
    _real(estimator, "beta", 0.0)
    _real(estimator, "learning_rate", 0.0, exclusive=True)
    _real(estimator, "max_time", 0.0, exclusive=True, optional=True)
    _real(estimator, "aligned_fraction", 0.0, 1.0)
    _real(estimator, "patience", 0.0, optional=True)
    _real(estimator, "validation_fraction", 0.0, 0.9)
    _choice("input", estimator.input, ("structures", STATISTICS))
    _choice("loss", estimator.loss, LOSSES)
    _choice("precision", estimator.precision, PRECISIONS)
    if estimator.threshold != VOLUME_FRACTION:
        _real(estimator, "threshold", 0.0, 1.0)
    encoder = ENCODERS.get(estimator.encoder)
    if estimator.decoder != "auto":
        DECODERS.get(estimator.decoder)
    if estimator.input == STATISTICS and encoder.reads != "statistics":
        raise InputError(
            f'input="statistics" gives no structures to the encoder {estimator.encoder!r}, which reads structures. '
            'Choose encoder="statistics".'
        )


def check_samples(estimator: Any, array: Any, X: Any, *, reset: bool) -> Any:
    """scikit-learn's own checks on samples seen as rows, whatever their number of axes.

    Parameters
    ----------
    estimator : estimator
    array : numpy.ndarray or dask.array.Array
        The samples.
    X : object
        What was given; a data frame carries feature names.
    reset : bool
        Whether this is `fit`, which learns the number of features.

    Returns
    -------
    numpy.ndarray or dask.array.Array
        The samples, a dask array with whole samples a chunk.

    Raises
    ------
    ValueError
        For NaN, a wrong number of features, too few samples; scikit-learn's words.
    """
    least = 2 if reset else 1
    if is_dask(array):
        array = check_dask(array)
        _check_dask_features(estimator, array, reset, least)
        return array
    if array.ndim <= 2 or array.size == 0:
        rows = X if hasattr(X, "columns") or not isinstance(array, np.ndarray) else (array if array.ndim <= 2 else X)
        return validate_data(estimator, rows, reset=reset, dtype="numeric", ensure_min_samples=least)
    rows = array.reshape(len(array), -1)
    checked = validate_data(estimator, rows, reset=reset, dtype="numeric", ensure_min_samples=least)
    return checked.reshape(array.shape)


def check_shape(wanted: Sequence[int] | None, shape: tuple[int, ...]) -> None:
    """Refuse a shape that the decoder does not make.

    Raises
    ------
    InputError
        If `wanted` is another shape.
    """
    if wanted is not None and tuple(wanted) != shape:
        raise InputError(
            f"This model decodes structures of shape {shape}, but shape={tuple(wanted)} was asked for. Fit a model on "
            "windows of that shape."
        )


def _check_dask_features(estimator: Any, array: Any, reset: bool, least: int) -> None:
    n_features = math.prod(array.shape[1:])
    if len(array) < least:
        raise InputError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a minimum of {least} is required."
        )
    if reset:
        estimator.n_features_in_ = n_features
    elif n_features != estimator.n_features_in_:
        raise InputError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features "
            "as input: samples must have the shape that went into fit."
        )


def _integer(estimator: Any, name: str, least: int, optional: bool = False) -> None:
    value = getattr(estimator, name)
    if optional and value is None:
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} must be an integer of at least {least}, but {value!r} was given.")


def _real(
    estimator: Any,
    name: str,
    least: float,
    most: float = math.inf,
    exclusive: bool = False,
    optional: bool = False,
) -> None:
    value = getattr(estimator, name)
    if optional and value is None:
        return
    fits = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not least <= value <= most or (exclusive and value == least):
        limit = f"above {least}" if exclusive else (f"from {least} to {most}" if math.isfinite(most) else f"at least {least}")
        raise InputError(f"{name} must be a number {limit}, but {value!r} was given.")


def _choice(name: str, value: Any, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(repr, choices))}, but {value!r} was given.")
