"""Conformance suite for data sets: `check_dataset` runs all checks, `dataset_checks` returns them one by one.

Built-in generators pass it, and so must those of plugins.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle
import numpy as np

from ..data import open_structures
from ..data.datasets import GENERATORS, StructureGenerator, load_card
from ..data.datasets.generator import build_generator
from ..data.datasets.make import write_samples
from ..grid import Grid
from .check import Check, require, require_close, require_refusal, run_all

SHAPES = ((32, 32), (48, 32))
# Computes a property from labels ``(*space)``.
Measure = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Subject:
    """A generator of structures, and how it is checked."""

    name: str
    shapes: Sequence[Sequence[int]] = SHAPES
    measures: Mapping[str, Measure] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> type:
        """Class of the generator."""
        kind: type = GENERATORS.get(self.name)
        return kind

    def generators(self) -> list[StructureGenerator]:
        """Create one generator per shape."""
        return [self.kind(tuple(shape), **self.parameters) for shape in self.shapes]


def dataset_checks(
    name: str,
    shapes: Sequence[Sequence[int]] = SHAPES,
    *,
    measures: Mapping[str, Measure] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> list[Check]:
    """Return the checks of a generator of structures one by one.

    Parameters
    ----------
    name : str
        Registered name of the generator.
    shapes : sequence of sequence of int
        Shapes of the structures; by default two small images.
    measures : mapping of str to callable, optional
        Functions that compute properties from labels ``(*space)``, to check that stored properties are true.
    parameters : mapping, optional
        Parameters of the generator; by default its own.

    Returns
    -------
    list of Check
        For ``@pytest.mark.parametrize("check", dataset_checks("mine"), ids=str)`` on a test that calls ``check()``.
    """
    subject = Subject(name, shapes, measures or {}, parameters or {})
    return [Check(run.__name__.removeprefix("check_"), name, partial(run, subject)) for run in CHECKS]


def check_dataset(
    name: str,
    shapes: Sequence[Sequence[int]] = SHAPES,
    *,
    measures: Mapping[str, Measure] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Run all checks of a generator of structures.

    Parameters
    ----------
    name, shapes, measures, parameters
        As in `dataset_checks`.

    Raises
    ------
    AssertionError
        If a check fails; the message states what was expected, and a note names the check.
    """
    run_all(dataset_checks(name, shapes, measures=measures, parameters=parameters))


def check_defaults(subject: Subject) -> None:
    """The generator can be created without arguments, and its shape is the first parameter."""
    parameters = list(inspect.signature(subject.kind).parameters.values())
    require(parameters and parameters[0].name == "shape", "The first parameter must be shape.")
    missing = [parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty]
    require(not missing, f"Every parameter must have a default, but {', '.join(missing)} has none.")
    require(isinstance(subject.kind().grid, Grid), "grid must be a matvae.Grid.")


def check_card(subject: Subject) -> None:
    """The card has a summary and a licence, and agrees with the generator; a README documents every parameter."""
    card = load_card(subject.name)
    require(card.summary and card.licence, "The card must state a summary and a licence.")
    require(card.kind == "generated", f"The kind on the card must be 'generated', not {card.kind!r}.")
    generator, parameters = build_generator(card.generator or subject.name, card.size, card.parameters)
    if card.readme is None:
        return
    stated, actual = (card.phases, card.periodic), (generator.grid.phases, generator.grid.periodic)
    require(stated == actual, f"phases and periodic on the card are {stated}, but those of the grid are {actual}.")
    text = card.readme.read_text(encoding="utf-8")
    required = [f"# {card.name}\n", "**Provenance", *(f"`{parameter}`" for parameter in parameters)]
    missing = [words for words in required if words not in text]
    require(not missing, f"The README of the card must contain {missing}.")


def check_structures(subject: Subject) -> None:
    """A structure has the requested shape, the type uint8, and labels below the number of phases."""
    for shape, generator in zip(subject.shapes, subject.generators(), strict=True):
        labels, _ = generator.sample(np.random.default_rng(0))
        grid = generator.grid
        require(grid.shape == tuple(shape), f"The grid must have the shape {tuple(shape)}, not {grid.shape}.")
        require(labels.shape == grid.shape, f"A structure must have the shape {grid.shape}, not {labels.shape}.")
        require(labels.dtype == np.uint8, f"A structure must have the type uint8, not {labels.dtype}.")
        require(labels.max() < grid.phases, f"Labels must be below {grid.phases}, but {labels.max()} occurs.")


