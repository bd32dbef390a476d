"""The version of matvae, that of the tag in git by which it was built; every other place reads it from here."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("matvae")
except PackageNotFoundError:
    # A checkout that is on the path, but was never installed.
    __version__ = "0.1.0.dev0"
