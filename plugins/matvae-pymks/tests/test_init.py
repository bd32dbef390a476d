"""The package is light to import, exports its public names, and explains how to install PyMKS."""

from __future__ import annotations

import subprocess
import sys

import pytest

import matvae_pymks


def run(code: str) -> str:
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def test_import_is_light():
    heavy = "'pymks', 'sfepy', 'torch', 'sklearn', 'dask'"
    assert run(f"import sys, matvae_pymks; print(sorted({{{heavy}}} & set(sys.modules)))").strip() == "[]"


def test_public_names_are_exported():
    assert set(matvae_pymks.__all__) == set(matvae_pymks._MODULES) <= set(dir(matvae_pymks))
    for name in matvae_pymks.__all__:
        assert getattr(matvae_pymks, name).__module__.startswith("matvae_pymks.")


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="'matvae_pymks' has no attribute 'PrimitiveTransformers'"):
        matvae_pymks.PrimitiveTransformers  # noqa: B018


@pytest.mark.parametrize("name", ["TwoPointCorrelation", "LegendreTransformer"])
def test_missing_pymks_is_reported_with_its_installation(name):
    code = f"""
import sys
sys.modules["pymks"] = None
from matvae.errors import MissingExtraError
from matvae_pymks import FlattenTransformer, PrimitiveTransformer, generate_multiphase
try:
    from matvae_pymks import {name}
except MissingExtraError as error:
    print(error)
"""
    message = run(code)
    assert message.startswith("PyMKS could not be imported")
    assert "pip install matvae-pymks" in message
