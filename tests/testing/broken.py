"""A conforming statistic, and faulty ones with at least one fault per check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from inspect import unwrap
from typing import Any

import dask.array as da
import numpy as np
import torch

from matvae import stats
from matvae.errors import InputError
from matvae.stats import Statistic, get_statistic
from matvae.stats.dispatch import block_voxels
from matvae.stats.map_samples import is_dask

# `Statistic` has settled already what the axes of the array are.
cluster_function, lineal_path, two_point_stats = map(
    unwrap, (stats.cluster_function, stats.lineal_path, stats.two_point_stats)
)

# As of a plugin that knows nothing of voxel sizes.
GOOD = replace(get_statistic("lineal_path"), uses_voxel_size=False)
CLUSTER = get_statistic("cluster")
TWO_POINT = get_statistic("two_point")

Function = Callable[..., Any]


def with_function(function: Function, statistic: Statistic = GOOD) -> Statistic:
    return replace(statistic, name="broken", function=function)


def with_result(change: Callable[[Any], Any]) -> Statistic:
    """Return the good statistic with its result changed."""

    def function(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
        return change(lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic))

    return with_function(function)


def with_input(change: Callable[[Any], Any]) -> Statistic:
    """Return the good statistic with its input changed."""

    def function(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
        return lineal_path(change(X), state_axis=state_axis, phases=phases, periodic=periodic)

    return with_function(function)


def without_periodic(X: Any, *, state_axis: int | None = None, phases: int | str = "auto") -> Any:
    return lineal_path(X, state_axis=state_axis, phases=phases)


def states_only(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
    result = lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic)
    return result if state_axis is None else result / 2


def two_columns(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
    result = lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic)
    if result.shape[-1] > 1:
        return result
    return (torch.cat if isinstance(result, torch.Tensor) else np.concatenate)([result, result], -1)  # type: ignore[operator]


def never_periodic(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
    return lineal_path(X, state_axis=state_axis, phases=phases, periodic=False)


def first_phase_twice(
    X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True
) -> Any:
    result = lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic)
    weights = [2.0] + [1.0] * (result.shape[-1] - 1)
    return result * (
        result.new_tensor(weights) if isinstance(result, torch.Tensor) else np.array(weights, result.dtype)
    )


def swapped_pairs(
    X: Any,
    *,
    state_axis: int | None = None,
    phases: int | str = "auto",
    periodic: bool = True,
    correlations: Any = None,
    cutoff: Any = None,
) -> Any:
    """Compute other correlations than those requested."""
    pairs = None if correlations is None else [(0, j) for _, j in correlations]
    return two_point_stats(
        X, state_axis=state_axis, phases=phases, periodic=periodic, correlations=pairs, cutoff=cutoff
    )


def without_nan(X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True) -> Any:
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        X = np.nan_to_num(X)
    return lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic)


def raises_key_errors(
    X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True
) -> Any:
    try:
        return lineal_path(X, state_axis=state_axis, phases=phases, periodic=periodic)
    except InputError as error:
        raise KeyError("phases") from error


def detaching_clusters(
    X: Any, *, state_axis: int | None = None, phases: int | str = "auto", periodic: bool = True
) -> Any:
    """Drop the gradient silently."""
    X = X.detach() if isinstance(X, torch.Tensor) else X
    return cluster_function(X, state_axis=state_axis, phases=phases, periodic=periodic)


def normalised_by_the_batch(result: Any) -> Any:
    return result / (1 + result.mean(0, keepdims=True))


def scaled_by_the_block_size(result: Any) -> Any:
    return result * (1 if block_voxels() > 100 else 2)


def changes_fields(X: Any) -> Any:
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        before = X.copy()
        X *= 0.5
        return before
    return X


def writes_to_labels(X: Any) -> Any:
    if isinstance(X, np.ndarray) and X.dtype.kind == "u":
        X[:1] = X[:1]
    return X


def shares_memory(X: Any) -> Any:
    """Share memory with read-only arrays, about which torch warns."""
    return torch.from_numpy(X).numpy() if isinstance(X, np.ndarray) and X.dtype.kind in "uf" else X


def wrong_gradient(result: Any) -> Any:
    return result + 0.1 * (result - result.detach()) if isinstance(result, torch.Tensor) else result


def no_gradient(result: Any) -> Any:
    return result.detach() if isinstance(result, torch.Tensor) else result


def computed_at_once(result: Any) -> Any:
    return da.from_array(result.compute()) if is_dask(result) else result


def in_memory(result: Any) -> Any:
    return result.compute() if is_dask(result) else result


def as_numpy(result: Any) -> Any:
    return result.detach().numpy() if isinstance(result, torch.Tensor) else result


def misdeclared(result: Any) -> Any:
    return result.map_blocks(lambda block: block.astype("f8"), dtype=result.dtype) if is_dask(result) else result


def falling(shape: tuple[int, ...], axes: Any, **options: Any) -> dict[str, np.ndarray]:
    return {name: values[::-1] for name, values in GOOD.coordinates(shape, axes, **options).items()}


def no_coordinates(shape: tuple[int, ...], axes: Any, **options: Any) -> dict[str, np.ndarray]:
    return {}


FAULTS: list[tuple[str, Statistic, str]] = [
    ("shape_is_that_of_the_coordinates", replace(GOOD, coordinates=no_coordinates), "but the result has the shape"),
    ("shape_is_that_of_the_coordinates", replace(GOOD, coordinates=falling), "ascending order"),
    ("shape_is_that_of_the_coordinates", with_result(lambda f: f[:, 1:]), "but the result has the shape"),
    ("values_are_finite", with_result(lambda f: f * float("nan")), "not all finite"),
    ("samples_are_independent", with_result(normalised_by_the_batch), "one by one"),
    ("samples_are_independent", with_result(lambda f: f[::-1] if isinstance(f, np.ndarray) else f), "one by one"),
    ("blocks_change_nothing", with_result(scaled_by_the_block_size), "Blocks of 1 voxels"),
    ("moving_a_periodic_structure_changes_nothing", with_function(never_periodic), "shifted by"),
    ("exchanged_phases_exchange_columns", with_function(first_phase_twice), "relabelled as"),
    ("exchanged_phases_exchange_columns", with_function(swapped_pairs, TWO_POINT), "relabelled as"),
    ("labels_and_states_agree", with_function(states_only), "Labels and states"),
    ("a_field_is_one_state", with_function(two_columns), "one column"),
    ("the_gradient_is_right", with_result(wrong_gradient), "finite differences"),
    ("the_gradient_is_right", with_result(no_gradient), "must require one"),
    ("the_gradient_is_right", with_function(detaching_clusters, CLUSTER), "was accepted"),
    ("options_have_their_usual_names", with_function(without_periodic), r"options \['periodic'\]"),
    ("options_have_their_usual_names", replace(GOOD, column="correlation"), r"options \['correlations'\]"),
    ("options_have_their_usual_names", replace(CLUSTER, uses_voxel_size=True), r"options \['voxel_size'\]"),
    ("options_have_their_usual_names", replace(GOOD, column="pair"), "not 'pair'"),
    ("numpy_dask_and_torch_agree", with_result(in_memory), "dask out, but is ndarray"),
    ("numpy_dask_and_torch_agree", with_result(as_numpy), "torch out, but is ndarray"),
    ("numpy_dask_and_torch_agree", with_result(misdeclared), "declare the shape and type"),
    ("numpy_dask_and_torch_agree", with_result(lambda f: f * 2 if is_dask(f) else f), "dask and numpy"),
    ("dask_is_lazy", with_result(computed_at_once), "before the result was requested"),
    ("types", with_result(lambda f: f.astype("f8") if isinstance(f, np.ndarray) else f), "must give float32"),
    ("types", with_result(lambda f: f.astype("f4") if isinstance(f, np.ndarray) else f), "must give that type"),
    ("its_input_is_left_alone", with_input(changes_fields), "changes the array"),
    ("its_input_is_left_alone", with_input(writes_to_labels), "read-only"),
    ("its_input_is_left_alone", with_input(shares_memory), "not writable"),
    ("bad_input_is_refused", with_function(without_nan), "A state of NaN must raise"),
    ("bad_input_is_refused", with_function(raises_key_errors), "raised KeyError"),
]
