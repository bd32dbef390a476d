"""Presets of `benchmark_paper`: ways to train a model. Plugins add to the entry point group ``matvae.presets``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...registry import Registry


@dataclass(frozen=True)
class Preset:
    """Recipe by which a model of a benchmark is trained.

    Parameters
    ----------
    method : str
        Its name in tables.
    parameters : mapping
        Of `StatsVAETransformer`, where they differ from its defaults.
    most_held_out : int, optional
        Maximum number of structures by which the best weights are selected, where measuring more would take time from
        training.
    most_seconds : float, optional
        Maximum training time, where more does not help.
    is_companion : bool
        Whether it is measured in addition, as a further row, whenever the default preset runs.
    takes_weights : bool
        Whether its encoder can start from trained weights.
    bytes_fixed, bytes_per_voxel : int
        Memory for training: independent of the batch, and for each voxel of a batch. 0 where it is too small to check.
    """

    method: str
    parameters: Mapping[str, Any]
    most_held_out: int | None = None
    most_seconds: float | None = None
    is_companion: bool = False
    takes_weights: bool = False
    bytes_fixed: int = 0
    bytes_per_voxel: int = 0

    def training(self, n: int) -> dict[str, Any]:
        """Parameters of `StatsVAETransformer` for a set of `n` structures."""
        chosen = dict(self.parameters)
        if self.most_held_out is not None:
            chosen["validation_fraction"] = min(0.1, self.most_held_out / n)
        return chosen


DEFAULT = "matvae"
MATVAE = Preset(
    "matvae",
    {
        # Lines are layouts: sums of few products of profiles along the axes.
        "decoder": "separable",
        # They are sharp and alike, so a wide network and a small KL weight pay.
        "width": 512,
        "beta": 5e-6,
        "batch_size": 128,
        "aligned_fraction": 0.7,
        # A step on the full grid of 224 x 224 takes as long as ten on the coarsest.
        "coarse_fraction": 0.9,
        "latent_steps": 40,
        "threshold": "straight",
    },
    most_held_out=500,
)
PAPER = Preset(
    "architecture of the paper",
    {
        "encoder": "resnet152",
        "decoder": "convolutional",
        # Equation 1 and nothing else, then equation 3.
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
)

PRESETS = Registry(
    "preset",
    "matvae.presets",
    {DEFAULT: "matvae.jobs.benchmark.presets:MATVAE", "paper": "matvae.jobs.benchmark.presets:PAPER"},
)


def companions(name: str) -> dict[str, Preset]:
    """Presets of plugins, by name, that are measured alongside the default preset; none alongside another one."""
    if name != DEFAULT:
        return {}
    others = {other: PRESETS.get(other) for other in PRESETS.names() if other != DEFAULT}
    return {other: preset for other, preset in others.items() if preset.is_companion}
