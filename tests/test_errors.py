from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from matvae import errors


@pytest.mark.parametrize(
    ("error", "builtin", "exit_code"),
    [
        (errors.InputError, ValueError, 3),
        (errors.StoreError, OSError, 4),
        (errors.PluginError, LookupError, 2),
        (errors.MissingExtraError, ImportError, 2),
        (errors.NotFittedError, SklearnNotFittedError, 2),
    ],
)
def test_errors_derive_from_a_builtin_class_have_an_exit_code_and_can_be_pickled(error, builtin, exit_code):
    assert issubclass(error, errors.MatvaeError)
    assert issubclass(error, builtin)
    assert error.exit_code == exit_code
    copy = pickle.loads(pickle.dumps(error("message")))
    assert type(copy) is error
    assert copy.args == ("message",)


def test_an_unknown_error_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'OtherError'"):
        _ = errors.OtherError


def test_scikit_learn_is_imported_only_for_its_own_error():
    code = "import sys, matvae.errors as e; assert 'sklearn' not in sys.modules; e.NotFittedError; import sklearn"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_closest_known_name_is_suggested_if_there_is_one():
    assert errors.did_you_mean("lineal_pth", ["two_point", "lineal_path"]) == " Did you mean 'lineal_path'?"
    assert errors.did_you_mean("aloy", ["alloy"], shown=str.upper) == " Did you mean ALLOY?"
    assert errors.did_you_mean("xyz", ["two_point"]) == errors.did_you_mean("xyz", []) == ""
