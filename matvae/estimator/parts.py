"""From parameters and data to the parts of a fit: grid, sizes, batches, module and trainer."""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch

from ..errors import InputError
from ..grid import Grid
from ..model import (
    ENCODERS,
    ModelSpec,
    StatsVAE,
    Trainer,
    TrainingSettings,
    plan_model,
    resolve_device,
)
from ..stats import resolve_correlations
from ..stats.correlate import transform_shape
from ..stats.lags import resolve_cutoff
from .batches import Batches, seed_from
from .sample_layout import STATISTICS, Input
from .samples import SamplesMixin

DEFAULT_EPOCHS = 100
# Voxels of all phases, padding of the Fourier transform included, in a batch of automatic size.
BATCH_VOXELS = 1 << 22
# Up to this many training samples all are mixed with neighbours, of more so many an epoch.
MIXED_SAMPLES = 1000
SPREAD_SAMPLES = 256


class PartsMixin(SamplesMixin):
    """What `StatsVAETransformer.fit` and `partial_fit` prepare; reads the constructor's parameters."""

    module_: StatsVAE
    # The constructor's parameters, checked by `check_parameters` before anything here is called.
    n_components: int
    alpha: float
    beta: float
    encoder: str
    encoder_weights: Any
    decoder: str
    width: int
    loss: str
    short_range: float
    mixing: Any
    aligned_fraction: float
    coarse_fraction: float
    max_epochs: int | None
    max_time: float | None
    batch_size: Any
    learning_rate: float
    patience: float | None
    validation_fraction: float
    device: str
    precision: str
    random_state: Any
    checkpoint: Any

    def _seed(self) -> int:
        return seed_from(0 if self.checkpoint is not None and self.random_state is None else self.random_state)

    def _spec(self, grid: Grid, batches: Batches, previous: ModelSpec | None = None) -> ModelSpec:
        """What to build; a training that goes on keeps the decoder that was chosen for it."""
        spec = ModelSpec(
            shape=grid.shape,
            phases=grid.phases,
            pairs=resolve_correlations(self.correlations, grid.phases),
            periodic=bool(self.periodic),
            cutoff=resolve_cutoff(grid.shape, self.periodic, self.cutoff),
            n_components=int(self.n_components),
            encoder=self.encoder,
            decoder=self.decoder,
            width=int(self.width),
        )
        structures = [] if self.input == STATISTICS else batches.calibration()
        return plan_model(spec, structures, previous)

    def _check_same(self, spec: ModelSpec) -> None:
        if self.module_.spec != spec:
            raise InputError(
                "Training cannot go on with other sizes or settings: the fitted model is "
                f"{self.module_.spec}, "
                f"now {spec} is asked for. Fit a new estimator."
            )

    def _batches(self, array: Any, understood: Input, grid: Grid, seed: int) -> Batches:
        # Both are refused, where they do not fit the grid, before anything is read.
        resolve_correlations(self.correlations, grid.phases)
        resolve_cutoff(grid.shape, self.periodic, self.cutoff)
        size = self.batch_size
        batches = Batches(
            array,
            understood,
            batch_size=self._auto_batch_size(grid) if isinstance(size, str) else int(size),
            validation_fraction=self.validation_fraction,
            seed=seed,
        )
        if batches.n_constant:
            warnings.warn(
                f"{batches.n_constant} of {len(array)} samples are constant (all voxels alike): their statistics "
                "say nothing about shapes. They are kept; leave them out if they are not meant.",
                stacklevel=5,
            )
        return batches

    def _auto_batch_size(self, grid: Grid) -> int:
        """As many samples as keep the Fourier transforms of a step within some hundred MB."""
        transformed = math.prod(transform_shape(grid.shape, self.periodic, self.cutoff)) * grid.phases
        return min(64, max(4, BATCH_VOXELS // transformed))

    def _build(self, spec: ModelSpec, batches: Batches, seed: int) -> StatsVAE:
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would reseed the GPUs as well.
            torch.default_generator.manual_seed(seed)
            module = StatsVAE(spec)
        if self.encoder_weights is not None:
            module.encoder.load_pretrained(self.encoder_weights)
        module.calibrate(batches.calibration(), from_statistics=self.input == STATISTICS)
        return module

    def _auto_mixing(self, n_training: int) -> float:
        """Share of samples to mix: none for a search, to which a mixture of two structures is neither of them."""
        return 0.0 if ENCODERS.get(self.encoder).searches else min(1.0, MIXED_SAMPLES / n_training)

    def _trainer_for(self, module: StatsVAE, seed: int, n_training: int) -> Trainer:
        unlimited = self.max_epochs is None and self.max_time is None
        settings = TrainingSettings(
            alpha=self.alpha,
            beta=self.beta,
            loss=self.loss,
            short_range=self.short_range,
            mixing=self._auto_mixing(n_training) if self.mixing == "auto" else self.mixing,
            aligned_fraction=self.aligned_fraction,
            coarse_fraction=self.coarse_fraction,
            learning_rate=self.learning_rate,
            max_epochs=DEFAULT_EPOCHS if unlimited else self.max_epochs,
            max_time=self.max_time,
            patience=self.patience,
        )
        device, from_statistics = resolve_device(self.device), self.input == STATISTICS
        return Trainer(module, settings, device, self.precision, seed, from_statistics=from_statistics)

    @staticmethod
    def _some(calibration: list[torch.Tensor]) -> list[torch.Tensor]:
        """Batches of as many samples as say how far a latent spreads; an encoder that searches takes its time."""
        needed = math.ceil(SPREAD_SAMPLES / len(calibration[0]))
        return calibration[:needed]

    def _learned(self, trainer: Trainer, understood: Input, grid: Grid, batches: Batches) -> dict[str, Any]:
        trainer.module.eval()
        return {
            "module_": trainer.module,
            "grid_": grid,
            "_input": understood,
            "history_": list(trainer.history),
            "n_iter_": trainer.epoch,
            "latent_spread_": trainer.latent_spread(self._some(batches.calibration())).cpu().numpy(),
        }
