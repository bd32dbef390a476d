"""Job that finds how large windows of a material have to be, and draws how their measures converge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
    picture = check_figure(figure, [data], overwrite=overwrite)
    structures = open_structures(
        data, spatial_dims=spatial_dims, phase_values=phase_values, voxel_size=voxel_size, unit=unit
    )
    refuse_mask(structures.mask, data, "an estimate of representativity")
    found = representative_windows(structures, tolerance=tolerance, progress=progress)
    result = _as_dict(found)
    if picture is not None:
        save_figure(_draw(result, found.least_certain), picture)
    return {"data": str(data), **result, "figure": None if picture is None else str(picture)}


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


def _draw(result: Mapping[str, Any], shown: int) -> Any:
    """Spread of volume fractions of all phases, other measures of one of them, against size."""
    from ..report import plot_window_sizes
    from ..report.style import UNIT_SYMBOLS, new_figure

    unit = UNIT_SYMBOLS.get(result["unit"], result["unit"])
    edges = [_edge(result, size["window"]) for size in result["sizes"]]
    style: dict[str, Any] = {"unit": unit, "chosen": _edge(result, result["recommended"]["window"])}
    phases = result["phases"]
    columns = {phase["phase"]: [size["phases"][k] for size in result["sizes"]] for k, phase in enumerate(phases)}
    figure = new_figure(12, 3.7, dpi=100)
    fractions, errors, lengths = figure.subplots(1, 3)
    labels = {phase: f"phase {phase}" for phase in columns}
    plot_window_sizes(
        fractions,
        edges,
        {labels[phase]: [row["volume_fraction"]["sd"] for row in rows] for phase, rows in columns.items()},
        expected={
            labels[phase]: [row["volume_fraction"]["expected_sd"] or None for row in rows]
            for phase, rows in columns.items()
        },
        log=True,
        **style,
    )
    fractions.set_title("sd of the volume fraction: windows, theory (line)", fontsize=9)
    first = phases[shown]
    rows = columns[first["phase"]]
    axis_names = list(first["correlation_length"])
    series = {
        f"specific surface, lines along {axis}": [_ratio(row["specific_surface"][axis]) for row in rows]
        for axis in first["specific_surface"]
    }
    series["2-point statistics"] = [row["statistics_error"] for row in rows]
    plot_window_sizes(errors, edges, series, log=True, **style)
    errors.set_title(f"relative error of a window, phase {first['phase']}", fontsize=9)
    plot_window_sizes(
        lengths,
        edges,
        {axis: [row["correlation_length"][axis]["mean"] for row in rows] for axis in axis_names},
        spread={axis: [row["correlation_length"][axis]["sd"] for row in rows] for axis in axis_names},
        whole=first["correlation_length"],
        **style,
    )
    lengths.set_title(f"correlation length / {unit}, phase {first['phase']} (dashed: whole)", fontsize=9)
    return figure


def _edge(result: Mapping[str, Any], window: Sequence[int]) -> float:
    """Edge of the square or cube of the volume of a window, in the unit of length."""
    sizes = result["grid"]["voxel_size"] or [1.0] * len(window)
    return float(math.prod(n * size for n, size in zip(window, sizes, strict=True)) ** (1 / len(window)))


def _ratio(spread: Mapping[str, float | None]) -> float | None:
    mean, sd = spread["mean"], spread["sd"]
    return None if not mean or sd is None else sd / mean
