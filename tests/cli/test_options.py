"""Parsing of options with more than one number, as users type them."""

from __future__ import annotations

import pytest
import typer

from matvae.cli import options


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (options.integers, "64,32", (64, 32)),
        (options.size, "64", 64),
        (options.size, "64,64,32", (64, 64, 32)),
        (options.lengths, "2.25", 2.25),
        (options.lengths, "2.25,1,1", (2.25, 1.0, 1.0)),
        (options.phase_values, "auto", "auto"),
        (options.threshold, "volume-fraction", "volume-fraction"),
        (options.threshold, "straight", "straight"),
        (options.threshold, "0.05", 0.05),
        (options.phase_values, "0,255", (0, 255)),
        (options.phase_values, "0,0.5,1", (0, 0.5, 1)),
        (options.samples, "all", "all"),
        (options.samples, "5:", slice(5, None)),
        (options.region, "0:400,:150,20:,:", ((0, 400), (None, 150), (20, None), (None, None))),
        (options.pairs, "1:1,1:2", ((1, 1), (1, 2))),
    ],
)
def test_text_is_parsed_to_values(parse, text, value):
    parser = options.parsed(parse, "x")
    assert parser(text) == value
    assert parser(value) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (options.integers, "64,"),
        (options.integers, "1.5"),
        (options.lengths, "wide"),
        (options.phase_values, "automatic"),
        (options.threshold, "half"),
        (options.region, "0-400"),
        (options.samples, "0-10"),
        (options.samples, "0:1,2:3"),
        (options.region, "1:2:3"),
        (options.pairs, "11"),
    ],
)
def test_invalid_text_is_a_usage_error_with_an_example(parse, text):
    with pytest.raises(typer.BadParameter, match="something like EXAMPLE is expected"):
        options.parsed(parse, "EXAMPLE")(text)


def test_parameters_of_a_generator_are_parsed():
    entries = ["n_grains=20", "volume-fractions=0.3,0.7", "mode=rank", "axes=(1, 2)", "text='a=b'"]
    assert options.parameters(entries) == {
        "n_grains": 20,
        "volume_fractions": (0.3, 0.7),
        "mode": "rank",
        "axes": (1, 2),
        "text": "a=b",
    }
    assert options.parameters(None) == {}
    for entry in ("n_grains", "=3"):
        with pytest.raises(typer.BadParameter, match="key=value"):
            options.parameters([entry])
