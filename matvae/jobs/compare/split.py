"""Training and held-out structures, and the properties that can be learned on the one and predicted for the other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...data import Structures
from ...data.subsets import select
from ...data.windows import POSITION
from ...errors import InputError, did_you_mean

logger = logging.getLogger("matvae")
# A variance needs two structures, and a regression with leave-one-out validation three.
LEAST_TRAINING, LEAST_HELD_OUT = 3, 2


def random_split(structures: Structures, held_out: float, seed: int) -> tuple[Structures, Structures]:
    """Hold out a random fraction of the structures; both parts stay lazy.

    Parameters
    ----------
    structures : Structures
    held_out : float
        Fraction between 0 and 1.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    (Structures, Structures)
        Those to train on and those held out, each in the order of the set.

    Raises
    ------
    InputError
        If `held_out` is not such a fraction, or a part gets too few structures.
    """
    if not 0 < held_out < 1:
        raise InputError(f"held_out must be a fraction between 0 and 1, but {held_out!r} was given.")
    n = len(structures)
    n_held = round(held_out * n)
    if n_held < LEAST_HELD_OUT or n - n_held < LEAST_TRAINING:
        raise InputError(
            f"held_out={held_out} of {n} structures leaves {n - n_held} to train on and {n_held} to measure on, but at "
            f"least {LEAST_TRAINING} and {LEAST_HELD_OUT} are needed. Give more structures, or another fraction."
        )
    order = np.random.default_rng(seed).permutation(n)
    return select(structures, np.sort(order[n_held:])), select(structures, np.sort(order[:n_held]))


def linked_properties(
    training: Structures, held_out: Structures, names: str | Sequence[str] | None, train: str | Path, data: str | Path
) -> list[str]:
    """Names of the properties to predict from latents, checked in both parts.

    Parameters
    ----------
    training, held_out : Structures
    names : str or sequence of str, optional
        By default all properties that both parts have, without the positions of windows.
    train, data : path
        Where the parts come from, for messages.

    Raises
    ------
    InputError
        If a name is unknown, or in a part a property is not finite everywhere or does not vary.
    """
    parts = ((train, training), (data, held_out))
    # Where a window was cut is no property of the material.
    materials = [{name for name in part.properties if not name.startswith(POSITION)} for _, part in parts]
    common = [name for name in held_out.properties if name in materials[0] & materials[1]]
    if names is None:
        chosen = common
        if rest := sorted(materials[0] ^ materials[1]):
            logger.warning("Only one of %s and %s has the properties %s; they are left out.", train, data, rest)
    else:
        chosen = list(dict.fromkeys([names] if isinstance(names, str) else names))
    for name in chosen:
        for path, part in parts:
            if name not in part.properties:
                raise InputError(_unknown(name, list(part.properties), path))
            _check_property(name, part.properties[name], path)
    return chosen


def check_sizes(n_components: Sequence[int], n_training: int, n_held_out: int, n_values: int) -> None:
    """Refuse more components than the training set or the statistics allow.

    Parameters
    ----------
    n_components : sequence of int
    n_training, n_held_out : int
        Structures in the two parts.
    n_values : int
        Number of lags times number of correlations.

    Raises
    ------
    InputError
        If there are too many components for PCA, or too few structures.
    """
    if n_training < LEAST_TRAINING or n_held_out < LEAST_HELD_OUT:
        raise InputError(
            f"At least {LEAST_TRAINING} structures to train on and {LEAST_HELD_OUT} to measure on are needed, but "
            f"there are {n_training} and {n_held_out}. Give more structures."
        )
    most = min(n_training, n_values)
    if max(n_components) > most:
        raise InputError(
            f"PCA gives at most {most} components of {n_training} training structures with {n_values} statistics each, "
            f"but n_components={max(n_components)} was given. Ask for fewer components, or give more structures."
        )


def properties_of(structures: Structures, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Some properties of structures, ``(sample,)`` each."""
    return {name: structures.properties[name] for name in names}


def _unknown(name: str, known: list[str], path: str | Path) -> str:
    if not known:
        return f"{path} has no properties, but the property {name!r} was asked for. Leave it out."
    return f"{path} has no property {name!r}; it has {', '.join(known)}.{did_you_mean(name, known)}"


def _check_property(name: str, values: np.ndarray, path: str | Path) -> None:
    remedy = "Name the properties that can be learned with --property (property=)."
    if not np.isfinite(values).all():
        n = int((~np.isfinite(values)).sum())
        raise InputError(
            f"A property to predict needs a finite number for every structure, but {name!r} is NaN or infinite for "
            f"{n} of those in {path}. {remedy}"
        )
    if np.ptp(values) == 0:
        raise InputError(
            f"A property to predict has to vary, but {name!r} is {values[0]:g} for all {len(values)} structures taken "
            f"from {path}. {remedy}"
        )
