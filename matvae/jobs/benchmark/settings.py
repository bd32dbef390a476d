"""Settings of a benchmark, checked before any work."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from ... import validate
from ...errors import InputError
from ...estimator import StatsVAETransformer
from ...estimator.parameters import check_parameters
from ...evaluate import line_element
from ...memory import check_memory
from ...model import ENCODERS, ModelSpec, resolve_device
from .presets import PRESETS, Preset, companions

FULL_TEST = 1000
LEAST_TRAINING, LEAST_TEST = 50, 10


@dataclass(frozen=True)
class BenchmarkSettings:
    """Parameters of `benchmark_paper`, where they are documented.

    Raises
    ------
    InputError
        If one has a wrong type or range. `check_machine` checks what depends on the machine.
    """

    preset: str
    size: int
    n: int
    n_test: int
    n_components: int
    max_time: float
    seed: int
    weights: str | None
    batch_size: int | None
    device: str

    def __post_init__(self) -> None:
        validate.choice("preset", self.preset, PRESETS.names())
        least = {"size": 1, "n": LEAST_TRAINING, "n_test": LEAST_TEST, "seed": 0}
        for name, minimum in least.items():
            validate.integer(name, getattr(self, name), minimum)
        if self.max_time is None:
            raise InputError(
                "max_time must be a number of seconds, but None was given: a benchmark needs a time limit."
            )
        # The generator refuses images that are too small for lines.
        assert self.element
        check_parameters(StatsVAETransformer(**self.parameters))
        if self.n_components > self.n:
            raise InputError(
                f"PCA gives at most {self.n} components of {self.n} structures, but n_components={self.n_components} "
                "was given. Ask for fewer components, or draw more structures."
            )

    @property
    def recipe(self) -> Preset:
        """The preset of that name."""
        return PRESETS.get(self.preset)

    @property
    def companions(self) -> dict[str, BenchmarkSettings]:
        """Settings of the presets that are measured in addition, by name."""
        return {
            name: replace(
                self, preset=name, batch_size=None, max_time=min(self.max_time, preset.most_seconds or math.inf)
            )
            for name, preset in companions(self.preset).items()
        }

    @property
    def element(self) -> int:
        """Length of the structuring element of the line counter, in pixels."""
        return line_element((self.size, self.size))

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the estimator that is trained."""
        chosen = {"n_components": self.n_components, "max_time": self.max_time, "device": self.device}
        if self.weights is not None:
            chosen["encoder_weights"] = self.weights
        if self.batch_size is not None:
            chosen["batch_size"] = self.batch_size
        return {**self.recipe.training(self.n), **chosen}

    @property
    def method(self) -> str:
        """Name of this run in tables."""
        if not self.recipe.takes_weights:
            return f"{self.recipe.method} ({self.n_components})"
        origin = "untrained" if self.weights is None else "pretrained"
        return f"{self.recipe.method}, {origin} encoder ({self.n_components})"

    @property
    def notes(self) -> list[str]:
        """Caveats for readers of the result."""
        notes = []
        if self.recipe.takes_weights and self.weights is None:
            notes.append(
                "The encoder starts from random weights, not from pretrained ones as in the paper, since none were "
                "given (--weights FOLDER, or a name on the Hugging Face hub such as microsoft/resnet-152)."
            )
        if self.n_test < FULL_TEST:
            notes.append(
                f"Only {self.n_test} structures are held out, so a percentage has a standard error of up to "
                f"{50 / math.sqrt(self.n_test):.1f} points; the default is {FULL_TEST}."
            )
        return notes

    def check_machine(self) -> None:
        """Refuse missing pretrained weights, and a preset that does not fit into memory.

        Raises
        ------
        InputError, StoreError, MissingExtraError
            See `ResNet152Encoder` and `check_memory`.
        """
        recipe, parameters = self.recipe, self.parameters
        if recipe.takes_weights:
            # Without weights to check no memory needs to be allocated.
            with torch.random.fork_rng(devices=[]), torch.device("meta" if self.weights is None else "cpu"):
                encoder = ENCODERS.get(recipe.parameters["encoder"])(self._spec())
            if self.weights is not None:
                encoder.load_pretrained(self.weights)
        if recipe.bytes_per_voxel:
            batch = parameters["batch_size"]
            check_memory(
                recipe.bytes_fixed + batch * self.size**2 * recipe.bytes_per_voxel,
                device=str(resolve_device(self.device)),
                what=f"The preset {self.preset!r} at {self.size} x {self.size} pixels with batches of {batch}",
                remedy="Use smaller batches (--batch-size), smaller images (--size) or another machine.",
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"benchmark": "paper", **asdict(self)}

    def _spec(self) -> ModelSpec:
        return ModelSpec(
            shape=(self.size, self.size),
            phases=2,
            pairs=((1, 1),),
            periodic=True,
            cutoff=None,
            n_components=self.n_components,
            encoder=self.recipe.parameters["encoder"],
            decoder="convolutional",
            width=1,
        )
