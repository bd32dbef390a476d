"""Metadata of the training of a model, for results and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Parameters of the estimator that describe its input, or how a fit is run, rather than how it learns.
NOT_TRAINING = {"checkpoint", "input", "sample_shape", "state_axis", "verbose", "warm_start"}


def training_parameters(estimator: Any) -> Mapping[str, Any]:
    """Parameters of a `StatsVAETransformer` that determine how it learns."""
    parameters = estimator.get_params(deep=False)
    return {name: value for name, value in parameters.items() if name not in NOT_TRAINING}


def count_weights(estimator: Any) -> int:
    """Number of weights of a fitted model."""
    return sum(weight.numel() for weight in estimator.module_.parameters())
