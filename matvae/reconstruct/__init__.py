"""Statistics to structures: phase retrieval and swaps of voxels, in torch.

The package itself can be called: ``matvae.reconstruct(statistics, grid=grid)`` is the function of the same name,
whichever of the two was imported first.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .agreement import Agreement, mutual_agreement
from .face import reconstruct
from .objective import Wanted
from .result import Reconstruction
from .sections import reconstruct_volume

__all__ = ["Agreement", "Reconstruction", "Wanted", "mutual_agreement", "reconstruct", "reconstruct_volume"]


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Reconstruction:
        return reconstruct(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
