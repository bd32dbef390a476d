"""The package is light to import and exports its public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import matvae_taufactor


def test_import_is_light():
    """Properties import TauFactor only when they measure."""
    code = (
        "import sys, matvae_taufactor; matvae_taufactor.EffectiveDiffusivity();"
        "print(sorted({'taufactor', 'IPython', 'vtk'} & set(sys.modules)))"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert completed.stdout.strip() == "[]", completed.stderr


def test_public_names_are_exported():
    assert set(matvae_taufactor.__all__) == set(matvae_taufactor._MODULES) <= set(dir(matvae_taufactor))
    for name in matvae_taufactor.__all__:
        assert getattr(matvae_taufactor, name).__module__.startswith("matvae_taufactor.")


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="'matvae_taufactor' has no attribute 'tortuosity'"):
        matvae_taufactor.tortuosity  # noqa: B018
