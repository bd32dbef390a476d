"""Conformance suite for data sets: `check_dataset` runs all checks, `dataset_checks` returns them one by one.

Built-in generators pass it, and so must those of plugins.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import partial

import cloudpickle
import numpy as np

from ..data.datasets import GENERATORS, StructureGenerator
from ..grid import Grid
from .check import Check, require, require_refusal, run_all

SHAPES = ((32, 32), (48, 32))


def dataset_checks(name: str, shapes: Sequence[Sequence[int]] = SHAPES) -> list[Check]:
    """Return the checks of a generator of structures one by one.

    Parameters
    ----------
    name : str
        Registered name of the generator.
    shapes : sequence of sequence of int
        Shapes to draw structures of; by default two small images.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", dataset_checks("mine"), ids=str)`` on a test that calls ``check()``.
    """
    return [Check(run.__name__.removeprefix("check_"), name, partial(run, name, shapes)) for run in CHECKS]


def check_dataset(name: str, shapes: Sequence[Sequence[int]] = SHAPES) -> None:
    """Run all checks of a generator of structures.

    Parameters
    ----------
    name, shapes
        As in `dataset_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(dataset_checks(name, shapes))


def check_defaults(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """The generator can be built without any argument, and its shape is the first parameter."""
    kind = GENERATORS.get(name)
    parameters = list(inspect.signature(kind).parameters.values())
    require(parameters and parameters[0].name == "shape", "The first parameter must be shape.")
    missing = [parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty]
    require(not missing, f"Every parameter needs a default, but {', '.join(missing)} has none.")
    require(isinstance(kind().grid, Grid), "grid must be a matvae.Grid.")


def check_structures(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """A structure has the shape of the grid, the type uint8, and labels below the number of phases."""
    for generator in _generators(name, shapes):
        labels, _ = generator.sample(np.random.default_rng(0))
        grid = generator.grid
        require(labels.shape == grid.shape, f"A structure must have the shape {grid.shape}, not {labels.shape}.")
        require(labels.dtype == np.uint8, f"A structure must have the type uint8, not {labels.dtype}.")
        require(labels.max() < grid.phases, f"Labels must be below {grid.phases}, but {labels.max()} occurs.")


def check_properties(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """A structure has exactly the declared properties, each a finite number, and units belong to these."""
    for generator in _generators(name, shapes):
        _, properties = generator.sample(np.random.default_rng(0))
        declared = set(generator.property_names)
        require(set(properties) == declared, f"Properties must be {sorted(declared)}, not {sorted(properties)}.")
        require(all(np.isfinite(float(value)) for value in properties.values()), "Properties must be finite numbers.")
        require(set(generator.units) <= declared, "units names a property that does not exist.")


def check_repeats(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """A structure depends on its random numbers only, not on the structures drawn before it."""
    for first, second in zip(_generators(name, shapes), _generators(name, shapes), strict=True):
        forwards = [first.sample(np.random.default_rng(seed))[0] for seed in (0, 1, 2)]
        backwards = [second.sample(np.random.default_rng(seed))[0] for seed in (2, 1, 0)][::-1]
        require(
            all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True)),
            "A structure must not depend on those drawn before it.",
        )


def check_leaves_global_randomness_alone(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """The generator handed to `sample` is the only source of random numbers."""
    for generator in _generators(name, shapes):
        state = np.random.get_state(legacy=False)
        first, _ = generator.sample(np.random.default_rng(5))
        after = np.random.get_state(legacy=False)
        unchanged = all(np.array_equal(state["state"][key], after["state"][key]) for key in ("key", "pos"))
        require(unchanged, "numpy's global random state must not be used.")
        second, _ = generator.sample(np.random.default_rng(5))
        require(np.array_equal(first, second), "The same random numbers must give the same structure.")


def check_pickles(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """A generator survives pickling, with which it reaches the workers of a cluster."""
    for generator in _generators(name, shapes):
        copy = cloudpickle.loads(cloudpickle.dumps(generator))
        first, second = (each.sample(np.random.default_rng(3))[0] for each in (generator, copy))
        require(np.array_equal(first, second), "A pickled generator must draw the same structures.")


def check_bad_shapes_are_refused(name: str, shapes: Sequence[Sequence[int]]) -> None:
    """Shapes without voxels, or with more than three axes, are refused with an InputError."""
    for shape in ((0, 32), (4, 4, 4, 4)):
        require_refusal(partial(GENERATORS.get(name), shape), f"The shape {shape}")


def _generators(name: str, shapes: Sequence[Sequence[int]]) -> list[StructureGenerator]:
    return [GENERATORS.get(name)(tuple(shape)) for shape in shapes]


CHECKS = (
    check_defaults,
    check_structures,
    check_properties,
    check_repeats,
    check_leaves_global_randomness_alone,
    check_pickles,
    check_bad_shapes_are_refused,
)
