"""Preset of ``matvae benchmark paper``: lines as boxes, measured alongside the learned networks."""

from matvae.jobs.benchmark.presets import Preset

BOXES = Preset(
    "boxes",
    {
        "encoder": "pursuit",
        "decoder": "boxes",
        # Latents are exact positions, and only the sizes of boxes are learned, in small steps: training needs no
        # comparison of voxels to guide it.
        "beta": 5e-6,
        "learning_rate": 1e-4,
        "batch_size": 32,
        "aligned_fraction": 0.0,
    },
    most_held_out=200,
    most_seconds=60.0,
    is_companion=True,
)
