"""The constructor's parameters: one row per parameter, and the few rules that concern more than one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .. import validate
from ..errors import InputError
from ..grid import MAX_PHASES
from ..model import LOSSES, PRECISIONS, STATISTICS, STRUCTURES, check_parts, resolve_device
from ..stats import get_statistic, resolve_correlations
from ..stats.form import check_phases
from ..stats.metric import METRICS
from .fitted import STRAIGHT, VOLUME_FRACTION

# Takes the name and the value of a parameter; raises an InputError that begins with the name.
Constraint = Callable[[str, Any], Any]


def check_parameters(estimator: Any) -> None:
    """Refuse parameters of the wrong type or range, before any data are read.

    Parameters
    ----------
    estimator : StatsVAETransformer or TwoPointPCA

    Raises
    ------
    InputError
        Naming the parameter, what it may be, and what was given; or the two parameters that contradict each other.
    PluginError
        If there is no such encoder or decoder.
    """
    parameters = estimator.get_params(deep=False)
    for name, value in parameters.items():
        CONSTRAINTS[name](name, value)
    if "encoder" in parameters:
        check_parts(
            estimator.encoder,
            estimator.decoder,
            from_statistics=estimator.input == STATISTICS,
            loss=estimator.loss,
            weights=estimator.encoder_weights,
        )


def integer(least: int) -> Constraint:
    """Accept integers of at least `least`."""
    return lambda name, value: validate.integer(name, value, least)


def real(least: float, most: float = np.inf, *, exclusive: bool = False) -> Constraint:
    """Accept finite real numbers from `least` to `most`; `exclusive` leaves `least` itself out."""
    return lambda name, value: validate.real(name, value, least, most, exclusive=exclusive)


def choice(choices: Collection[str]) -> Constraint:
    """Accept one of several strings."""
    return lambda name, value: validate.choice(name, value, choices)


def unless(exceptions: Sequence[Any], constraint: Constraint) -> Constraint:
    """Accept the exceptions, such as None or ``"auto"``, and otherwise what the constraint accepts."""

    def check(name: str, value: Any) -> None:
        # Arrays compare element by element, so only what can be an exception is compared.
        if (value is None or isinstance(value, str)) and value in exceptions:
            return
        constraint(name, value)

    return check


def kind(types: Any, description: str) -> Constraint:
    """Accept instances of some types, which the description names."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, types):
            raise InputError(f"{name} must be {description}, but {value!r} was given.")

    return check


def _check_correlations(name: str, value: Any) -> None:
    # Only the data tell how many phases there are.
    if value is not None:
        resolve_correlations(value, MAX_PHASES)


def _check_descriptors(name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InputError(f"{name} must be a sequence of names of statistics, or None, but {value!r} was given.")
    for statistic in value:
        get_statistic(statistic)


def _check_sample_shape(name: str, value: Any) -> None:
    several = isinstance(value, Sequence | np.ndarray) and 1 <= len(value) <= 3
    if not several or not all(validate.is_integer(n) and n >= 1 for n in value):
        raise InputError(
            f"{name} must be one to three numbers of voxels, such as (32, 32), or None, but {value!r} was given."
        )


def _check_state_axis(name: str, value: Any) -> None:
    if not validate.is_integer(value):
        raise InputError(f"{name} must be an integer, usually -1, or None, but {value!r} was given.")


def _check_device(name: str, value: Any) -> None:
    kind(str, 'a name such as "auto" or "cpu"')(name, value)
    resolve_device(value)


def _accept(name: str, value: Any) -> None:
    """Leave the check to where the value is used, which needs the data."""


# Descriptors unless others are chosen.
DESCRIPTORS = ("surface_area", "lineal_path", "variogram")
# Parameters of networks and their training, which a closed-form fit does not use.
NETWORK_PARAMETERS = (
    "width",
    "loss",
    "alpha",
    "beta",
    "short_range",
    "mixing",
    "aligned_fraction",
    "max_epochs",
    "max_time",
    "learning_rate",
    "coarse_fraction",
    "latent_steps",
)


def descriptors_of(estimator: Any) -> tuple[str, ...]:
    """Names of the statistics that are predicted from the latent in addition to 2-point statistics."""
    return DESCRIPTORS if estimator.descriptors is None else tuple(estimator.descriptors)


def unused_by_closed_form(estimator: Any) -> list[str]:
    """Names of parameters that were set, but have no effect on a closed-form fit."""
    defaults = type(estimator)().get_params()
    return [name for name in NETWORK_PARAMETERS if getattr(estimator, name) != defaults[name]]


CONSTRAINTS: Mapping[str, Constraint] = {
    "n_components": integer(1),
    # Samples
    "phases": lambda name, value: check_phases(value),
    "sample_shape": unless([None], _check_sample_shape),
    "state_axis": unless([None], _check_state_axis),
    "input": choice((STRUCTURES, STATISTICS)),
    # Statistics
    "correlations": _check_correlations,
    "periodic": validate.boolean,
    "cutoff": _accept,
    "metric": choice(("auto", *METRICS)),
    "descriptors": _check_descriptors,
    # Network
    "encoder": _accept,
    "encoder_weights": kind(str | os.PathLike | None, "a folder, a name, or None"),
    "decoder": _accept,
    "width": integer(1),
    # Loss
    "loss": choice(LOSSES),
    "alpha": real(0.0),
    "beta": real(0.0),
    "short_range": real(0.0),
    "mixing": unless(["auto"], real(0.0, 1.0)),
    "aligned_fraction": real(0.0, 1.0),
    # Training
    "max_epochs": unless([None], integer(1)),
    "max_time": unless([None], real(0.0, exclusive=True)),
    "batch_size": unless(["auto"], integer(1)),
    "learning_rate": real(0.0, exclusive=True),
    "coarse_fraction": real(0.0, 1.0),
    "patience": unless([None], real(0.0)),
    "validation_fraction": real(0.0, 0.9),
    "device": _check_device,
    "precision": choice(PRECISIONS),
    "random_state": _accept,
    "warm_start": validate.boolean,
    "checkpoint": kind(str | os.PathLike | None, "the path of a file, or None"),
    "verbose": lambda name, value: None if callable(value) else validate.boolean(name, value),
    # Result
    "latent_steps": integer(0),
    "threshold": unless([VOLUME_FRACTION, STRAIGHT], real(0.0, 1.0)),
}
