"""PyMKS and sfepy, imported without what their import does to the rest of the process."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from importlib import import_module
from types import ModuleType

from matvae.errors import MissingExtraError

_IMPORTING = threading.RLock()


def import_pymks(module: str = "pymks") -> ModuleType:
    """Import PyMKS, or a module of it, as `import_quietly` does.

    Raises
    ------
    MissingExtraError
        If PyMKS, or what it needs, is not installed.
    """
    return import_quietly(module, needed="PyMKS", install="pip install matvae-pymks")


def import_quietly(module: str, *, needed: str, install: str) -> ModuleType:
    """Import a module that changes, prints and warns about what does not concern its users.

    The filters of `warnings` stay as they were: PyMKS silences every FutureWarning of the process, sfepy warnings of
    SciPy. What is printed and warned about meanwhile is left out.

    Parameters
    ----------
    module : str
        Name of the module, such as ``"pymks.fmks.correlations"``.
    needed, install : str
        What is missing if that fails, and the command that installs it.

    Raises
    ------
    MissingExtraError
        If the module, or one it needs, is not installed.
    """
    # scikit-learn, and SciPy with it, set filters for their own warnings at import. Those stay.
    import_module("sklearn.base")
    with _IMPORTING, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return import_module(module)
        except ImportError as error:
            raise MissingExtraError(
                f"{needed} could not be imported ({error}). Install it, and what it needs, with: {install}"
            ) from error
