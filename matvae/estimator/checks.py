"""Checks of parameters and samples that scikit-learn's rules place in `fit` and `transform`."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn import exceptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import InputError, NotFittedError
from ..grid import MAX_PHASES
from ..model import LOSSES, PRECISIONS, check_parts, resolve_device
from ..stats import resolve_correlations
from ..stats.form import check_phases
from ..stats.map_samples import is_dask
from .fitted import STRAIGHT, VOLUME_FRACTION
from .sample_layout import STATISTICS, check_dask


def check_parameters(estimator: Any) -> None:
    """Refuse parameters of a wrong type or range, before any data is read.

    Raises
    ------
    InputError
        Naming the parameter, what it may be, and what it is.
    PluginError
        For an encoder or decoder that does not exist.
    """
    check_structure_parameters(estimator)
    _integer(estimator, "width", 1)
    _integer(estimator, "max_epochs", 1, optional=True)
    if not isinstance(estimator.batch_size, str) or estimator.batch_size != "auto":
        _integer(estimator, "batch_size", 1)
    _real(estimator, "alpha", 0.0)
    _real(estimator, "beta", 0.0)
    _real(estimator, "learning_rate", 0.0, exclusive=True)
    _real(estimator, "max_time", 0.0, exclusive=True, optional=True)
    _real(estimator, "short_range", 0.0)
    if not (isinstance(estimator.mixing, str) and estimator.mixing == "auto"):
        _real(estimator, "mixing", 0.0, 1.0)
    _real(estimator, "aligned_fraction", 0.0, 1.0)
    _real(estimator, "coarse_fraction", 0.0, 1.0)
    _integer(estimator, "latent_steps", 0)
    _real(estimator, "patience", 0.0, optional=True)
    _real(estimator, "validation_fraction", 0.0, 0.9)
    _choice("loss", estimator.loss, LOSSES)
    _choice("precision", estimator.precision, PRECISIONS)
    if not isinstance(estimator.threshold, str) or estimator.threshold not in (VOLUME_FRACTION, STRAIGHT):
        _real(estimator, "threshold", 0.0, 1.0)
    _boolean(estimator, "warm_start")
    if not callable(estimator.verbose):
        _boolean(estimator, "verbose")
    if not isinstance(estimator.checkpoint, str | os.PathLike | None):
        raise InputError(f"checkpoint must be the path of a file, or None, but {estimator.checkpoint!r} was given.")
    if not isinstance(estimator.device, str):
        raise InputError(f'device must be a name such as "auto" or "cpu", but {estimator.device!r} was given.')
    resolve_device(estimator.device)
    if not isinstance(estimator.encoder_weights, str | os.PathLike | None):
        raise InputError(
            f"encoder_weights must be a folder, a name, or None, but {estimator.encoder_weights!r} was given."
        )
    check_parts(
        estimator.encoder,
        estimator.decoder,
        from_statistics=estimator.input == STATISTICS,
        loss=estimator.loss,
        weights=estimator.encoder_weights,
    )


def check_structure_parameters(estimator: Any) -> None:
    """Refuse wrong parameters of those that say what samples are and which statistics are meant.

    Raises
    ------
    InputError
        Naming the parameter, what it may be, and what it is.
    """
    _integer(estimator, "n_components", 1)
    _choice("input", estimator.input, ("structures", STATISTICS))
    check_phases(estimator.phases)
    if estimator.correlations is not None:
        # Whether the phases are there is known once the data are.
        resolve_correlations(estimator.correlations, MAX_PHASES)
    _boolean(estimator, "periodic")
    axis, shape = estimator.state_axis, estimator.sample_shape
    if axis is not None and not _is_integer(axis):
        raise InputError(f"state_axis must be an integer, usually -1, or None, but {axis!r} was given.")
    if shape is not None and not (
        isinstance(shape, Sequence | np.ndarray)
        and 1 <= len(shape) <= 3
        and all(_is_integer(n) and n >= 1 for n in shape)
    ):
        raise InputError(
            f"sample_shape must be one to three numbers of voxels, such as (32, 32), or None, but {shape!r} was given."
        )


def check_fitted(estimator: Any) -> None:
    """Refuse an estimator that has learned nothing yet.

    Raises
    ------
    NotFittedError
        If `fit` has not been called.
    """
    try:
        check_is_fitted(estimator)
    except exceptions.NotFittedError as error:
        raise NotFittedError(str(error)) from error


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Give an estimator its attributes back if what happens inside fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


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
    InputError
        For NaN, a wrong number of features, too few samples; in scikit-learn's words.
    TypeError
        For a sparse matrix or complex numbers; in scikit-learn's words.
    """
    least = 2 if reset else 1
    if is_dask(array):
        array = check_dask(array)
        _check_dask_features(estimator, array, reset, least)
        return array
    # A data frame is handed on as it is, for its feature names.
    rows = X if hasattr(X, "columns") else array
    if array.ndim > 2:
        rows = array.reshape(len(array), math.prod(array.shape[1:]))
    try:
        checked = validate_data(estimator, rows, reset=reset, dtype="numeric", ensure_min_samples=least)
    except ValueError as error:
        raise InputError(str(error)) from error
    return checked.reshape(array.shape)


