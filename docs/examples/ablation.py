"""Effect of each design choice on the lines of the paper: ``python docs/examples/ablation.py``.

Every row trains on the same structures for the same number of epochs and is measured on the same unseen ones, and
differs from the chosen networks in one choice. Writes docs/generated/ablation.md, each row as soon as it is known.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from matvae import StatsVAETransformer
from matvae.data.datasets.lines import Lines
from matvae.evaluate import LineErrors, VolumeFractionError
from matvae.evaluate.lines import line_element

TABLE = Path(__file__).resolve().parents[1] / "generated" / "ablation.md"
SIZE, TRAINING, UNSEEN, EPOCHS = 32, 30_000, 1000, 4
CHOSEN: dict[str, Any] = {
    "beta": 5e-6,
    "width": 512,
    "decoder": "separable",
    "latent_steps": 40,
    "patience": None,
    "threshold": "straight",
}
# What is changed, and whether the model has to be retrained for it.
ROWS: list[tuple[str, dict[str, Any], bool]] = [
    ("chosen networks", {}, True),
    ("encoder alone, no search for the latent (`latent_steps=0`)", {"latent_steps": 0}, False),
    ('voxels selected by fractions alone (`threshold="volume-fraction"`)', {"threshold": "volume-fraction"}, False),
    ("fixed threshold of equation 3 (`threshold=0.05`)", {"threshold": 0.05}, False),
    ('dense decoder (`decoder="dense"`)', {"decoder": "dense"}, True),
    ("no registration onto the original (`aligned_fraction=0`)", {"aligned_fraction": 0.0}, True),
    ('distance of equation 1 (`loss="absolute"`)', {"loss": "absolute"}, True),
    ("no weight on short lags (`short_range=0`)", {"short_range": 0.0}, True),
    ("larger KL weight (`beta=1e-4`)", {"beta": 1e-4}, True),
    ("narrower network (`width=256`)", {"width": 256}, True),
    ('encoder reads the image (`encoder="image"`)', {"encoder": "image"}, True),
    ("16 components (`n_components=16`)", {"n_components": 16}, True),
]
HEADER = """\
| | orientation | number | 1 / 2 / 3 / 4 lines | volume fraction | statistics error |
|---|---|---|---|---|---|
"""


def structures(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(sample, y, x)`` and their numbers of horizontal and vertical lines ``(sample, 2)``."""
    generator, rng = Lines((SIZE, SIZE)), np.random.default_rng(seed)
    images, properties = zip(*(generator.sample(rng) for _ in range(n)), strict=True)
    return np.stack(images), np.array([[p["n_horizontal"], p["n_vertical"]] for p in properties])


def measured(model: StatsVAETransformer, X: np.ndarray, numbers: np.ndarray) -> str:
    """One row's figures, as cells."""
    made = model.inverse_transform(model.transform(X))
    lines, fractions = LineErrors(line_element((SIZE, SIZE))), VolumeFractionError()
    lines.add(X, made, numbers)
    fractions.add(X, made)
    summary = lines.summary()
    by_number = " / ".join(f"{row['right']:.0f}" for row in summary["by_number"].values())
    cells = (f"{summary['orientation']:.1f} %", f"{summary['number']:.1f} %", by_number)
    return " | ".join((*cells, f"{fractions.percent:.2f} %", f"{-model.score(X):.3f}"))


def rows() -> Iterator[str]:
    """The table, row by row."""
    X, _ = structures(TRAINING, seed=0)
    unseen, numbers = structures(UNSEEN, seed=1)
    model = StatsVAETransformer()
    for name, change, anew in ROWS:
        started = time.perf_counter()
        if anew:
            model = StatsVAETransformer(9, max_epochs=EPOCHS, random_state=0).set_params(**CHOSEN).set_params(**change)
            model.fit(X)
            cells = measured(model, unseen, numbers)
        else:
            # A choice of inference: of the networks chosen, which come right before these.
            cells = measured(model.set_params(**change), unseen, numbers)
            model.set_params(latent_steps=CHOSEN["latent_steps"], threshold=CHOSEN["threshold"])
        print(f"{name}: {cells}  ({time.perf_counter() - started:.0f} s)", flush=True)
        yield f"| {name} | {cells} |\n"


def main() -> None:
    """Write the table."""
    text = (
        f"Trained on {TRAINING:,} images of {SIZE} x {SIZE} pixels for {EPOCHS} epochs with 9 components, unless\n"
        f"stated otherwise; measured on {UNSEEN} unseen images; one seed (`python docs/examples/ablation.py`, Python "
        f"{platform.python_version()}).\n\n{HEADER}"
    )
    for row in rows():
        text += row
        TABLE.write_text(text)


if __name__ == "__main__":
    main()
