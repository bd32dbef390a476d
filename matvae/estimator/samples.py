"""What every estimator does with X first: scikit-learn's checks, then how samples are held."""

from __future__ import annotations

from typing import Any

from ..grid import Grid
from .batches import check_no_state_axis
from .checks import check_samples
from .sample_layout import (
    STATISTICS,
    Input,
    as_array,
    grid_of,
    phases_asked,
    understand_statistics,
    understand_structures,
)


class SamplesMixin:
    """How X of `fit` is understood, by the constructor's parameters that say what samples are."""

    phases: Any
    sample_shape: Any
    state_axis: int | None
    input: str
    correlations: Any
    periodic: bool
    cutoff: Any

    def _understand(self, X: Any) -> tuple[Any, Input, Grid]:
        array = check_samples(self, as_array(X), X, reset=True)
        if self.input == STATISTICS:
            understood, grid = understand_statistics(
                array,
                phases=self.phases,
                sample_shape=self.sample_shape,
                correlations=self.correlations,
                periodic=self.periodic,
                cutoff=self.cutoff,
            )
            return array, understood, grid
        understood = understand_structures(
            array,
            phases=phases_asked(X, self.phases),
            sample_shape=self.sample_shape,
            state_axis=self.state_axis,
        )
        assert understood.form is not None
        check_no_state_axis(array, understood, self.phases)
        return array, understood, grid_of(X, understood.form, self.periodic)
