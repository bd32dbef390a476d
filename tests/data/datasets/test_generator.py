from __future__ import annotations

import pytest

from matvae.data.datasets.generator import GENERATORS, build_generator
from matvae.errors import InputError, PluginError


def test_structures_match_the_grid_and_property_names_of_their_generator():
    import numpy as np

    for name in GENERATORS.builtin:
        generator, _ = build_generator(name, (32, 48), {})
        labels, properties = generator.sample(np.random.default_rng(0))
        assert labels.shape == (32, 48)
        assert labels.dtype == np.uint8
        assert labels.max() < generator.grid.phases
        assert generator.grid.periodic
        assert tuple(properties) == generator.property_names
        assert set(generator.units) <= set(properties)
        again, _ = generator.sample(np.random.default_rng(0))
        assert (labels == again).all()


def test_parameters_include_defaults_but_not_the_shape():
    generator, parameters = build_generator("voronoi", None, {"phases": 3})
    assert generator.grid.shape == (64, 64)
    assert parameters == {"n_grains": 32, "phases": 3}


def test_the_closest_parameter_is_suggested_for_an_unknown_one():
    with pytest.raises(
        InputError, match=r"'lines' has no parameter 'n_line'; it has n_lines, .*Did you mean 'n_lines'\?"
    ):
        build_generator("lines", (64, 64), {"n_line": 3})
    with pytest.raises(InputError, match="no parameter 'shape'"):
        build_generator("lines", (64, 64), {"shape": (32, 32)})


def test_unknown_generators_raise_a_plugin_error():
    with pytest.raises(PluginError, match="no data set generator called 'spheres'"):
        build_generator("spheres", None, {})
