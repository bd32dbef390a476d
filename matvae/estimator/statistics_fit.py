"""StatisticsFit: a model whose decoder gives statistics, fitted in closed form."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.subsets import spread_indices, within
from ..errors import InputError
from ..memory import check_memory
from ..model import ModelSpec, StatsVAE
from ..model.decoders.statistics import MAX_RANK, SURFACE_AREA, VARIOGRAM, VOLUME_FRACTION
from ..model.encoders.projection import ProjectionEncoder
from ..model.loss import kl_divergence
from ..model.manifold import ROUNDS, n_terms, regression, search, start_latents, terms, whitened
from ..model.ranks import current_ranks
from ..model.sampling_noise import block_deviations, noise_covariance
from ..room import check_room, expecting
from ..stats import get_statistic, relative_error, variogram, volume_fractions
from ..stats.form import LABELS
from ..stats.independent_windows import independent_windows
from ..warn import warn
from .batches import Batches
from .parameters import descriptors_of, unused_by_closed_form
from .samples import Samples, blocks_of, read_all, read_samples
from .statistics_rows import StatisticsRows, statistics_function

# Fewer independent windows do not determine a curved surface better than a flat one.
LEAST_WINDOWS = 50
# Samples that determine the shape of the manifold; the principal components are those of all samples.
FIT_SAMPLES = 20_000
# Samples that determine the sampling noise, and the mean width of the posterior.
NOISE_SAMPLES = 256
# Examples from which the weight of the variogram follows.
CALIBRATION_WINDOWS = 64
# Size of the training windows that a model carries as examples.
EXAMPLE_BYTES = 8 << 20
# Voxels that are searched for overlaps.
OVERLAP_VOXELS = 1 << 23
# Variance of statistics, relative to their square, that is due to rounding.
LEAST_VARIANCE = 1e-20
# Share of the largest sampling noise below which scores are treated alike.
NOISE_FLOOR = 1e-6
# Descriptors of voxel pairs, which a mask does not cut.
MASKED = (SURFACE_AREA, VARIOGRAM)


class StatisticsFit:
    """Closed-form fit of principal components, manifold, posterior, descriptors and examples.

    After `train`, and between its rounds, `module` is a complete model.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Its parameters have been checked.
    samples : Samples
        Those with a mask take part with their masked statistics.
    batches : Batches
        Of the whole ones of these samples. Their calibration sample provides the sampling noise and the examples;
        without whole samples, the noise follows from the residuals, and there are no examples.
    spec : ModelSpec
        Complete except for the options of the decoder.

    Raises
    ------
    InputError
        If there are not more samples than components, or several ranks are to fit it.

    Warns
    -----
    UserWarning
        If parameters of networks were set, the windows are too few for a nonlinear decoder, or none is whole.
    """

    module: StatsVAE
    # Of the samples that determine the manifold: scores, latents and descriptors.
    _scores: Tensor
    _latents: Tensor
    _descriptors: dict[str, Tensor]

    def __init__(self, estimator: Any, samples: Samples, batches: Batches, spec: ModelSpec) -> None:
        if current_ranks().count > 1:
            why = f" (chosen since the data are a {spec.reason})" if spec.reason else ""
            raise InputError(
                f"The decoder 'statistics'{why} is fitted in closed form in one process, not trained. "
                'Fit it in one process, or choose a network, such as decoder="convolutional".'
            )
        if spec.n_components >= len(samples):
            raise InputError(
                f"n_components must be smaller than the number of samples ({len(samples)}), but {spec.n_components} "
                "was given. Use fewer components, or more windows."
            )
        if unused := unused_by_closed_form(estimator):
            choice = f"chosen since the data are a {spec.reason}" if spec.reason else "given"
            verb = "has" if len(unused) == 1 else "have"
            warn(
                f"{', '.join(unused)} {verb} no effect on the decoder 'statistics' ({choice}), which is not trained. "
                'Leave them out, or choose a network, such as decoder="convolutional".'
            )
        self.samples, self.batches, self.spec = samples, batches, spec
        self.descriptors = () if samples.layout.form is None else descriptors_of(estimator)
        self.rows = StatisticsRows(
            samples.arrays,
            statistics_function(samples.layout, estimator),
            (*spec.lag_shape, len(spec.pairs)),
        )
        self.has_whole = samples.layout.form is not None and len(batches.samples) > 0
        if samples.layout.form is not None and not self.has_whole:
            warn(
                "No window lies inside the mask entirely: the model contains no training windows, and structures are "
                "realized from statistics alone, which preserves no networks or lamellae. Cut smaller windows, if you "
                "can."
            )
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0

    @property
    def max_epochs(self) -> int:
        """Number of records."""
        return 1 if self.order == 1 else 1 + ROUNDS

    @cached_property
    def order(self) -> int:
        """Order of the polynomials: 1, i.e. PCA, where there are too few independent windows for 2."""
        needed = max(LEAST_WINDOWS, n_terms(self.spec.n_components, 2))
        n_windows = self._independent_windows()
        if n_windows >= needed:
            return 2
        warn(
            f"The {len(self.samples)} windows show as much material as about {n_windows:.0f} independent ones. A "
            f"nonlinear decoder of {self.spec.n_components} components needs about {needed}; this model is linear, "
            "i.e. PCA. Cut windows from a larger region, or smaller windows, if you can."
        )
        return 1

    def train(
        self,
        *,
        checkpoint: Any = None,
        on_start: Callable[[], None] | None = None,
        on_record: Callable[[dict[str, float]], bool | None] | None = None,
    ) -> None:
        """Fit everything; this takes seconds, so that no state is kept to resume.

        Parameters
        ----------
        checkpoint : path, optional
            Only the room beside it is checked, where the model is supposed to be saved.
        on_start, on_record : callable, optional
            As in `Trainer.fit`, with one record per round; a true value returned by `on_record` ends the rounds.

        Raises
        ------
        InputError
            If there is too little memory, or no room for the model.
        """
        # The mean and the weights of the components come on top of these.
        n_bytes = 4 * (min(MAX_RANK, len(self.samples)) + 2) * math.prod(self.rows.shape) + EXAMPLE_BYTES
        check_memory(
            n_bytes + self.rows.working_bytes(self._rank),
            device="cpu",
            what=f"A model of {' x '.join(map(str, self.rows.shape))} statistics",
            remedy="Pass a smaller cutoff, such as cutoff=16, or smaller windows.",
        )
        room: AbstractContextManager[Any] = nullcontext()
        if checkpoint is not None:
            check_room(checkpoint, n_bytes, largest=n_bytes, what="The model")
            room = expecting(Path(checkpoint), n_bytes)
        started = time.monotonic() - self.seconds
        with room:
            self._prepare()
            for number in range(self.max_epochs):
                if on_start is not None:
                    on_start()
                self._fit_round(number)
                record = self._record(number, started)
                self.history.append(record)
                if on_record is not None and on_record(record):
                    break

    def learned(self, *, copy_module: bool = False) -> dict[str, Any]:
        """Return the fitted attributes of an estimator as they are after the latest round.

        With `copy_module` they do not change in further rounds.
        """
        self._learn_examples()
        return {
            "module_": copy.deepcopy(self.module) if copy_module else self.module,
            "grid_": self.samples.grid,
            "_layout": self.samples.layout,
            "history_": list(self.history),
            "n_iter_": len(self.history),
            "latent_spread_": (0.5 * self._encoded()[1]).exp().mean(0).numpy().astype(np.float32),
        }

    def _prepare(self) -> None:
        """Compute everything that is the same in all rounds: components, scores, descriptors, noise and examples."""
        n_samples = len(self.samples)
        weights = self.rows.weights(self.spec.metric)
        components = self.rows.components(self._rank, weights)
        if components.variance[0] <= LEAST_VARIANCE * float(components.mean @ components.mean):
            raise InputError(
                f"The structures of a set must differ, but the statistics of all {n_samples} are equal, which leaves "
                "nothing for a latent to describe. Fit windows of an image, such as those of matvae.data.windows."
            )
        chosen = spread_indices(n_samples, FIT_SAMPLES)
        projection = components.components * np.sqrt(weights).ravel()
        scores = self._projected(chosen, components.mean, projection)
        unit = float(scores[:, 0].std(correction=0).clamp_min(1e-30))
        self._scores = scores / unit
        self._latents = start_latents(self._scores, self.spec.n_components)
        self._descriptors = self._described(chosen)
        self.module = self._built(len(components.components))
        decoder = self.module.statistics_decoder
        decoder.learn_components(
            torch.from_numpy(components.mean),
            torch.from_numpy(components.components),
            torch.from_numpy(weights).ravel(),
            unit,
        )
        if self.has_whole:
            some = _first(self.batches.calibration, NOISE_SAMPLES)
            deviations = [self._noise_scores(batch) for batch in some]
            decoder.noise_precision.copy_(_precision(noise_covariance(torch.cat(deviations, dim=1))))
        if len(decoder.examples):
            windows = _first(self.batches.calibration, len(decoder.examples))
            decoder.examples.copy_(torch.cat([_labels(window, self.spec) for window in windows]))

    @property
    def _rank(self) -> int:
        """Number of principal components that are computed."""
        return max(self.spec.n_components, min(MAX_RANK, len(self.samples) - 1))

    def _fit_round(self, number: int) -> None:
        """Fit latents and coefficients in turn, beginning with those of PCA, and what depends on them."""
        decoder, encoder = self.module.statistics_decoder, self.module.encoder
        assert isinstance(encoder, ProjectionEncoder)
        if number:
            self._latents = whitened(search(self._scores, self._latents, decoder.coefficients, self.order))
        fit = _principal if self.order == 1 else partial(regression, order=self.order)
        decoder.coefficients.copy_(fit(self._latents, self._scores))
        encoder.learn_start(self._scores, self._latents, self.order)
        decoder.learn_descriptors(self._latents, self._descriptors)
        if not self.has_whole:
            # Only whole structures have blocks whose scatter tells the sampling noise.
            residual = self._residual()
            decoder.noise_precision.copy_(_precision(residual.T @ residual / len(residual)))

    def _record(self, number: int, started: float) -> dict[str, float]:
        variance = self._scores.square().sum(1).mean().clamp_min(1e-30)
        error = float((self._residual().square().sum(1).mean() / variance).sqrt())
        return {
            "epoch": number + 1.0,
            "step": number + 1.0,
            "progress": (number + 1) / self.max_epochs,
            "seconds": time.monotonic() - started,
            "loss": error,
            "statistics_loss": error,
            "kl": float(kl_divergence(*self._encoded()).mean()),
        }

    def _residual(self) -> Tensor:
        """Scores ``(sample, score)`` that the manifold does not explain."""
        return self._scores - terms(self._latents, self.order) @ self.module.statistics_decoder.coefficients

    def _encoded(self) -> tuple[Tensor, Tensor]:
        """Means and log-variances ``(sample, component)`` of the latents of a few samples."""
        rows = next(iter(self.rows))[:NOISE_SAMPLES]
        return self.module.encode(torch.from_numpy(rows).to(torch.float32).unflatten(1, self.rows.shape), None)

    def _learn_examples(self) -> None:
        """Latents of the examples, and the weight of the variogram, as far as these tell."""
        decoder = self.module.statistics_decoder
        if len(decoder.examples):
            batches = decoder.examples.split(self.batches.batch_size)
            statistics = torch.cat([self.module.statistics(self.module.fields(batch)) for batch in batches])
            decoder.example_latents.copy_(self.module.encode(statistics, None)[0])
            if VARIOGRAM in decoder.descriptor_shapes:
                some = spread_indices(len(statistics), CALIBRATION_WINDOWS)
                decoder.variogram_weight.fill_(self._variogram_weight(some, statistics[some]))

    def _variogram_weight(self, some: np.ndarray, statistics: Tensor) -> float:
        """Weight of the variogram at neighbouring voxels beside the 2-point statistics, at most one.

        The squared error of 2-point statistics hardly knows about interfaces, since lags of a voxel are few; the
        variogram at these lags says how much interface there is and how it runs. Where statistics decode much more
        exactly than it does, it must not spoil them: the weight falls with the ratio of the squared errors with which
        the two decode for training windows.
        """
        decoder, spec = self.module.statistics_decoder, self.spec
        windows, latents = decoder.examples[some], decoder.example_latents[some]
        true = variogram(windows, spatial_dims=len(spec.shape), phases=spec.phases, periodic=spec.periodic)
        error = relative_error(statistics, self.module.decoded_statistics(latents)).median()
        variogram_error = relative_error(true, decoder.descriptors(latents)[VARIOGRAM]).median()
        return min(1.0, float(error / variogram_error.clamp_min(1e-12))) ** 2

    def _independent_windows(self) -> float:
        """Number of independent windows; that of all samples where no labels are known."""
        form, n_samples = self.samples.layout.form, len(self.samples)
        if form is None or form.kind != LABELS:
            return float(n_samples)
        chosen = spread_indices(n_samples, max(1, OVERLAP_VOXELS // self.samples.grid.n_voxels))
        windows, *masks = (read_samples(each, chosen) for each in self.samples.arrays)
        n_windows = independent_windows(windows.reshape(len(chosen), *self.samples.layout.shape), *masks)
        # Windows that do not overlap also represent those between them; otherwise, this is a lower bound.
        return n_windows * n_samples / len(chosen) if n_windows > 0.9 * len(chosen) else n_windows

    def _projected(self, chosen: np.ndarray, mean: np.ndarray, projection: np.ndarray) -> Tensor:
        """Scores ``(sample, score)`` of the chosen samples."""
        parts, start = [], 0
        for block in self.rows:
            parts.append((block[within(chosen, start, start + len(block))] - mean) @ projection.T)
            start += len(block)
        return torch.from_numpy(np.concatenate(parts))

    def _built(self, rank: int) -> StatsVAE:
        n_windows = sum(len(batch) for batch in self.batches.calibration)
        has_examples = self.samples.layout.form is not None and self.spec.phases > 1
        options = {
            "rank": rank,
            "order": self.order,
            "descriptors": {name: list(values.shape[1:]) for name, values in self._descriptors.items()},
            "examples": min(n_windows, max(1, EXAMPLE_BYTES // self.samples.grid.n_voxels)) if has_examples else 0,
        }
        return StatsVAE(replace(self.spec, decoder_options=options)).eval()

    def _described(self, chosen: np.ndarray) -> dict[str, Tensor]:
        """Volume fractions and further descriptors ``(sample, *shape)`` of the chosen samples, read block by block.

        Those that see runs or objects, which a mask may cut, such as the lineal path, are left out if too few samples
        are whole.
        """
        if self.samples.layout.form is None or self.spec.phases == 1:
            return {}
        arrays, parts = self.samples.arrays, []
        for part in blocks_of(arrays[0]):
            inside = within(chosen, part.start, part.stop)
            if len(inside):
                parts.append(self._descriptors_of(*(block[inside] for block in read_all(arrays, part))))
        described = {name: np.concatenate([values[name] for values in parts]) for name in parts[0]}
        if self.samples.mask is not None:
            described = self._determined(described)
        return {name: torch.from_numpy(values) for name, values in described.items()}

    def _determined(self, described: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Those descriptors of masked samples that enough of them have, i.e. that are not NaN."""
        n_known = {
            name: int((~np.isnan(values.reshape(len(values), -1)).any(1)).sum()) for name, values in described.items()
        }
        kept = {
            name: values
            for name, values in described.items()
            if n_known[name] >= n_terms(self.spec.n_components, self.order)
        }
        if len(kept) < len(described):
            warn(
                f"The model does not predict {', '.join(name for name in described if name not in kept)}, which needs "
                f"windows inside the mask entirely, of which there are only {min(n_known.values())}. Cut smaller "
                "windows, if you can."
            )
        return kept

    def _descriptors_of(self, block: np.ndarray, mask: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Descriptors ``(sample, *shape)`` of a block, NaN where they need a whole window and the mask cuts it."""
        layout, periodic = self.samples.layout, self.spec.periodic
        assert layout.form is not None
        structures = block.reshape(len(block), *layout.shape)
        options: dict[str, Any] = {
            "spatial_dims": len(layout.form.space),
            "phases": self.spec.phases,
            "state_axis": layout.form.state_axis,
        }
        described = {VOLUME_FRACTION: np.asarray(volume_fractions(structures, mask=mask, **options))}
        for name in self.descriptors:
            masks = {"mask": mask} if name in MASKED else {}
            described[name] = np.asarray(get_statistic(name)(structures, periodic=periodic, **masks, **options))
            if mask is not None and name not in MASKED:
                described[name][~mask.reshape(len(mask), -1).all(1)] = np.nan
        return described

    def _noise_scores(self, structures: Tensor) -> Tensor:
        """Block deviations of statistics as scores ``(block, sample, score)``."""
        decoder, spec = self.module.statistics_decoder, self.spec
        fields = self.module.fields(structures)
        deviations = block_deviations(fields, spec.pairs, periodic=spec.periodic, cutoff=spec.cutoff)
        flat = deviations.flatten(0, 1)
        # Scores are affine in the statistics: deviations have no mean to subtract.
        return (decoder.scores(flat) - decoder.scores(torch.zeros_like(flat[:1]))).unflatten(0, deviations.shape[:2])


def _precision(covariance: Tensor) -> Tensor:
    """Inverse of the covariance of sampling noise; directions almost without noise get a little."""
    floor = NOISE_FLOOR * covariance.diagonal().amax().clamp_min(1e-30)
    return torch.linalg.inv(covariance + floor * torch.eye(len(covariance)).to(covariance))


def _principal(z: Tensor, scores: Tensor) -> Tensor:
    """Coefficients of first order that are exactly PCA: each latent is one score in units of its deviation."""
    coefficients = scores.new_zeros(1 + z.shape[1], scores.shape[1])
    coefficients[1:, : z.shape[1]] = torch.diag(scores[:, : z.shape[1]].std(0, correction=0))
    return coefficients


def _first(batches: list[Tensor], n_samples: int) -> list[Tensor]:
    """The first samples of some batches, as batches."""
    kept: list[Tensor] = []
    for batch in batches:
        if n_samples > 0:
            kept.append(batch[:n_samples])
            n_samples -= len(kept[-1])
    return kept


def _labels(structures: Tensor, spec: ModelSpec) -> Tensor:
    """Labels ``(sample, *space)`` of structures that are labels or states ``(sample, state, *space)``."""
    return structures if structures.ndim == len(spec.shape) + 1 else structures.argmax(1)
