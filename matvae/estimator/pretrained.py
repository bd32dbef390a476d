"""Models of measured materials that matvae brings along, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import PluginError, did_you_mean

PREFIX, SUFFIX = "pretrained:", ".matvae"
FOLDER = Path(__file__).resolve().parents[1] / "pretrained"


def pretrained_names() -> list[str]:
    """Names of the models that matvae brings along."""
    return sorted(folder.name.removesuffix(SUFFIX) for folder in FOLDER.glob(f"*{SUFFIX}"))


def is_pretrained(path: Any) -> bool:
    """Whether a path is the name of a pretrained model, ``pretrained:NAME``."""
    return str(path).startswith(PREFIX)


def model_folder(path: Any) -> Path:
    """Folder of a model, given as a path or as ``pretrained:NAME``.

    Raises
    ------
    PluginError
        If there is no pretrained model of this name.
    """
    if not is_pretrained(path):
        return Path(path)
    name, names = str(path).removeprefix(PREFIX), pretrained_names()
    if name not in names:
        hint = did_you_mean(name, names, shown=lambda close: f"{PREFIX}{close}")
        raise PluginError(f"There is no pretrained model {name!r}; known are {', '.join(names)}.{hint}")
    return FOLDER / f"{name}{SUFFIX}"