def check_latents(latents: Any, n_components: int) -> Any:
    """Refuse what is no latent of this model.

    Parameters
    ----------
    latents : numpy.ndarray or dask.array.Array ``(sample, component)``
    n_components : int

    Returns
    -------
    array ``(sample, component)``
        float32 or float64; a dask array with whole samples a chunk.

    Raises
    ------
    InputError
        For another shape or type, NaN or infinity.
    """
    if is_dask(latents):
        latents = check_dask(latents)
    if latents.ndim != 2 or latents.shape[1] != n_components:
        raise InputError(
            f"Latents of shape (sample, {n_components}) are expected, but an array of shape {latents.shape} "
            "was "
            "given. Pass what transform gives."
        )
    if latents.dtype.kind not in "fiu":
        raise InputError(f"Latents are real numbers, but the array has the type {latents.dtype}.")
    if not is_dask(latents):
        if not len(latents):
            raise InputError("At least one latent is expected, but an array without samples was given.")
        if not np.isfinite(latents).all():
            raise InputError("Latents contain NaN or infinity; every component needs a finite value.")
    return latents if latents.dtype in (np.float32, np.float64) else latents.astype(np.float32)


def check_shape(wanted: Sequence[int] | None, shape: tuple[int, ...]) -> None:
    """Refuse a shape that the decoder does not make.

    Raises
    ------
    InputError
        If `wanted` is another shape.
    """
    if wanted is not None and tuple(wanted) != shape:
        raise InputError(
            f"This model decodes structures of shape {shape}, but shape={tuple(wanted)} was asked for. Fit "
            "a model on "
            "windows of that shape."
        )


def _check_dask_features(estimator: Any, array: Any, reset: bool, least: int) -> None:
    if array.ndim < 2:
        raise InputError(
            f"Structures are expected as (sample, *space), but the dask array has the shape {array.shape}."
        )
    n_features = math.prod(array.shape[1:])
    if len(array) < least:
        raise InputError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a minimum of {least} is required."
        )
    if reset:
        estimator.n_features_in_ = n_features
        # Names from an earlier fit on a data frame would be wrong now.
        vars(estimator).pop("feature_names_in_", None)
    elif n_features != estimator.n_features_in_:
        raise InputError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input: samples must have the shape that went into fit."
        )


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _boolean(estimator: Any, name: str) -> None:
    value = getattr(estimator, name)
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False, but {value!r} was given.")


def _integer(estimator: Any, name: str, least: int, optional: bool = False) -> None:
    value = getattr(estimator, name)
    if optional and value is None:
        return
    if not _is_integer(value) or value < least:
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
        limit = f"above {least}" if exclusive else f"at least {least}"
        if math.isfinite(most):
            limit = f"from {least} to {most}"
        raise InputError(f"{name} must be a number {limit}, but {value!r} was given.")


def _choice(name: str, value: Any, choices: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} must be one of {', '.join(map(repr, choices))}, but {value!r} was given.")
