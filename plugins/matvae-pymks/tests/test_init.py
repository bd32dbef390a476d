"""The package: light to import, complete, and clear where PyMKS is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import matvae_pymks


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_is_light():
    heavy = "'pymks', 'sfepy', 'torch', 'sklearn', 'dask'"
    assert run(f"import sys, matvae_pymks; print(sorted({{{heavy}}} & set(sys.modules)))").strip() == "[]"


def test_every_public_name_is_there():
    assert set(matvae_pymks.__all__) == set(matvae_pymks._HOME) <= set(dir(matvae_pymks))
    for name in matvae_pymks.__all__:
        assert getattr(matvae_pymks, name).__module__.startswith("matvae_pymks.")


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'matvae_pymks' has no attribute 'PrimitiveTransformers'"):
        matvae_pymks.PrimitiveTransformers  # noqa: B018


@pytest.mark.parametrize("name", ["TwoPointCorrelation", "LegendreTransformer"])
def test_without_pymks_the_message_tells_how_to_install_it(name):
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
    said = run(code)
    assert said.startswith("PyMKS could not be imported")
    assert "pip install matvae-pymks" in said
