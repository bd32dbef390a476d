"""Settings files: the environment overrides them, flags override both, and unknown settings are errors."""

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


def test_flags_override_the_environment_which_overrides_files(matvae, store, tmp_path, config, monkeypatch):
    path = config("[stats]\ncutoff = 1\njson = true\n")
    command = ("stats", store, "-o", tmp_path / "s.zarr", "--overwrite")
    assert lags(matvae("--config", path, *command)) == [3, 3]
    assert lags(matvae(*command, "--config", path)) == [3, 3]
    monkeypatch.setenv("MATVAE_STATS_CUTOFF", "2")
    assert lags(matvae("--config", path, *command)) == [5, 5]
    assert lags(matvae("--config", path, *command, "--cutoff", "3")) == [7, 7]


def test_a_file_can_be_named_in_the_environment(matvae, store, tmp_path, config, monkeypatch):
    monkeypatch.setenv("MATVAE_CONFIG", str(config("[stats]\ncutoff = [1, 2]\n")))
    assert lags(matvae("stats", store, "-o", tmp_path / "s.zarr", "--json")) == [3, 5]


def test_the_later_file_takes_precedence(matvae, store, tmp_path, config):
    first = config("[stats]\ncutoff = 1\njson = true\n")
    second = tmp_path / "other.toml"
    second.write_text("[stats]\ncutoff = 2\n")
    ran = matvae("--config", first, "stats", store, "-o", tmp_path / "s.zarr", "--config", second)
    assert lags(ran) == [5, 5]


def test_files_may_contain_lists_tables_and_arguments(matvae, tmp_path, config):
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
    ran = matvae("--config", path, "dataset", "make")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["grid"]["shape"] == [16, 8]
    ran = matvae("--config", path, "stats", tmp_path / "c.zarr", "-o", tmp_path / "s.zarr", "--json")
    assert json.loads(ran.out)["correlations"] == [[0, 0], [0, 1]]


def test_names_may_contain_dashes_and_flags_can_be_false(matvae, store, tmp_path, config):
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
def test_an_invalid_file_is_a_usage_error(matvae, store, tmp_path, config, text, message, before):
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
