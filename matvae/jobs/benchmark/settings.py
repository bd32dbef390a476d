"""What a benchmark is asked for, checked before any work."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from ... import validate
from ...errors import InputError
from ...estimator import StatsVAETransformer
from ...estimator.checks import check_parameters
from ...evaluate import line_element
from ...model import ENCODERS, ModelSpec, resolve_device
from ..memory import check_memory
from .presets import Preset, get_preset

FULL_TEST = 1000
LEAST_TRAINING, LEAST_TEST = 50, 10


@dataclass(frozen=True)
class BenchmarkSettings:
    """Parameters of `benchmark_paper`, which says what they mean.

    Raises
    ------
    InputError
        If one has a wrong type or range; what needs the machine is checked by `check_machine`.
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
        least = {"size": 1, "n": LEAST_TRAINING, "n_test": LEAST_TEST, "seed": 0}
        for name, minimum in least.items():
            validate.integer(name, getattr(self, name), minimum)
        if self.max_time is None:
            raise InputError("max_time must be a number of seconds, but None was given: a benchmark needs an end.")
        # Lines that do not fit into an image of that size are refused by the generator.
        assert self.element
        check_parameters(StatsVAETransformer(**self.parameters))
        if self.n_components > self.n:
            raise InputError(
                f"PCA gives at most {self.n} components of {self.n} structures, but n_components={self.n_components} "
                "was given. Ask for fewer components, or draw more structures."
            )

    @property
    def how(self) -> Preset:
        """The preset."""
        return get_preset(self.preset)

    @property
    def element(self) -> int:
        """Length of the counter's element in pixels."""
        return line_element((self.size, self.size))

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the estimator that is trained."""
        chosen = {"n_components": self.n_components, "max_time": self.max_time, "device": self.device}
        if self.weights is not None:
            chosen["encoder_weights"] = self.weights
        if self.batch_size is not None:
            chosen["batch_size"] = self.batch_size
        return {**self.how.training(self.n), **chosen}

    @property
    def method(self) -> str:
        """What this run is called in tables."""
        if not self.how.takes_weights:
            return f"{self.how.method} ({self.n_components})"
        origin = "untrained" if self.weights is None else "pretrained"
        return f"{self.how.method}, {origin} encoder ({self.n_components})"

    @property
    def notes(self) -> list[str]:
        """What whoever reads the result has to know, one sentence or two each."""
        notes = []
        if self.how.takes_weights and self.weights is None:
            notes.append(
                "The encoder starts from random weights, not from pretrained ones as in the paper: none were given "
                "(--weights FOLDER, or a name on the Hugging Face hub such as microsoft/resnet-152)."
            )
        if self.n_test < FULL_TEST:
            notes.append(
                f"Only {self.n_test} structures are held out, so a percentage has a standard error of up to "
                f"{50 / math.sqrt(self.n_test):.1f} points; the default is {FULL_TEST}."
            )
        return notes

    def check_machine(self) -> None:
        """Refuse trained weights that are not there, and a preset that does not fit into memory.

        Raises
        ------
        InputError, StoreError, MissingExtraError
            See `ResNet152Encoder` and `check_memory`.
        """
        how, parameters = self.how, self.parameters
        if how.takes_weights:
            # Without weights to check nothing needs to be filled with numbers.
            with torch.random.fork_rng(devices=[]), torch.device("meta" if self.weights is None else "cpu"):
                encoder = ENCODERS.get(how.parameters["encoder"])(self._spec())
            if self.weights is not None:
                encoder.load_pretrained(self.weights)
        if how.bytes_per_voxel:
            batch = parameters["batch_size"]
            check_memory(
                how.bytes_fixed + batch * self.size**2 * how.bytes_per_voxel,
                device=str(resolve_device(self.device)),
                what=f"The preset {self.preset!r} at {self.size} x {self.size} pixels with batches of {batch}",
                remedy="Give smaller batches (--batch-size) or smaller images (--size), or use another machine.",
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
            encoder=self.how.parameters["encoder"],
            decoder="convolutional",
            width=1,
        )
