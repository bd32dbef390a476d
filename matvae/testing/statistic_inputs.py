"""Checks of the input of a statistic: kinds of arrays, types and memory layouts to accept, and input to refuse."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from ..stats import Statistic
from ..stats.map_samples import is_dask
from .check import require, require_close, require_refusal
from .structures import PHASES, SHAPES, labels_of, states_of


def check_options_have_their_usual_names(statistic: Statistic) -> None:
    """The function takes `state_axis`, `phases`, `periodic`, and the options that the declaration implies."""
    expected = {"state_axis", "phases", "periodic"}
    if statistic.column != "phase":
        expected.add("correlations")
    if statistic.uses_voxel_size:
        expected.add("voxel_size")
    missing = sorted(expected - set(statistic.options))
    require(
        statistic.column in ("phase", "correlation"), f"A column is a phase or a correlation, not {statistic.column!r}."
    )
    require(not missing, f"The function must take the options {missing}; it takes {list(statistic.options)}.")


def check_numpy_dask_and_torch_agree(statistic: Statistic) -> None:
    """The result is of the same kind as the input, with the same values, shape and type for each kind."""
    import dask.array as da

    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        for X, options in ((labels, {"phases": PHASES}), (states_of(labels), {"state_axis": -1})):
            expected = statistic(X, spatial_dims=len(shape), periodic=periodic, **options)
            lazy = statistic(
                da.from_array(X, chunks=(3, *X.shape[1:])), spatial_dims=len(shape), periodic=periodic, **options
            )
            tensor = statistic(torch.from_numpy(X), spatial_dims=len(shape), periodic=periodic, **options)
            require(isinstance(expected, np.ndarray), f"numpy in must be numpy out, but is {type(expected).__name__}.")
            require(is_dask(lazy), f"dask in must be dask out, but is {type(lazy).__name__}.")
            require(isinstance(tensor, torch.Tensor), f"torch in must be torch out, but is {type(tensor).__name__}.")
            computed = lazy.compute()
            require(
                lazy.shape == computed.shape and lazy.dtype == computed.dtype == expected.dtype,
                f"A dask array must declare the shape and type it will have: it declares {lazy.shape} {lazy.dtype}, "
                f"has {computed.shape} {computed.dtype}, and numpy gives {expected.dtype}.",
            )
            require_close(computed, expected, "dask and numpy")
            require_close(tensor.numpy(), expected, "torch and numpy")


def check_dask_is_lazy(statistic: Statistic) -> None:
    """Nothing is computed before the result is requested, and the shape of the chunks does not affect it."""
    import dask
    import dask.array as da

    computed: list[int] = []

    def count(block: np.ndarray) -> np.ndarray:
        computed.append(len(block))
        return block

    for shape in SHAPES:
        labels = labels_of(shape)
        X = da.from_array(labels, chunks=2).map_blocks(count, dtype=labels.dtype, meta=labels[:0])
        with dask.config.set(scheduler="synchronous"), warnings.catch_warnings():
            # The statistic may warn that it merges chunks.
            warnings.simplefilter("ignore", UserWarning)
            lazy = statistic(X, spatial_dims=len(shape), phases=PHASES)
            require(not computed, "Blocks of a dask array were computed before the result was requested.")
            require_close(
                lazy.compute(),
                statistic(labels, spatial_dims=len(shape), phases=PHASES),
                "Chunks that split the axes of structures",
            )
        computed.clear()


def check_types(statistic: Statistic) -> None:
    """float64 gives float64, every other type float32, and labels may be of any integer type."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES)
        for dtype in (np.uint8, np.int16, np.uint16, np.int64):
            result = statistic(labels.astype(dtype), spatial_dims=len(shape), phases=PHASES)
            require(result.dtype == np.float32, f"Labels must give float32, but {np.dtype(dtype)} gave {result.dtype}.")
            require_close(result, expected, f"Labels of type {np.dtype(dtype)}")
        for precision in (np.float32, np.float64):
            result = statistic(states_of(labels, precision), spatial_dims=len(shape), state_axis=-1)
            require(
                result.dtype == precision,
                f"States of type {np.dtype(precision)} must give that type, but gave {result.dtype}.",
            )
        booleans = labels == 1
        expected = statistic(booleans.astype(np.uint8), spatial_dims=len(shape), phases=2)
        require_close(statistic(booleans, spatial_dims=len(shape), phases=2), expected, "Labels of type bool")


