"""Statistics to structures: phase retrieval and swaps of voxels, in torch."""

from .agreement import Agreement, mutual_agreement
from .from_sections import reconstruct_volume
from .from_statistics import reconstruct
from .objective import Wanted
from .result import Reconstruction

__all__ = ["Agreement", "Reconstruction", "Wanted", "mutual_agreement", "reconstruct", "reconstruct_volume"]
