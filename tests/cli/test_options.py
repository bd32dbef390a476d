"""Parsing of options with more than one number, as users type them."""

from __future__ import annotations

import numpy as np
import pytest
import typer

from matvae import StatsVAETransformer, jobs, save_structures
from matvae.cli import options
from matvae.errors import PluginError


def test_a_path_must_exist_unless_it_names_a_pretrained_model(tmp_path):
    assert options.existing_or_pretrained(str(tmp_path)) == tmp_path
    assert options.existing_or_pretrained("pretrained:alloy").name == "alloy.matvae"
    with pytest.raises(typer.BadParameter, match="does not exist"):
        options.existing_or_pretrained(str(tmp_path / "missing"))
    with pytest.raises(PluginError, match="no pretrained model 'granite'"):
        options.existing_or_pretrained("pretrained:granite")


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


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Structures x.zarr, their statistics s.zarr, a model m.matvae, and latents z.csv."""
    folder = tmp_path_factory.mktemp("fitted")
    X = (np.random.default_rng(0).random((40, 8, 8)) < 0.4).astype(np.uint8)
    save_structures(folder / "x.zarr", X)
    jobs.compute_statistics(folder / "x.zarr", folder / "s.zarr")
    model = StatsVAETransformer(n_components=2, decoder="dense", max_epochs=1, width=8, random_state=0)
    model.fit(X).save(folder / "m.matvae")
    jobs.transform_structures(folder / "m.matvae", folder / "x.zarr", folder / "z.csv")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "dataset make lines o.zarr",
        "import STORE o.zarr",
        "stats STORE -o o.zarr",
        "transform MODEL STORE -o o.npy",
        "inverse MODEL z.csv -o o.zarr",
        "reconstruct STATS -o o.zarr",
        "evaluate MODEL STORE",
        "compare MODEL STORE --n-components 1",
        "optimize MODEL --goal volume_fraction=0.4 -o o.zarr",
    ],
)
def test_workers_and_scheduler_reach_the_job(matvae, fitted, tmp_path, monkeypatch, command):
    monkeypatch.chdir(fitted)
    names = {"STORE": "x.zarr", "MODEL": "m.matvae", "STATS": "s.zarr", "o.zarr": tmp_path / "o.zarr"}
    ran = matvae(
        *(names.get(word, word) for word in command.split()), "--workers", 2, "--scheduler", "tcp://10.0.0.1:8786"
    )
    assert ran.code == 3
    assert "--workers 2 starts processes" in ran.err
    assert "10.0.0.1:8786" in ran.err
