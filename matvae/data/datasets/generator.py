"""What a generator of structures is, and the registry in which generators are found by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np

from ...errors import InputError
from ...grid import Grid
from ...registry import Registry

GENERATORS = Registry(
    "data set generator",
    "matvae.datasets",
    {
        "lines": "matvae.data.datasets.lines:Lines",
        "grf": "matvae.data.datasets.grf:GaussianRandomField",
        "voronoi": "matvae.data.datasets.voronoi:Voronoi",
        "checkerboard": "matvae.data.datasets.checkerboard:Checkerboard",
    },
)


class StructureGenerator(Protocol):
    """Draws structures one at a time from a random number generator it is handed.

    A generator is a class called as ``Generator(shape, **parameters)``, with a default for each, that checks
    all of them when it is made. It keeps no state between samples, so a sample depends on nothing but the
    random numbers it was given.

    Attributes
    ----------
    grid : Grid
        Shape, number of phases and boundaries of every structure it draws.
    property_names : tuple of str
        Names of the properties it gives with every structure.
    units : mapping of str to str
        Units of those properties that have one.
    """

    grid: Grid
    property_names: tuple[str, ...]
    units: Mapping[str, str]

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one structure: its labels ``(*space)`` as uint8, and its properties by name."""


def build_generator(
    name: str, shape: Sequence[int] | None, parameters: Mapping[str, Any]
) -> tuple[StructureGenerator, dict[str, Any]]:
    """Make the generator called `name`, every parameter checked.

    Parameters
    ----------
    name : str
        A name in `GENERATORS`.
    shape : sequence of int, optional
        Voxels along each axis; the generator's own default if None.
    parameters : mapping
        Keyword arguments of the generator.

    Returns
    -------
    generator : StructureGenerator
        Ready to draw samples.
    parameters : dict
        All its parameters, defaults filled in.

    Raises
    ------
    PluginError
        If there is no such generator or it cannot be imported.
    InputError
        If it has no parameter of a given name, or if a value does not fit.
    """
    factory = GENERATORS.get(name)
    signature = inspect.signature(factory)
    known = [parameter for parameter in signature.parameters if parameter != "shape"]
    for parameter in parameters:
        if parameter not in known:
            close = get_close_matches(parameter, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(
                f"The data set {name!r} has no parameter {parameter!r}; it has {', '.join(known) or 'none'}.{hint}"
            )
    given = {**({} if shape is None else {"shape": tuple(shape)}), **parameters}
    arguments = signature.bind(**given)
    arguments.apply_defaults()
    return factory(**given), {key: arguments.arguments[key] for key in known}
