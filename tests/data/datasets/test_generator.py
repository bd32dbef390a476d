from __future__ import annotations

import pytest

from matvae.data.datasets.generator import GENERATORS, build_generator
from matvae.errors import InputError, PluginError


def test_every_built_in_generator_draws_what_its_grid_and_names_promise():
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


def test_defaults_are_filled_in_and_the_shape_is_not_a_parameter():
    generator, used = build_generator("voronoi", None, {"phases": 3})
    assert generator.grid.shape == (64, 64)
    assert used == {"n_grains": 32, "phases": 3}


def test_unknown_parameters_are_answered_with_the_closest_one():
    with pytest.raises(
        InputError, match=r"'lines' has no parameter 'n_line'; it has n_lines, .*Did you mean 'n_lines'\?"
    ):
        build_generator("lines", (64, 64), {"n_line": 3})
    with pytest.raises(InputError, match="no parameter 'shape'"):
        build_generator("lines", (64, 64), {"shape": (32, 32)})


def test_unknown_generators_are_a_plugin_error():
    with pytest.raises(PluginError, match="no data set generator called 'spheres'"):
        build_generator("spheres", None, {})
