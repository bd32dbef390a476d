"""TrainingRun: one training of a model on a set of samples, as an estimator's parameters describe it."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from ..files import unfinished
from ..grid import Grid
from ..model import (
    DECODERS,
    ENCODERS,
    STATISTICS,
    ModelSpec,
    StatsVAE,
    Trainer,
    TrainingSettings,
    plan_model,
)
from ..model.ranks import current_ranks
from ..stats import resolve_correlations
from ..stats.correlate import transform_shape
from ..stats.lags import resolve_cutoff
from ..stats.magnitude import check_magnitude
from ..warn import warn
from .batches import Batches, seed_from
from .samples import Samples

DEFAULT_EPOCHS = 100
# Voxels of all phases, padding of the Fourier transform included, in a batch of automatic size.
BATCH_VOXELS = 1 << 22
# Training samples per epoch whose statistics are mixed with those of a neighbour.
MIXED_SAMPLES = 1000
# Samples that determine the standard deviation of the latent; an encoder that searches takes its time.
LATENT_SAMPLES = 256
# Share of samples that are constant above which a warning says why that may be, and what it says.
MANY_CONSTANT = 0.1
WHY_CONSTANT = (
    "Either the windows are smaller than the features (cut larger ones), or the threshold of a grey image was misled, "
    "often by a data bar. Look at the segmentation and leave out what is not material, such as all rows from 690 on: "
    "matvae import IMAGE OUT.zarr --threshold otsu --region 0:690,: --figure preview.png."
)
# Parameters in which a training may differ from the one that resumes it.
RESUMABLE = {
    "max_epochs",
    "max_time",
    "verbose",
    "checkpoint",
    "device",
    "precision",
    "warm_start",
    "patience",
    "random_state",
    "latent_steps",
    "threshold",
}


@dataclass
class TrainingRun:
    """Samples, their batches and the trainer of a module.

    Parameters
    ----------
    samples : Samples
    batches : Batches
    trainer : Trainer
    parameters : dict
        Of the estimator.
    """

    samples: Samples
    batches: Batches
    trainer: Trainer
    parameters: dict[str, Any]

    @classmethod
    def of(
        cls, estimator: Any, samples: Samples, *, module: StatsVAE | None = None, trainer: Trainer | None = None
    ) -> TrainingRun:
        """Prepare a training: batches, the model's specification, its module and its trainer.

        Parameters
        ----------
        estimator : StatsVAETransformer
            Its parameters have been checked.
        samples : Samples
        module : StatsVAE, optional
            Fitted module from which training continues; a copy of it is trained.
        trainer : Trainer, optional
            Trainer of a copy of that module, with its optimiser, which continues in place of a new one.

        Raises
        ------
        InputError
            If the data contain values that are not allowed, the decoder cannot draw such structures, or the fitted
            module has another specification.

        Warns
        -----
        UserWarning
            If some samples are constant.
        """
        batches, spec = plan_training(estimator, samples, module, closed_form=False)
        return cls.planned(estimator, samples, batches, spec, module=module, trainer=trainer)

    @classmethod
    def planned(
        cls,
        estimator: Any,
        samples: Samples,
        batches: Batches,
        spec: ModelSpec,
        *,
        module: StatsVAE | None = None,
        trainer: Trainer | None = None,
    ) -> TrainingRun:
        """Prepare a training as in `of`, with the result of `plan_training`."""
        seed = seed_of(estimator)
        if DECODERS.get(spec.decoder).decodes == STATISTICS:
            raise InputError(
                f"The decoder {spec.decoder!r} is fitted to all samples at once, not pass by pass. Call fit, or choose "
                'a decoder of structures, such as decoder="convolutional".'
            )
        if module is not None and module.spec != spec:
            raise InputError(
                f"Training cannot continue with other sizes or settings: the fitted model is {module.spec}, but {spec} "
                "was asked for. Fit a new estimator."
            )
        if trainer is None:
            new = build_module(estimator, spec, batches, seed) if module is None else copy.deepcopy(module)
            trainer = Trainer(
                new,
                training_settings(estimator, batches.n_training),
                current_ranks().device(estimator.device),
                estimator.precision,
                seed,
                from_statistics=estimator.input == STATISTICS,
                ranks=current_ranks(),
            )
        return cls(samples, batches, trainer, estimator.get_params())

    @property
    def seconds(self) -> float:
        """Seconds of training and of its preparation so far."""
        return self.trainer.seconds

    @seconds.setter
    def seconds(self, value: float) -> None:
        self.trainer.seconds = value

    @property
    def max_epochs(self) -> int | None:
        """Number of epochs planned; None if only the time is limited."""
        return self.trainer.settings.max_epochs if self.trainer.settings.max_time is None else None

    @property
    def fingerprint(self) -> str:
        """Hash of parameters, sizes and a sample of the data: only the same training resumes a checkpoint."""
        digest = hashlib.sha256()
        parameters = {name: value for name, value in self.parameters.items() if name not in RESUMABLE}
        spec = self.trainer.module.spec
        digest.update(repr((sorted(parameters.items()), spec, self.batches.seed, len(self.samples))).encode())
        for batch in self.batches.calibration[:4]:
            digest.update(np.ascontiguousarray(batch.numpy()).tobytes())
        return digest.hexdigest()

    def train(
        self,
        *,
        checkpoint: Any = None,
        on_start: Callable[[], None] | None = None,
        on_record: Callable[[dict[str, float]], bool | None] | None = None,
    ) -> None:
        """Train until a limit is reached; see `Trainer.fit` for the parameters and errors.

        Raises
        ------
        StoreError
            If another process trains with this checkpoint.
        """
        # Of several ranks the first alone writes.
        is_writer = checkpoint is not None and self.trainer.ranks.is_first
        with unfinished(Path(checkpoint)) if is_writer else nullcontext():
            self.trainer.fit(
                self.batches,
                on_start=on_start,
                on_record=on_record,
                checkpoint=checkpoint,
                fingerprint="" if checkpoint is None else self.fingerprint,
            )

    def train_one_pass(self) -> None:
        """Train on every sample once, in the middle of the schedule."""
        self.trainer.one_pass(self.batches)

    def learned(self, *, copy_module: bool = False) -> dict[str, Any]:
        """Return the fitted attributes of an estimator as they are now.

        With `copy_module` they do not change when the training continues.
        """
        module = copy.deepcopy(self.trainer.module) if copy_module else self.trainer.module
        was_training = self.trainer.module.training
        self.trainer.module.eval()
        calibration = self.batches.calibration
        some = calibration[: math.ceil(LATENT_SAMPLES / len(calibration[0]))]
        latent_spread = self.trainer.latent_spread(some).cpu().numpy()
        self.trainer.module.train(was_training and copy_module)
        return {
            "module_": module.eval(),
            "grid_": self.samples.grid,
            "_layout": self.samples.layout,
            "history_": list(self.trainer.history),
            "n_iter_": self.trainer.epoch,
            "latent_spread_": latent_spread,
        }


def plan_training(
    estimator: Any, samples: Samples, module: StatsVAE | None = None, *, closed_form: bool = True
) -> tuple[Batches, ModelSpec]:
    """Read all samples once, and complete the specification of the model by what depends on them.

    Parameters
    ----------
    estimator, samples, module
        As in `TrainingRun.of`.
    closed_form : bool
        Whether the model is fitted at once, see `plan_model`.

    Raises
    ------
    InputError, UserWarning
        As in `TrainingRun.of`.
    """
    # Refuses correlations and a cutoff that do not match the grid, before any data are read.
    draft = draft_spec(estimator, samples.grid)
    size = estimator.batch_size
    batches = Batches(
        samples,
        batch_size=auto_batch_size(samples.grid, estimator) if isinstance(size, str) else int(size),
        validation_fraction=estimator.validation_fraction,
        seed=seed_of(estimator),
        ranks=current_ranks(),
    )
    n_statistics = math.prod(draft.lag_shape) * len(draft.pairs)
    # Statistics are products of values already.
    check_magnitude(math.sqrt(batches.largest) if estimator.input == STATISTICS else batches.largest, n_statistics)
    if batches.n_constant:
        are_many = batches.n_constant > MANY_CONSTANT * len(samples)
        advice = WHY_CONSTANT if are_many else "Remove them if they are not intended."
        warn(
            f"{batches.n_constant} of {len(samples)} samples are constant (all voxels are equal): their statistics "
            f"contain no information on shapes. They are kept. {advice}"
        )
    structures = [] if estimator.input == STATISTICS else batches.calibration
    previous = None if module is None else module.spec
    return batches, plan_model(draft, structures, previous, closed_form=closed_form)


def seed_of(estimator: Any) -> int:
    """Seed of a training. With a checkpoint, no seed means 0, so that a resumed training sees its data in order."""
    if estimator.checkpoint is not None and estimator.random_state is None:
        return seed_from(0)
    return int(current_ranks().first(seed_from(estimator.random_state)))


def auto_batch_size(grid: Grid, estimator: Any) -> int:
    """As many samples as keep the Fourier transforms of a step within a few hundred MB, from 4 to 64."""
    n_transformed = math.prod(transform_shape(grid.shape, estimator.periodic, estimator.cutoff)) * grid.phases
    return min(64, max(4, BATCH_VOXELS // n_transformed))


def draft_spec(estimator: Any, grid: Grid) -> ModelSpec:
    """Specification of a model as far as an estimator's parameters determine it, without the data."""
    return ModelSpec(
        shape=grid.shape,
        phases=grid.phases,
        pairs=resolve_correlations(estimator.correlations, grid.phases),
        periodic=bool(estimator.periodic),
        cutoff=resolve_cutoff(grid.shape, estimator.periodic, estimator.cutoff),
        n_components=int(estimator.n_components),
        encoder=estimator.encoder,
        decoder=estimator.decoder,
        width=int(estimator.width),
        metric=estimator.metric,
    )


def build_module(estimator: Any, spec: ModelSpec, batches: Batches, seed: int) -> StatsVAE:
    """A new module, its weights drawn by the seed and prepared on a sample of the data."""
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would reseed the GPUs as well.
        torch.default_generator.manual_seed(seed)
        module = StatsVAE(spec)
    if estimator.encoder_weights is not None:
        module.encoder.load_pretrained(estimator.encoder_weights)
    module.calibrate(batches.calibration, from_statistics=estimator.input == STATISTICS)
    return module


def training_settings(estimator: Any, n_training: int) -> TrainingSettings:
    """Settings of the training loop: the estimator's parameters of the same names, those left open resolved."""
    parameters = estimator.get_params(deep=False)
    values = {each.name: parameters[each.name] for each in fields(TrainingSettings) if each.name in parameters}
    if isinstance(estimator.mixing, str):
        # A mixture of two structures is neither of them, so a search would look for what does not exist.
        searches = ENCODERS.get(estimator.encoder).searches
        values["mixing"] = 0.0 if searches else min(1.0, MIXED_SAMPLES / n_training)
    if estimator.max_epochs is None and estimator.max_time is None:
        values["max_epochs"] = DEFAULT_EPOCHS
    return TrainingSettings(**values)
