"""Import of PyMKS and sfepy without the side effects that their import has on the process."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import warnings
from importlib import import_module
from types import ModuleType

from matvae.errors import MissingExtraError

_IMPORT_LOCK = threading.RLock()
WHEEL = "pymks-0.4.1-py3-none-any.whl"
INSTALL = "pip install matvae-pymks"
INSTALL_WHEEL = (
    f"pip install {WHEEL}, a wheel that `python3.11 -m pip wheel --no-deps pymks==0.4.1` builds; PyMKS 0.4.1 cannot be "
    "built by Python 3.12 or later"
)


def import_pymks(module: str = "pymks") -> ModuleType:
    """Import PyMKS, or one of its modules, with `import_quietly`.

    Raises
    ------
    MissingExtraError
        If PyMKS or one of its dependencies is not installed.
    """
    return import_quietly(module, needed="PyMKS", install=INSTALL if sys.version_info < (3, 12) else INSTALL_WHEEL)


def import_quietly(module: str, *, needed: str, install: str) -> ModuleType:
    """Import a module without its output, warnings and changes to warning filters.

    PyMKS would silence every FutureWarning of the process, and sfepy warnings of SciPy.

    Parameters
    ----------
    module : str
        Name of the module, such as ``"pymks.fmks.correlations"``.
    needed, install : str
        For the error message: what is missing, and the command that installs it.

    Raises
    ------
    MissingExtraError
        If the module or one of its dependencies is not installed.
    """
    # The filters that scikit-learn and SciPy set for their own warnings at import must persist.
    import_module("sklearn.base")
    with _IMPORT_LOCK, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return import_module(module)
        except ImportError as error:
            raise MissingExtraError(
                f"{needed} could not be imported ({error}). Install it and its dependencies with: {install}"
            ) from error
