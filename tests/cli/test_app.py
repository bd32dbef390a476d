"""Help without heavy imports, exit codes, and error messages of one paragraph."""

from __future__ import annotations

import subprocess
import sys

import pytest

import matvae as package
from matvae import errors, jobs

COMMANDS = ["dataset", "import", "info", "stats", "fit", "transform", "inverse", "evaluate"]


def test_help_lists_every_command(matvae):
    ran = matvae("--help")
    assert ran.code == 0
    assert all(f" {name} " in ran.out for name in COMMANDS)
    assert "[fit] n_components" in ran.out


@pytest.mark.parametrize("command", [("dataset", "list"), ("dataset", "make"), *[(name,) for name in COMMANDS[1:]]])
def test_every_command_has_examples_and_the_common_options(matvae, command):
    ran = matvae(*command, "--help")
    assert ran.code == 0
    assert "Example" in ran.out
    assert f"matvae {' '.join(command)} " in ran.out
    assert "--json" in ran.out
    assert "--config" in ran.out


def test_version(matvae, monkeypatch):
    monkeypatch.setenv("MATVAE_VERSION", "1")
    assert matvae("dataset", "list").out != ""
    assert matvae("--version").out == f"matvae {package.__version__}\n"


def test_help_needs_no_heavy_imports():
    program = (
        "import sys\nfrom matvae.cli import main\n"
        "try:\n    main(['fit', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'dask', 'sklearn', 'numpy', 'zarr', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("Bad data."), 3),
        (errors.StoreError("Bad store."), 4),
        (errors.PluginError("No such part."), 2),
        (errors.MissingExtraError("Install it."), 2),
        (errors.MatvaeError("Something else."), 1),
        (PermissionError(13, "Permission denied", "x.zarr"), 4),
    ],
)
def test_expected_errors_have_one_paragraph_and_an_exit_code(matvae, monkeypatch, store, error, code):
    def fail(path, **options):
        raise error

    monkeypatch.setattr(jobs, "describe", fail, raising=False)
    ran = matvae("info", store, "--json")
    assert ran.code == code
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert str(error) in ran.err
    monkeypatch.setenv("MATVAE_DEBUG", "1")
    from matvae.cli import main

    with pytest.raises(type(error)):
        main(["info", str(store)])


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("info",),
        ("info", "absent.zarr"),
        ("import", "absent.npy", "out.zarr"),
        ("stats", "absent.zarr", "-o", "s.zarr"),
        ("fit", "absent.zarr", "-o", "m.matvae"),
        ("dataset", "make", "nonsense", "out.zarr"),
        ("dataset", "make", "lines", "out.zarr", "--param", "seed=3"),
        ("dataset", "make", "lines", "out.zarr", "--size", "big"),
    ],
)
def test_usage_errors_exit_with_2(matvae, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    ran = matvae(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err != ""
    assert list(tmp_path.iterdir()) == []
