"""Output of the command `compare`: one line per method and size, in tables that fit a terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import Grid, load, open_structures, save_structures
from matvae.cli.compare import WIDTH, tables
from matvae.jobs import compare_methods


@pytest.fixture
def files(matvae, tmp_path):
    """Twenty structures with properties, and a model of them."""
    X = (np.random.default_rng(0).random((20, 8, 8)) < 0.4).astype(np.uint8)
    columns = {"k": X.mean((1, 2)), **{f"a_long_name_of_a_property_{i}": np.arange(20.0) * i for i in (1, 2, 3)}}
    save_structures(tmp_path / "x.zarr", X, grid=Grid((8, 8)), properties=columns)
    ran = matvae(
        "fit",
        tmp_path / "x.zarr",
        "-o",
        tmp_path / "m.matvae",
        "--n-components",
        2,
        "--decoder",
        "dense",
        "--max-epochs",
        1,
    )
    assert ran.code == 0, ran.err
    return tmp_path / "m.matvae", tmp_path / "x.zarr"


def test_a_table_is_printed(matvae, files, tmp_path):
    ran = matvae(
        "compare", *files, "--n-components", "1,2", "--property", "k", "--max-epochs", 1, "--figure", tmp_path / "a.png"
    )
    assert ran.code == 0, ran.err
    head, *lines = ran.out.splitlines()
    assert head.split()[2:6] == ["statistics", "centred", "<=", "1"]
    assert any(line.split()[-2:] == ["R2", "k"] for line in lines)
    assert [line.split("  ")[0] for line in lines[:10]] == [
        "training mean",
        "volume fraction alone",
        *["PCA"] * 2,
        *["PCA (lag metric)"] * 2,
        *["image-space VAE"] * 2,
        *["matvae"] * 2,
    ]
    assert "16 structures to fit on, 4 held out" in lines
    assert "R2: polynomial / Gaussian process" in lines
    assert "the model: decoder dense, metric plain" in lines
    assert "image-space VAE: decoder dense, metric plain" in lines
    assert (tmp_path / "a.png").exists()
    assert max(map(len, lines)) <= WIDTH
    assert "Fitting image-space VAE with 2 components (6 of 8)." in ran.err


def test_json_is_the_result_of_the_job(matvae, files):
    ran = matvae("compare", *files, "--n-components", 1, "--max-epochs", 1, "--property", "k", "--seed", 3, "--json")
    result = json.loads(ran.out)
    expected = compare_methods(*files, n_components=1, max_epochs=1, property="k", seed=3)
    for row, other in zip(result["rows"], expected["rows"], strict=True):
        assert {**row, "seconds": None} == {**other, "seconds": None}
    assert result["seed"] == 3


def test_many_properties_fill_several_tables(matvae, files):
    ran = matvae("compare", *files, "--n-components", 1, "--max-epochs", 1, "--quiet")
    assert ran.err == ""
    heads = [line for line in ran.out.splitlines() if line.startswith("method")]
    assert len(heads) > 1
    assert sum(head.count("R2 ") for head in heads) == 4
    assert max(map(len, ran.out.splitlines())) <= WIDTH


def test_the_row_of_the_given_model_is_explained(matvae, files):
    ran = matvae("compare", *files, "--train", files[1], "--n-components", 2, "--max-time", 0.2, "--property", "k")
    assert ran.code == 0, ran.err
    assert "matvae with n = 2 is the given model itself" in ran.out
    assert load(files[0]).n_components == 2


def test_settings_are_read_from_a_file(matvae, files, tmp_path):
    (tmp_path / "s.toml").write_text('[compare]\nn_components = [1, 2]\nproperty = ["k"]\nmax_epochs = 1\n')
    ran = matvae("compare", *files, "--config", tmp_path / "s.toml", "--held-out", 0.5, "--json")
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert (result["n_components"], result["properties"], result["n_test"]) == ([1, 2], ["k"], 10)


def test_errors_have_their_exit_codes(matvae, files):
    ran = matvae("compare", *files, "--property", "kk")
    assert ran.code == 3
    assert "Did you mean 'k'" in ran.err
    assert matvae("compare", *files, "--n-components", "few").code == 2
    assert len(open_structures(files[1])) == 20


def test_columns_are_distributed_over_tables():
    first = [("m", ["aa", "b"])]
    wide, narrow = ("wide", ["x" * 20, "y"]), ("n", ["1", "2"])
    assert tables(first, [narrow, wide], 100) == [[*first, narrow, wide]]
    assert tables(first, [narrow, wide, narrow], 26) == [[*first, narrow], [*first, wide], [*first, narrow]]
    # A column that is too wide for any table gets its own.
    assert tables(first, [wide], 10) == [[*first, wide]]
    assert tables(first, [], 10) == [first]
