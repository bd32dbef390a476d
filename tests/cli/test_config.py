"""Settings: a file is weaker than the environment, and that than flags; what nobody knows is an error."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return path

    return write


def lags(ran):
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["shape"][1:-1]


def test_file_then_environment_then_flag(matvae, store, tmp_path, config, monkeypatch):
    path = config("[stats]\ncutoff = 1\njson = true\n")
    command = ("stats", store, "-o", tmp_path / "s.zarr", "--overwrite")
    assert lags(matvae("--config", path, *command)) == [3, 3]
    assert lags(matvae(*command, "--config", path)) == [3, 3]
    monkeypatch.setenv("MATVAE_STATS_CUTOFF", "2")
    assert lags(matvae("--config", path, *command)) == [5, 5]
    assert lags(matvae("--config", path, *command, "--cutoff", "3")) == [7, 7]


def test_the_environment_names_a_file(matvae, store, tmp_path, config, monkeypatch):
    monkeypatch.setenv("MATVAE_CONFIG", str(config("[stats]\ncutoff = [1, 2]\n")))
    assert lags(matvae("stats", store, "-o", tmp_path / "s.zarr", "--json")) == [3, 5]


def test_the_later_file_wins(matvae, store, tmp_path, config):
    first = config("[stats]\ncutoff = 1\njson = true\n")
    second = tmp_path / "other.toml"
    second.write_text("[stats]\ncutoff = 2\n")
    ran = matvae("--config", first, "stats", store, "-o", tmp_path / "s.zarr", "--config", second)
    assert lags(ran) == [5, 5]


def test_lists_tables_and_arguments(matvae, tmp_path, config):
    path = config(
        f"""
        [dataset.make]
        name = "checkerboard"
        out = "{tmp_path / "c.zarr"}"
        size = [16, 8]
        n = 3
        json = true
        [dataset.make.param]
        cell = 4
        [stats]
        correlations = [[0, 0], [0, 1]]
        """
    )
    made = matvae("--config", path, "dataset", "make")
    assert made.code == 0, made.err
    assert json.loads(made.out)["grid"]["shape"] == [16, 8]
    ran = matvae("--config", path, "stats", tmp_path / "c.zarr", "-o", tmp_path / "s.zarr", "--json")
    assert json.loads(ran.out)["correlations"] == [[0, 0], [0, 1]]


def test_dashes_are_underscores_and_false_is_no(matvae, store, tmp_path, config):
    path = config("[stats]\nperiodic = false\n[fit]\nn-components = 3\n")
    ran = matvae("--config", path, "stats", store, "-o", tmp_path / "s.zarr", "--json")
    assert json.loads(ran.out)["periodic"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[stats]\ncutof = 1\n", "sets 'cutof'; the settings of this command are"),
        ("[stat]\ncutoff = 1\n", "contains 'stat', but a table for one of the commands"),
        ("cutoff = 1\n", "contains 'cutoff', but a table for one of the commands"),
        ("[dataset]\nname = 'lines'\n", "contains 'name', but a table for one of the commands list, make"),
        ("[stats\n", "is not TOML"),
        ("[stats]\ncutoff = 'far'\n", "'far' was given, but something like 16 or 16,16 is expected"),
        ("[fit]\nconfig = 'a.toml'\n", "sets 'config'"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_wrong_file_is_a_usage_error(matvae, store, tmp_path, config, text, message, before):
    option, command = ("--config", config(text)), ("stats", store, "-o", tmp_path / "s.zarr")
    ran = matvae(*option, *command) if before else matvae(*command, *option)
    assert ran.code == 2
    assert message in ran.err
    assert ran.out == ""
    assert not (tmp_path / "s.zarr").exists()


def test_a_missing_file_is_a_usage_error(matvae, tmp_path):
    ran = matvae("--config", tmp_path / "no.toml", "dataset", "list")
    assert ran.code == 2
    assert "does not exist" in ran.err
