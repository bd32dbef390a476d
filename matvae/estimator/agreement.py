"""The parts of a fitted model agree with one another, and its numbers are finite, wherever the model comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..given import spatial_lengths
from ..grid import Grid
from ..model import ModelSpec, StatsVAE
from ..stats.correlations import resolve_correlations
from .sample_layout import SampleLayout


def check_sizes(spec: ModelSpec, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not those of a model, before memory is allocated for what it claims to be.

    Raises
    ------
    InputError
        If names or shapes differ.
    """
    try:
        with torch.device("meta"):
            expected = StatsVAE(spec).state_dict()
    except NotImplementedError:
        # A part of a plugin may compute with its weights, and those on the device "meta" have no values.
        return
    if differing := sorted(
        name
        for name in expected.keys() | weights.keys()
        if name not in expected or name not in weights or expected[name].shape != weights[name].shape
    ):
        raise InputError(
            f"the weights do not belong to a model of the sizes that are stated: {', '.join(differing[:5])}"
            f"{', ...' if len(differing) > 5 else ''} should not exist, are missing, or have another shape"
        )


def check_weights(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are NaN or infinite.

    Raises
    ------
    InputError
        Naming them.
    """
    if bad := [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]:
        raise InputError(f"the weights {', '.join(bad[:5])}{', ...' if len(bad) > 5 else ''} are NaN or infinite")


def check_agreement(estimator: Any) -> None:
    """Refuse a fitted estimator whose parts contradict each other.

    Raises
    ------
    InputError
        Naming the two parts.
    """
    spec, grid, layout = estimator.module_.spec, estimator.grid_, estimator._layout
    _require(spec.shape == grid.shape, "the network is for structures of", spec.shape, "the grid has", grid.shape)
    _require(spec.phases == grid.phases, "the phases of the network are", spec.phases, "of the grid", grid.phases)
    _require(
        spec.periodic == grid.periodic, "periodic is for the network", spec.periodic, "for the grid", grid.periodic
    )
    _require(
        spec.n_components == estimator.n_components,
        "the components of the network are",
        spec.n_components,
        "the parameter n_components is",
        estimator.n_components,
    )
    resolve_correlations(spec.pairs, spec.phases)
    _check_layout(layout, spec, grid)
    n_features = math.prod(layout.given)
    _require(
        n_features == estimator.n_features_in_, "a sample has", n_features, "n_features_in is", estimator.n_features_in_
    )
    names = getattr(estimator, "feature_names_in_", None)
    _require(names is None or len(names) == n_features, "a sample has", n_features, "named features are", names)
    spread = np.asarray(estimator.latent_spread_)
    if spread.shape != (spec.n_components,) or not np.isfinite(spread).all() or (spread < 0).any():
        raise InputError(f"latent_spread should be {spec.n_components} numbers of at least 0, but is {spread.tolist()}")
    examples = estimator.module_.examples
    if len(examples) and int(examples.max()) >= spec.phases:
        raise InputError(f"the examples should have the phases 0 to {spec.phases - 1}, but have {int(examples.max())}")


def _check_layout(layout: SampleLayout, spec: ModelSpec, grid: Grid) -> None:
    _require(
        math.prod(layout.given) == math.prod(layout.shape),
        "a sample has the shape",
        layout.given,
        "its axes have the lengths",
        layout.shape,
    )
    if layout.form is None:
        statistics = (*spec.lag_shape, len(spec.pairs))
        _require(layout.shape == statistics, "a sample has the shape", layout.shape, "statistics have", statistics)
        return
    _require(layout.form.space == grid.shape, "samples have", layout.form.space, "the grid has", grid.shape)
    lengths = tuple(spatial_lengths((1, *layout.shape), layout.form.state_axis))
    _require(lengths == grid.shape, "a sample has the shape", layout.shape, "the grid has", grid.shape)
    _require(layout.form.phases == grid.phases, "samples have phases", layout.form.phases, "the grid", grid.phases)


def _require(agree: bool, first: str, one: Any, second: str, other: Any) -> None:
    if not agree:
        raise InputError(f"its parts contradict each other: {first} {one}, but {second} {other}")
