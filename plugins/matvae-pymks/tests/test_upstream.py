"""Importing PyMKS and sfepy leaves the process as it was."""

from __future__ import annotations

import subprocess
import sys

import pytest

from matvae.errors import MissingExtraError
from matvae_pymks.upstream import import_pymks, import_quietly


def test_filters_stay_and_nothing_is_said():
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
output("as loud as before")
"""
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "sfepy: as loud as before\n", "")


def test_modules_of_pymks_can_be_named():
    assert import_pymks("pymks.fmks.correlations").TwoPointCorrelation is import_pymks().TwoPointCorrelation


def test_what_is_missing_is_named_with_its_install_line():
    with pytest.raises(MissingExtraError, match=r"Nonsense could not be imported .*no_such_module.* with: pip it"):
        import_quietly("no_such_module", needed="Nonsense", install="pip it")