def check_its_input_is_left_alone(statistic: Statistic) -> None:
    """The input is not changed, and may be read-only, mapped from a file, or of any memory layout."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, spatial_dims=len(shape), phases=PHASES)
        reversed_memory = labels[::-1].copy()[::-1]
        for relaid in (labels.copy(), np.asfortranarray(labels), np.repeat(labels, 2, axis=0)[::2], reversed_memory):
            relaid.flags.writeable = False
            with _torch_warnings_as_errors():
                require_close(
                    statistic(relaid, spatial_dims=len(shape), phases=PHASES),
                    expected,
                    "Labels in another memory layout",
                )
        for dtype in (np.float32, np.float64):
            states = states_of(labels, dtype)
            original = states.copy()
            expected = statistic(states, spatial_dims=len(shape), state_axis=-1)
            statistic(torch.from_numpy(states), spatial_dims=len(shape), state_axis=-1)
            require((states == original).all(), "The statistic changes the array that it is given.")
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder, _torch_warnings_as_errors():
                np.save(f"{folder}/states.npy", states)
                mapped = np.load(f"{folder}/states.npy", mmap_mode="r")
                require_close(
                    statistic(mapped, spatial_dims=len(shape), state_axis=-1), expected, "States mapped from a file"
                )


@contextmanager
def _torch_warnings_as_errors() -> Iterator[None]:
    """Turn torch's warning about read-only memory, by default issued once per process, into an error each time."""
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*not writable")
            yield
    finally:
        torch.set_warn_always(always)


def check_bad_input_is_refused(statistic: Statistic) -> None:
    """Absent labels, NaN, infinity, empty arrays and anything but an array of numbers raise InputError."""
    import dask.array as da

    labels = labels_of((6, 5))
    negative = labels.astype(np.int16)
    negative[0, 0, 0] = -1
    states = states_of(labels)
    for value, name in ((np.nan, "NaN"), (np.inf, "infinity")):
        invalid = states.copy()
        invalid[1, 2, 3, 0] = value
        for wrap in (np.asarray, torch.from_numpy):
            require_refusal(partial(statistic, wrap(invalid), state_axis=-1), f"A state of {name}")
        lazy = da.from_array(invalid)
        require_refusal(partial(_computed, statistic, lazy), f"A state of {name} in a dask array")
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (labels, {"phases": 2}, "A label beyond the number of phases"),
        (negative, {"phases": PHASES}, "A negative label"),
        (labels[:0], {"phases": PHASES}, "An array without samples"),
        (labels[:, :0], {"phases": PHASES}, "An array without voxels"),
        ([labels[0], labels[0, :-1]], {"phases": PHASES}, "A list of structures of different sizes"),
        (labels.astype(complex), {}, "An array of complex numbers"),
        (labels.astype(str), {}, "An array of strings"),
        (np.ma.masked_equal(labels, 1), {"phases": PHASES}, "A masked array"),
        (labels[0, 0], {"phases": PHASES}, "A single row of voxels, without a sample axis"),
        (labels, {"phases": 0}, "phases=0"),
        (states, {"state_axis": 0}, "A state axis that is the sample axis"),
        (labels, {"phases": PHASES, "periodic": "yes"}, "periodic='yes'"),
    ]
    for X, options, subject in cases:
        require_refusal(partial(statistic, X, **options), subject)


def _computed(statistic: Statistic, states: Any) -> Any:
    return statistic(states, state_axis=-1).compute()


CHECKS: tuple[Callable[[Statistic], None], ...] = (
    check_options_have_their_usual_names,
    check_numpy_dask_and_torch_agree,
    check_dask_is_lazy,
    check_types,
    check_its_input_is_left_alone,
    check_bad_input_is_refused,
)
