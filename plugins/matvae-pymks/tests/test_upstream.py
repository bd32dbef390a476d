"""Importing PyMKS and sfepy has no side effects on the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from matvae.errors import MissingExtraError
from matvae_pymks.upstream import import_pymks, import_quietly


def test_filters_are_unchanged_and_nothing_is_printed():
    code = """
import warnings
import sklearn.base
before = list(warnings.filters)
from matvae_pymks.finite_elements import import_solver
import_solver()
assert warnings.filters == before, set(warnings.filters) ^ set(before)
from sfepy.base.base import output
from sfepy.base.goptions import goptions
assert goptions["verbose"]
output("still verbose")
"""
    completed = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "sfepy: still verbose\n", "")


def test_modules_of_pymks_can_be_imported():
    assert import_pymks("pymks.fmks.correlations").TwoPointCorrelation is import_pymks().TwoPointCorrelation


@pytest.mark.parametrize(
    ("version", "advice"),
    [
        ((3, 11), "with: pip install matvae-pymks$"),
        ((3, 12), r"with: pip install pymks-0\.4\.1-py3-none-any\.whl, a wheel"),
    ],
)
def test_missing_pymks_is_installed_as_this_version_of_python_can(monkeypatch, version, advice):
    monkeypatch.setitem(sys.modules, "pymks", None)
    monkeypatch.setattr("sys.version_info", version)
    with pytest.raises(MissingExtraError, match=advice):
        import_pymks()


def test_missing_module_is_reported_with_its_installation():
    with pytest.raises(MissingExtraError, match=r"Nonsense could not be imported .*no_such_module.* with: pip it"):
        import_quietly("no_such_module", needed="Nonsense", install="pip it")
