"""Job that finds how large windows of a material have to be, and draws how their measures converge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data import open_structures
from ..data.sample_blocks import Progress
from ..evaluate.representative import PhaseSummary, Representativity, WindowSize, representative_windows
from ..evaluate.stationarity import Stationarity
from ..evaluate.window_spread import PhaseSpread, Spread
from ..given import refuse_mask
from ..grid import Grid
from .files.figures import check_figure, save_figure


def find_representative_windows(
    data: str | Path,
    *,
    tolerance: float = 0.05,
    spatial_dims: int | None = None,
    phase_values: str | Sequence[int] | None = None,
    voxel_size: float | Sequence[float] | None = None,
    unit: str | None = None,
    figure: str | Path | None = None,
    figure_style: str = "screen",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find how large windows of a material have to be, and how many are needed.

    Parameters
    ----------
    data : path
        An image or a volume of the material, or a set of windows of it, in any format that `open_structures` reads.
    tolerance : float
        Relative error of the volume fractions that is tolerated, with 95 % confidence.
    spatial_dims, phase_values, voxel_size, unit
        As in `open_structures`.
    figure : path, optional
        Picture of the spread between windows against their size.
    figure_style : ``"screen"``, ``"single"`` or ``"double"``
        Layout of the figure: for a screen, or for one or two columns of a journal.
    overwrite : bool
        Whether an existing figure may be replaced.
    progress : callable, optional
        Called with the number of window sizes done and their total.

    Returns
    -------
    dict
        ``grid``, ``unit`` (of lengths), ``n_structures``, ``n_independent``, ``tolerance``, ``stationary``;
        ``recommended`` with ``window``, ``stride``, ``cutoff`` and ``rve`` in voxels along each axis, ``n_windows``,
        ``n_needed``, ``holds`` and ``fits``; ``phases`` and ``sizes`` with the fields of
        `matvae.evaluate.representative.PhaseSummary` and `WindowSize`, measures per axis by the name of the axis;
        ``remarks`` and ``figure``.

    Raises
    ------
    InputError, StoreError
        For invalid data or parameters, or a figure that cannot be written.
    """
    picture = check_figure(figure, [data], overwrite=overwrite, style=figure_style)
    structures = open_structures(
        data, spatial_dims=spatial_dims, phase_values=phase_values, voxel_size=voxel_size, unit=unit
    )
    refuse_mask(structures.mask, data, "an estimate of representativity")
    found = representative_windows(structures, tolerance=tolerance, progress=progress)
    if picture is not None:
        save_figure(found.plot(figure_style=figure_style), picture)
    return {"data": str(data), **_as_dict(found), "figure": None if picture is None else str(picture)}


def _as_dict(found: Representativity) -> dict[str, Any]:
    recommended = found.recommended
    return {
        "grid": found.grid.to_dict(),
        "unit": found.grid.length_unit,
        "n_structures": found.n_structures,
        "n_independent": found.n_independent,
        "tolerance": found.tolerance,
        "stationary": found.stationary,
        "recommended": {
            **{key: list(getattr(recommended, key)) for key in ("window", "stride", "cutoff", "rve")},
            **{key: getattr(recommended, key) for key in ("holds", "n_windows", "n_needed", "fits")},
        },
        "phases": [_phase(found.grid, phase) for phase in found.phases],
        "sizes": [_size(found.grid, size) for size in found.sizes],
        "remarks": list(found.remarks),
    }


def _phase(grid: Grid, phase: PhaseSummary) -> dict[str, Any]:
    return {
        "phase": phase.phase,
        "volume_fraction": phase.volume_fraction,
        "standard_error": phase.standard_error,
        "variance": phase.variance,
        "specific_surface": _by_axis(grid, phase.specific_surface),
        "correlation_length": _by_axis(grid, phase.correlation_length),
        "integral_range": phase.integral_range,
        "stationarity": {name: _test(grid, test) for name, test in phase.stationarity.items()},
    }


def _test(grid: Grid, test: Stationarity) -> dict[str, Any]:
    drift = [None if trend is None else vars(trend) for trend in test.drift]
    return {"drift": _by_axis(grid, drift), "variance_ratio": test.variance_ratio, "p_value": test.p_value}


def _size(grid: Grid, size: WindowSize) -> dict[str, Any]:
    return {
        "window": list(size.shape),
        "n_windows": size.n_windows,
        "n_measured": size.n_measured,
        "phases": [
            _spread_of_phase(grid, phase, expected) for phase, expected in zip(size.phases, size.expected, strict=True)
        ],
    }


def _spread_of_phase(grid: Grid, phase: PhaseSpread, expected: float) -> dict[str, Any]:
    return {
        "phase": phase.phase,
        "volume_fraction": {**_spread(phase.volume_fraction), "expected_sd": expected},
        "specific_surface": _by_axis(grid, [_spread(value) for value in phase.specific_surface]),
        "correlation_length": _by_axis(grid, [_spread(value) for value in phase.correlation_length]),
        "statistics_error": phase.statistics_error,
    }


def _spread(value: Spread) -> dict[str, float | None]:
    return {"mean": value.mean, "sd": value.sd}


def _by_axis(grid: Grid, values: Sequence[Any]) -> dict[str, Any]:
    """Values by the names of the axes; empty where there are none."""
    return dict(zip(grid.axes or (), values, strict=True)) if values else {}
