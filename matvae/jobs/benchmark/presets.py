"""The two ways in which `benchmark_paper` trains: as published, and as matvae does it best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InputError


@dataclass(frozen=True)
class Preset:
    """How a benchmark is trained.

    Parameters
    ----------
    method : str
        What it is called in tables.
    parameters : mapping
        Of `StatsVAETransformer`, where they are not its defaults.
    most_held_out : int, optional
        Most structures by which the best weights are chosen, where measuring more would take time from training.
    takes_weights : bool
        Whether its encoder can start from trained weights.
    bytes_fixed, bytes_per_voxel : int
        Memory that training takes: whatever the batch, and for each voxel of a batch. 0 where it is too little to
        check.
    """

    method: str
    parameters: Mapping[str, Any]
    most_held_out: int | None = None
    takes_weights: bool = False
    bytes_fixed: int = 0
    bytes_per_voxel: int = 0

    def training(self, n: int) -> dict[str, Any]:
        """Parameters of `StatsVAETransformer` for a set of `n` structures."""
        chosen = dict(self.parameters)
        if self.most_held_out is not None:
            chosen["validation_fraction"] = min(0.1, self.most_held_out / n)
        return chosen


PRESETS = {
    "matvae": Preset(
        "matvae",
        {
            # Lines are boxes, and a search finds them better by their statistics than a network learns to.
            "encoder": "pursuit",
            "decoder": "boxes",
            # Latents are exact places, and only the boxes' sizes are left to be learned, in small steps: no voxels need
            # to show the way.
            "beta": 5e-6,
            "learning_rate": 1e-4,
            "batch_size": 32,
            "aligned_fraction": 0.0,
        },
        most_held_out=200,
    ),
    "paper": Preset(
        "architecture of the paper",
        {
            "encoder": "resnet152",
            "decoder": "convolutional",
            # Equation 1 and nothing beside it, then equation 3.
            "loss": "absolute",
            "short_range": 0.0,
            "mixing": 0.0,
            "aligned_fraction": 0.0,
            "threshold": 0.05,
            "batch_size": 16,
            # Larger steps undo what a pretrained network knows.
            "learning_rate": 1e-4,
        },
        most_held_out=200,
        takes_weights=True,
        # Measured: weights, gradients, optimiser, best weights and a checkpoint on its way to the disk; and peaks at
        # batches of 4 to 32 images of 64 and 224 pixels.
        bytes_fixed=3_300_000_000,
        bytes_per_voxel=6000,
    ),
}


def get_preset(name: str) -> Preset:
    """The preset of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in PRESETS:
        raise InputError(f"The presets are {' and '.join(map(repr, PRESETS))}, but {name!r} was given.")
    return PRESETS[name]