def check_properties(subject: Subject) -> None:
    """A structure has exactly the declared properties, each a finite number, and units belong to these."""
    for generator in subject.generators():
        _, properties = generator.sample(np.random.default_rng(0))
        declared = set(generator.property_names)
        require(set(properties) == declared, f"Properties must be {sorted(declared)}, not {sorted(properties)}.")
        require(all(np.isfinite(float(value)) for value in properties.values()), "Properties must be finite numbers.")
        require(set(generator.units) <= declared, "units names a property that does not exist.")


def check_properties_are_true(subject: Subject) -> None:
    """Properties equal those measured on the structures, where a measure is given."""
    for generator in subject.generators():
        for seed in range(10):
            labels, properties = generator.sample(np.random.default_rng(seed))
            for name, measure in subject.measures.items():
                require_close(properties[name], measure(labels), f"The property {name} and its measured value")


def check_samples_are_independent(subject: Subject) -> None:
    """A structure depends only on its random numbers, not on structures that were drawn before; seeds matter."""
    for first, second in zip(subject.generators(), subject.generators(), strict=True):
        seeds = range(20)
        forwards = [first.sample(np.random.default_rng(seed))[0] for seed in seeds]
        backwards = [second.sample(np.random.default_rng(seed))[0] for seed in reversed(seeds)][::-1]
        require(
            all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True)),
            "A structure must not depend on those drawn before it.",
        )
        require(
            any(not np.array_equal(forwards[0], labels) for labels in forwards),
            "Different seeds must give different structures.",
        )


def check_global_random_state_is_unused(subject: Subject) -> None:
    """The generator passed to `sample` is the only source of random numbers."""
    for generator in subject.generators():
        before = np.random.get_state(legacy=False)
        labels, _ = generator.sample(np.random.default_rng(5))
        after = np.random.get_state(legacy=False)
        is_unchanged = all(np.array_equal(before["state"][key], after["state"][key]) for key in ("key", "pos"))
        require(is_unchanged, "The global random state of numpy must not be used.")
        repeated, _ = generator.sample(np.random.default_rng(5))
        require(np.array_equal(labels, repeated), "The same random numbers must give the same structure.")


def check_stores(subject: Subject) -> None:
    """A store contains the structures, properties, units and grid, and a smaller one begins with the same samples."""
    for generator in subject.generators():
        with TemporaryDirectory() as folder:
            for n in (3, 5):
                write_samples(generator, Path(folder) / f"{n}.zarr", n, seed=7)
            few, many = (open_structures(Path(folder) / f"{n}.zarr") for n in (3, 5))
            labels = many.data.compute()
            require(many.grid == generator.grid, f"The grid in the store must be {generator.grid}, not {many.grid}.")
            require(dict(many.units) == dict(generator.units), f"Units in the store are {dict(many.units)}.")
            require(np.array_equal(few.data.compute(), labels[:3]), "Samples must not depend on their number.")
            for i in range(5):
                expected, properties = generator.sample(np.random.default_rng([7, i]))
                require(np.array_equal(labels[i], expected), f"Sample {i} in the store must be that of seed [7, {i}].")
                stored = {name: values[i] for name, values in many.properties.items()}
                require(stored == properties, f"Properties in the store must be {properties}, not {stored}.")


def check_pickling(subject: Subject) -> None:
    """A pickled copy, as sent to dask workers, draws the same structures."""
    for generator in subject.generators():
        copy = cloudpickle.loads(cloudpickle.dumps(generator))
        expected, labels = (part.sample(np.random.default_rng(3))[0] for part in (generator, copy))
        require(np.array_equal(labels, expected), "A pickled generator must draw the same structures.")


def check_invalid_parameters_are_refused(subject: Subject) -> None:
    """The constructor refuses shapes without voxels or with four axes, and parameters without a meaningful value."""
    for shape in ((0, 32), (4, 4, 4, 4)):
        require_refusal(partial(subject.kind, shape), f"The shape {shape}")
    for name in list(inspect.signature(subject.kind).parameters)[1:]:
        for value in (object(), float("nan")):
            require_refusal(partial(subject.kind, tuple(subject.shapes[0]), **{name: value}), f"{name}={value!r}")


CHECKS = (
    check_defaults,
    check_card,
    check_structures,
    check_properties,
    check_properties_are_true,
    check_samples_are_independent,
    check_global_random_state_is_unused,
    check_stores,
    check_pickling,
    check_invalid_parameters_are_refused,
)
