"""The training loop: batches in, a trained module and its history out."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..errors import MatvaeError, StoreError
from ..forecast import Forecast, announce, has_listener
from ..room import expecting
from ..warn import warn
from .checkpoint import check_folder, load_checkpoint, save_checkpoint, total_bytes
from .coarse import coarsen_statistics, level_at
from .device import COMPILE_SECONDS, COMPILE_STEPS, autocast, flushed_denormals, place
from .heap import kept_heap
from .loss import VOXELS
from .mixing import mix_neighbours
from .objective import held_out_error, objective
from .ranks import Ranks
from .settings import TrainingSettings
from .stages import Stage, stages
from .vae import StatsVAE

Record = dict[str, float]
# Steps of one kind are measured for so long, or so many.
STEP_SECONDS, MOST_STEPS = 0.5, 20


class DivergedError(MatvaeError):
    """The loss or its gradient became infinite or not a number."""


class BatchSource(Protocol):
    """Source of batches: structures ``(sample, *space)`` or statistics ``(sample, *lag, correlation)``.

    With several ranks, those of this rank: its part of every training batch, at least one sample, and any of the
    samples held out, which have their place on one rank only.
    """

    steps_per_epoch: int

    def epoch(self, number: int) -> Iterator[Tensor]:
        """Training batches of one pass, in an order that depends only on `number` and a seed."""

    def validation(self) -> Iterator[Tensor]:
        """Batches held out from training; the same at every call."""


@dataclass
class Trainer:
    """Trainer of a `StatsVAE`.

    Parameters
    ----------
    module : StatsVAE
    settings : TrainingSettings
    device : torch.device
    precision : str
        ``"auto"``, ``"float32"`` or ``"bfloat16"``.
    seed : int
        Seed of the noise in the latent.
    from_statistics : bool
        Whether batches are statistics whose structures are unknown.
    ranks : Ranks
        The processes that train the same module together. Only the first calls back and writes the checkpoint.
    """

    module: StatsVAE
    settings: TrainingSettings
    device: torch.device
    precision: str
    seed: int
    from_statistics: bool = False
    ranks: Ranks = Ranks()  # noqa: RUF009 - it is frozen
    history: list[Record] = field(default_factory=list)
    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.ranks.start_alike(self.module)
        place(self.module, self.device)
        self.generator = torch.Generator(device=self.device)
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(),
            lr=self.settings.learning_rate,
            fused=self.device.type in ("cpu", "cuda"),
        )
        self.best: dict[str, Any] | None = None
        self.best_error, self.best_progress = math.inf, 0.0
        # Sum over the steps of the current epoch and number of steps, for each term.
        self.totals: dict[str, tuple[float, int]] = {}
        # False while weights and counters are being updated and do not match.
        self.whole = True
        self.started = time.monotonic()
        # How long the last step and the last held-out error took, for which a time limit leaves room.
        self.step_seconds, self.validation_seconds = 0.0, 0.0
        self.encode: Callable[..., tuple[Tensor, Tensor]] = self.module.encode
        self.decode: Callable[..., Tensor] = self.module.decode

    def fit(
        self,
        source: BatchSource,
        *,
        on_start: Callable[[], None] | None = None,
        on_record: Callable[[Record], bool | None] | None = None,
        checkpoint: str | Path | None = None,
        fingerprint: str = "",
    ) -> None:
        """Train until a limit is reached, then restore the weights with the smallest held-out error.

        Parameters
        ----------
        source : BatchSource
        on_start : callable, optional
            Called before each epoch.
        on_record : callable, optional
            Receives the record of each epoch; training ends when it returns True.
        checkpoint : path, optional
            File that holds the training state; if it exists, training continues from it.
        fingerprint : str
            Identifies data and parameters for the checkpoint.

        Raises
        ------
        MatvaeError
            If the loss or its gradient becomes infinite or not a number; the checkpoint is left unchanged.
        StoreError, InputError
            If there is no room for the checkpoint, or it is damaged or belongs to another training run.

        Warns
        -----
        UserWarning
            If a checkpoint cannot be written in the course of the training, which goes on.
        """
        if checkpoint is not None:
            if self.ranks.is_first:
                check_folder(checkpoint, *self._sizes())
            state = self.ranks.made_by_first(
                lambda: load_checkpoint(checkpoint, fingerprint) if Path(checkpoint).exists() else None
            )
            if state is not None:
                self._restore(state)
        self._compile(source.steps_per_epoch)
        if self.settings.max_time is not None:
            self.validation_seconds = self._expected_validation(source)
        self.module.train()
        room = nullcontext() if checkpoint is None else expecting(Path(checkpoint), total_bytes(*self._sizes()))
        with flushed_denormals(), kept_heap() if self.device.type == "cpu" else nullcontext(), room:
            # What a forecast takes is part of a limited time. Ranks would have to measure together.
            self.started = time.monotonic() - self.seconds
            if has_listener() and self.ranks.count == 1 and announce(self.forecast(source)):
                return
            saved = time.monotonic()
            try:
                while not self._over():
                    if on_start is not None and self.ranks.is_first:
                        on_start()
                    for data in islice(source.epoch(self.epoch), self.batch, None):
                        progress, began = self.progress(source), time.monotonic()
                        self.train_step(data, progress, self._grid(progress))
                        self.step_seconds = time.monotonic() - began
                        overdue = time.monotonic() - saved > self.settings.checkpoint_seconds
                        if checkpoint is not None and overdue:
                            self._keep(checkpoint, fingerprint)
                            saved = time.monotonic()
                        if self.progress(source) >= 1.0:
                            break
                    record = self._record(source)
                    ends = on_record is not None and self.ranks.is_first and on_record(record)
                    if self.ranks.first(bool(ends)):
                        break
                if checkpoint is not None:
                    # From here nothing of the training is lost, whatever happens to the model.
                    self._keep(checkpoint, fingerprint)
            except BaseException as error:
                # An interrupted run can be resumed from the last completed step; a failed one cannot.
                if checkpoint is not None and self.step and self.whole and not isinstance(error, DivergedError):
                    self._keep(checkpoint, fingerprint)
                raise
            finally:
                self.seconds = time.monotonic() - self.started
        if self.best is not None:
            self.module.load_state_dict(self.best)

    def forecast(self, source: BatchSource) -> Forecast:
        """Measure steps of every kind that the training will take; it is as before then, to the last bit."""
        began, settings = time.monotonic(), self.settings
        limit = math.inf if settings.max_time is None else max(0.0, settings.max_time - self.seconds)
        kinds = stages(settings, self.module.spec.coarse, self._done_steps(source))
        data = next(source.epoch(self.epoch))
        may_stall = settings.patience is not None
        if settings.max_epochs is None:
            # The time is known. A step on the full grid tells the memory.
            with self._rehearsed():
                self.train_step(data, kinds[-1].middle)
            return Forecast(limit, f"training for {limit:.0f} s", time.monotonic() - began, may_stall)
        with self._rehearsed():
            step_seconds = [self._measured_step(data, kind) for kind in kinds]
        steps = settings.max_epochs * source.steps_per_epoch
        seconds = sum(steps * kind.share * each for kind, each in zip(kinds, step_seconds, strict=True))
        seconds += (settings.max_epochs - self.epoch) * self._expected_validation(source)
        self.module.train()
        n_passes, n_batches = settings.max_epochs - self.epoch, source.steps_per_epoch
        work = f"{_count(n_passes, 'pass', 'es')} over the data, in {_count(n_batches, 'batch', 'es')} each"
        if seconds > limit:
            work = f"{work}, or as many as are made in {limit:.0f} s"
        return Forecast(min(seconds, limit), work, time.monotonic() - began, may_stall)

    def _measured_step(self, data: Tensor, stage: Stage) -> float:
        """Seconds of a step: the mean of those that fit into a moment, after one that warms up."""
        self.train_step(data, stage.middle, stage.factors)
        began, n_steps = time.monotonic(), 0
        while n_steps == 0 or (time.monotonic() - began < STEP_SECONDS and n_steps < MOST_STEPS):
            self.train_step(data, stage.middle, stage.factors)
            n_steps += 1
        return (time.monotonic() - began) / n_steps

    @contextmanager
    def _rehearsed(self) -> Iterator[None]:
        """Let steps in the block change nothing: weights do not move, and all else is restored."""
        settings, totals, step, batch = self.settings, dict(self.totals), self.step, self.batch
        moments = copy.deepcopy(self.optimizer.state_dict())
        # Means and variances of normalised batches.
        buffers = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        self.settings = replace(settings, learning_rate=0.0)
        try:
            yield
        finally:
            self.settings, self.totals, self.step, self.batch = settings, totals, step, batch
            self.optimizer.zero_grad(set_to_none=True)
            self.optimizer.load_state_dict(moments)
            with torch.no_grad():
                for name, buffer in self.module.named_buffers():
                    buffer.copy_(buffers[name])

    def one_pass(self, source: BatchSource) -> None:
        """Train on every batch once, halfway through the schedule; for data that arrive in parts."""
        self.module.train()
        self.started = time.monotonic() - self.seconds
        self.batch, self.totals = 0, {}
        with flushed_denormals():
            for data in source.epoch(self.epoch):
                self.train_step(data, progress=0.5)
            self._record(source, progress=0.5)
        self.seconds = time.monotonic() - self.started

    @torch.no_grad()
    def latent_spread(self, batches: Sequence[Tensor]) -> Tensor:
        """Mean standard deviation ``(component,)`` of the latent distributions of some batches."""
        deviations = []
        for data in batches:
            fields, statistics = self._prepare(data)
            deviations.append((0.5 * self.module.encode(statistics, fields)[1]).exp())
        return torch.cat(deviations).mean(0)

    def progress(self, source: BatchSource) -> float:
        """Completed share of the planned training, by whichever limit is closer."""
        settings = self.settings
        steps, spent = self._done_steps(source), 0.0
        if settings.max_time is not None:
            # The training ends with a held-out error, and a step cannot be cut: on average half of one is too much.
            room = settings.max_time - self.validation_seconds - 0.5 * self.step_seconds
            # By the clock of one rank: all take the same steps.
            spent = self.ranks.first((time.monotonic() - self.started) / max(room, 1e-9))
        return min(1.0, max(steps, spent))

    def _done_steps(self, source: BatchSource) -> float:
        """Completed share of the planned steps; 0 if their number is not limited."""
        most = self.settings.max_epochs
        return 0.0 if most is None else self.step / (most * source.steps_per_epoch)

    def train_step(self, data: Tensor, progress: float, factors: Sequence[int] | None = None) -> Record:
        """Take one optimiser step, on a coarse grid if `factors` are given, and return the loss and its terms.

        With several ranks, `data` are this rank's part of the batch, and the loss is that of the whole batch.
        """
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = _learning_rate(settings, self.step, progress)
        # Seeded by the step, so that a resumed run draws the same noise wherever it was interrupted.
        self.generator.manual_seed(self.seed * 1_000_003 + self.step)
        part = self.ranks.part(len(data))
        fields, statistics = self._prepare(data, factors)
        if self.module.reads_statistics and statistics is not None and settings.mixing > 0:
            statistics = mix_neighbours(part.whole(statistics), settings.mixing, self.generator, part.rows)
        with autocast(self.device, self.precision):
            mean, log_variance = self.encode(statistics, fields)
        noise = torch.randn(
            part.n_samples, mean.shape[1], generator=self.generator, device=mean.device, dtype=mean.dtype
        )
        z = mean + noise[part.rows] * (0.5 * log_variance).exp()
        with autocast(self.device, self.precision):
            output = self.decode(z, factors)
        loss, terms = objective(
            self.module,
            settings,
            progress,
            fields=fields,
            statistics=statistics,
            output=output.float(),
            mean=mean,
            log_variance=log_variance,
            part=part,
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        measured = torch.stack([loss.detach(), *(term.detach() for term in terms.values())])
        self.ranks.add([measured, *(p.grad for p in self.module.parameters() if p.grad is not None)])
        gradient_norm = nn.utils.clip_grad_norm_(self.module.parameters(), settings.gradient_norm)
        # One transfer per step: each one stalls a GPU.
        *values, norm = torch.cat([measured, gradient_norm.reshape(1)]).tolist()
        if not (math.isfinite(values[0]) and math.isfinite(norm)):
            raise DivergedError(
                f"The loss became {values[0]} with a gradient norm of {norm} at step {self.step}. Lower "
                f"learning_rate (now {settings.learning_rate}), or check the data for extreme values."
            )
        result = dict(zip(["loss", *terms], values, strict=True))
        self.whole = False
        self.optimizer.step()
        self.step, self.batch = self.step + 1, self.batch + 1
        for name, value in result.items():
            total, count = self.totals.get(name, (0.0, 0))
            self.totals[name] = (total + value, count + 1)
        self.whole = True
        return result

    @torch.no_grad()
    def validation_error(self, source: BatchSource) -> float:
        """Mean of `held_out_error` over the held-out samples."""
        began = time.monotonic()
        self.module.eval()
        total, count = 0.0, 0
        for data in source.validation():
            errors = self._held_out_errors(data)
            total, count = total + float(errors.double().sum()), count + len(errors)
        self.module.train()
        self.validation_seconds = time.monotonic() - began
        sums = torch.tensor([total, count], dtype=torch.float64)
        self.ranks.add([sums])
        total, count = sums.tolist()
        return total / count if count else math.nan

    def _held_out_errors(self, data: Tensor) -> Tensor:
        fields, statistics = self._prepare(data)
        output = self.module.decode(self.module.encode(statistics, fields)[0])
        return held_out_error(self.module, self.settings, fields, statistics, output)

    @torch.no_grad()
    def _expected_validation(self, source: BatchSource) -> float:
        """Seconds that a held-out error will take, from those of its first batch."""
        self.module.eval()
        began, batches = time.monotonic(), source.validation()
        first = next(batches, None)
        if first is None:
            return 0.0
        self._held_out_errors(first)
        seconds = time.monotonic() - began
        return seconds * (1 + sum(1 for _ in batches))

    def _grid(self, progress: float) -> tuple[int, ...] | None:
        coarse = self.module.spec.coarse
        return None if coarse is None else level_at(coarse, progress, self.settings.coarse_fraction)

    def _prepare(self, data: Tensor, factors: Sequence[int] | None = None) -> tuple[Tensor | None, Tensor | None]:
        """State fields and statistics of a batch; None for what is unknown or unused."""
        if self.device.type == "cuda" and data.device.type == "cpu":
            data = data.pin_memory()
        data = data.to(self.device, non_blocking=True)
        if self.from_statistics:
            return None, data.float() if factors is None else coarsen_statistics(data.float(), factors)
        with torch.no_grad():
            fields = self.module.fields(data, factors)
            if self.settings.loss == VOXELS and not self.module.reads_statistics:
                return fields, None
            return fields, self.module.statistics(fields)

    def _over(self) -> bool:
        if self.batch or not self.history:
            return False
        progress = self.history[-1]["progress"]
        return progress >= 1.0 or self._stalled(progress)

    def _record(self, source: BatchSource, progress: float | None = None) -> Record:
        """End an epoch: append its record to the history and keep the weights if they are the best so far."""
        error = self.validation_error(source)
        # With a time limit the held-out error may have taken what was left of it.
        progress = self.progress(source) if progress is None else progress
        record: Record = {"epoch": self.epoch + 1, "step": self.step, "progress": progress}
        record["seconds"] = time.monotonic() - self.started
        record.update({name: total / count for name, (total, count) in self.totals.items()})
        record["learning_rate"] = self.optimizer.param_groups[0]["lr"]
        if not math.isnan(error):
            record["validation_error"] = error
        self.whole = False
        self.history.append(record)
        if error < self.best_error:
            self.best_error, self.best_progress = error, progress
            self.best = copy.deepcopy(self.module.state_dict())
        self.epoch, self.batch, self.totals = self.epoch + 1, 0, {}
        self.whole = True
        return record

    def _stalled(self, progress: float) -> bool:
        # While the grid, the aligned loss or the KL weight still changes, a rising error does not mean a stall.
        aligned = 0.0 if self.settings.loss == VOXELS else self.settings.aligned_fraction
        coarse = 0.0 if self.module.spec.coarse is None else self.settings.coarse_fraction
        start = max(aligned, coarse, self.settings.kl_warmup)
        settled = progress > start
        patience = self.settings.patience
        if patience is None or self.best is None:
            return False
        return settled and progress - max(self.best_progress, start) > patience

    def _compile(self, steps_per_epoch: int) -> None:
        limit, seconds = self.settings.max_epochs, self.settings.max_time
        many = limit is None or limit * steps_per_epoch >= COMPILE_STEPS
        long = seconds is None or seconds >= COMPILE_SECONDS
        if self.device.type != "cuda" or not (many and long):
            return
        if not self.module.encoder.searches:
            self.encode = torch.compile(self.module.encode)
        self.decode = torch.compile(self.module.decode)

    def _sizes(self) -> tuple[int, int]:
        """Bytes of the training state, about, and of the model."""
        model = sum(tensor.nbytes for tensor in self.module.state_dict().values())
        # The weights, the best ones, and two moments of each.
        return 4 * model, model

    def _keep(self, path: str | Path, fingerprint: str) -> None:
        """Save the training state; training is not given up for a disk that is full at the moment."""
        try:
            self._save(path, fingerprint)
        except StoreError as error:
            kept = "The previous state is kept" if Path(path).exists() else "No state has been saved yet"
            warn(f"{error} {kept}, and training is not affected.")

    def _save(self, path: str | Path, fingerprint: str) -> None:
        if not self.ranks.is_first:
            return
        state = {
            "fingerprint": fingerprint,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "numbers": {
                "step": self.step,
                "epoch": self.epoch,
                "batch": self.batch,
                "seconds": time.monotonic() - self.started,
                "best_error": self.best_error,
                "best_progress": self.best_progress,
            },
            "totals": self.totals,
            "history": self.history,
        }
        save_checkpoint(path, state)

    def _restore(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        # Fused updates depend on the device, which may have changed.
        for group, saved in zip(self.optimizer.param_groups, state["optimizer"]["param_groups"], strict=True):
            saved["fused"] = group["fused"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.best, self.totals, self.history = state["best"], state["totals"], state["history"]
        for name, value in state["numbers"].items():
            setattr(self, name, value)


def _count(number: int, noun: str, plural: str) -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _learning_rate(settings: TrainingSettings, step: int, progress: float) -> float:
    # A short run warms up within its first twentieth.
    rising = min(1.0, max((step + 1) / max(1, settings.warmup_steps), progress / 0.05))
    return settings.learning_rate * rising * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * progress)))
