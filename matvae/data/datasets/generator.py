"""The protocol of generators of structures, and the registry of generators by name."""

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
    """A class whose instances draw structures one by one from a random number generator.

    It is called as ``Generator(shape, **parameters)``, has a default for each of them, and checks all of them at once.
    It keeps no state between samples, so that a sample depends only on the random numbers passed to it.
    `matvae.testing.check_dataset` checks this.

    Attributes
    ----------
    grid : Grid
        Grid of every structure.
    property_names : tuple of str
        Names of the properties returned with every structure.
    units : mapping of str to str
        Units of those properties that have one.
    """

    grid: Grid
    property_names: tuple[str, ...]
    units: Mapping[str, str]

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw the uint8 labels ``(*space)`` of one structure, and its properties by name."""


def build_generator(
    name: str, shape: Sequence[int] | None, parameters: Mapping[str, Any]
) -> tuple[StructureGenerator, dict[str, Any]]:
    """Create the generator called `name`.

    Parameters
    ----------
    name : str
        A name in `GENERATORS`.
    shape : sequence of int, optional
        Voxels along each axis; if None, the default of the generator.
    parameters : mapping
        Keyword arguments of the generator.

    Returns
    -------
    generator : StructureGenerator
        The generator, ready to draw samples.
    parameters : dict
        All its parameters, including defaults.

    Raises
    ------
    PluginError
        If there is no such generator or it cannot be imported.
    InputError
        If a parameter is unknown, or a value is invalid.
    """
    factory = GENERATORS.get(name)
    signature = inspect.signature(factory)
    names = [parameter for parameter in signature.parameters if parameter != "shape"]
    for parameter in parameters:
        if parameter not in names:
            close = get_close_matches(parameter, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(
                f"The data set {name!r} has no parameter {parameter!r}; it has {', '.join(names) or 'none'}.{hint}"
            )
    bound = signature.bind(**({} if shape is None else {"shape": tuple(shape)}), **parameters)
    generator = factory(*bound.args, **bound.kwargs)
    bound.apply_defaults()
    return generator, {name: bound.arguments[name] for name in names}
