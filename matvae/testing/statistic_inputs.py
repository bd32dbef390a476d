"""Checks of what a statistic takes: kinds of arrays, types, layouts, and what it must refuse."""

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
    """`state_axis`, `phases`, `periodic`, and those that the declaration promises."""
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
    """Same kind out as in, with the same values, shape and type."""
    import dask.array as da

    for shape, periodic in itertools.product(SHAPES, (True, False)):
        labels = labels_of(shape)
        for X, how in ((labels, {"phases": PHASES}), (states_of(labels), {"state_axis": -1})):
            expected = statistic(X, periodic=periodic, **how)
            lazy = statistic(da.from_array(X, chunks=(3, *X.shape[1:])), periodic=periodic, **how)
            tensor = statistic(torch.from_numpy(X), periodic=periodic, **how)
            require(isinstance(expected, np.ndarray), f"numpy in must be numpy out, but is {type(expected).__name__}.")
            require(is_dask(lazy), f"dask in must be dask out, but is {type(lazy).__name__}.")
            require(isinstance(tensor, torch.Tensor), f"torch in must be torch out, but is {type(tensor).__name__}.")
            computed = lazy.compute()
            require(
                lazy.shape == computed.shape and lazy.dtype == computed.dtype == expected.dtype,
                f"A dask array must say the shape and type it will have: it says {lazy.shape} {lazy.dtype}, has "
                f"{computed.shape} {computed.dtype}, and numpy gives {expected.dtype}.",
            )
            require_close(computed, expected, "dask and numpy")
            require_close(tensor.numpy(), expected, "torch and numpy")


def check_dask_is_lazy(statistic: Statistic) -> None:
    """Nothing is computed before it is asked for, and chunks of any shape give the same."""
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
            # That chunks are merged may be said.
            warnings.simplefilter("ignore", UserWarning)
            lazy = statistic(X, phases=PHASES)
            require(not computed, "Blocks of a dask array were computed before the result was asked for.")
            require_close(lazy.compute(), statistic(labels, phases=PHASES), "Chunks that split the axes of structures")
        computed.clear()


def check_types(statistic: Statistic) -> None:
    """float64 gives float64, all else float32, and labels may be of any integer type."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, phases=PHASES)
        for dtype in (np.uint8, np.int16, np.uint16, np.int64):
            found = statistic(labels.astype(dtype), phases=PHASES)
            require(found.dtype == np.float32, f"Labels must give float32, but {np.dtype(dtype)} gave {found.dtype}.")
            require_close(found, expected, f"Labels of type {np.dtype(dtype)}")
        for width in (np.float32, np.float64):
            found = statistic(states_of(labels, width), state_axis=-1)
            require(found.dtype == width, f"States of type {np.dtype(width)} gave a result of type {found.dtype}.")
        two = labels == 1
        require_close(statistic(two, phases=2), statistic(two.astype(np.uint8), phases=2), "Labels of type bool")


def check_its_input_is_left_alone(statistic: Statistic) -> None:
    """The input is not changed, and may be read-only, mapped from a file, or of any memory layout."""
    for shape in SHAPES:
        labels = labels_of(shape)
        expected = statistic(labels, phases=PHASES)
        reversed_memory = labels[::-1].copy()[::-1]
        for relaid in (labels.copy(), np.asfortranarray(labels), np.repeat(labels, 2, axis=0)[::2], reversed_memory):
            relaid.flags.writeable = False
            with _torch_warnings_as_errors():
                require_close(statistic(relaid, phases=PHASES), expected, "Labels in another memory layout")
        for dtype in (np.float32, np.float64):
            states = states_of(labels, dtype)
            original = states.copy()
            expected = statistic(states, state_axis=-1)
            statistic(torch.from_numpy(states), state_axis=-1)
            require((states == original).all(), "The statistic changes the array that it is given.")
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder, _torch_warnings_as_errors():
                np.save(f"{folder}/states.npy", states)
                mapped = np.load(f"{folder}/states.npy", mmap_mode="r")
                require_close(statistic(mapped, state_axis=-1), expected, "States mapped from a file")


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
    """With InputError: absent labels, NaN, infinity, nothing at all, and what is no array."""
    import dask.array as da

    labels = labels_of((6, 5))
    negative = labels.astype(np.int16)
    negative[0, 0, 0] = -1
    states = states_of(labels)
    for value, name in ((np.nan, "NaN"), (np.inf, "infinity")):
        spoiled = states.copy()
        spoiled[1, 2, 3, 0] = value
        for wrap in (np.asarray, torch.from_numpy):
            require_refusal(partial(statistic, wrap(spoiled), state_axis=-1), f"A state of {name}")
        lazy = da.from_array(spoiled)
        require_refusal(partial(_computed, statistic, lazy), f"A state of {name} in a dask array")
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (labels, {"phases": 2}, "A label beyond the number of phases"),
        (negative, {"phases": PHASES}, "A negative label"),
        (labels[:0], {"phases": PHASES}, "An array without samples"),
        (labels[:, :0], {"phases": PHASES}, "An array without voxels"),
        (labels.tolist(), {"phases": PHASES}, "A list"),
        (labels.astype(complex), {}, "An array of complex numbers"),
        (labels.astype(str), {}, "An array of strings"),
        (np.ma.masked_equal(labels, 1), {"phases": PHASES}, "A masked array"),
        (labels[0, 0], {"phases": PHASES}, "A single row of voxels, without a sample axis"),
        (labels, {"phases": 0}, "phases=0"),
        (states, {"state_axis": 0}, "A state axis that is the sample axis"),
        (labels, {"phases": PHASES, "periodic": "yes"}, "periodic='yes'"),
    ]
    for X, options, what in cases:
        require_refusal(partial(statistic, X, **options), what)


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
