"""StatsVAE: the torch module that encodes structures or statistics and decodes latents to structures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError
from ..stats import correlate
from ..stats.correlate import pair_counts
from ..stats.metric import LAGS, lag_weights
from .coarse import coarsen, coarsen_statistics
from .decoders import DECODERS, Decoder
from .decoders.statistics import StatisticsDecoder
from .encoders import ENCODERS, STATISTICS, STRUCTURES, Encoder
from .layers import perceptron
from .spec import ModelSpec

# Gradient kept during training where fractions sum to more than one: without it, overlaps could never be undone.
LEAK = 0.02
# exp(12) allows any useful variance of the latent, and a half-trained network cannot overflow.
LOG_VARIANCE_RANGE = (-16.0, 12.0)


class LevelSet(nn.Module):
    """Contrast and level of a decoder's raw field, both functions of the latent.

    Every channel is normalised to zero mean and unit standard deviation over the voxels, so that the decoder
    determines only *where* a phase lies. The sharpness of the interface and the amount of the phase are two numbers per
    channel: a small perceptron learns them smoothly, and a linear path extrapolates beyond the training set. A
    thresholded structure then differs little from the soft one.
    """

    def __init__(self, n_components: int, channels: int) -> None:
        super().__init__()
        self.levels = perceptron(n_components, 64, 2, 2 * channels)
        self.direct = nn.Linear(n_components, 2 * channels, bias=False)
        nn.init.zeros_(self.direct.weight)

    def start(self, fractions: Tensor) -> None:
        """Set the initial levels to those that give these mean fractions ``(channel,)`` on a normal field."""
        last = self.levels[-1]
        assert isinstance(last, nn.Linear)
        levels = torch.special.ndtri(fractions.double().clamp(1e-3, 1 - 1e-3))
        last.bias[len(fractions) :] = levels.to(last.bias)

    def forward(self, raw: Tensor, z: Tensor) -> Tensor:
        """Turn raw fields ``(sample, channel, *space)`` and latents ``(sample, component)`` into logits or fields."""
        flat = raw.flatten(2)
        flat = functional.layer_norm(flat, flat.shape[-1:], eps=1e-6)
        log_contrast, level = (self.levels(z) + self.direct(z)).to(raw.dtype).unsqueeze(-1).chunk(2, dim=1)
        return (3.0 * log_contrast.clamp(-6, 6).exp() * (flat + level)).view_as(raw)


class StatsVAE(nn.Module):
    """Variational autoencoder whose loss compares the 2-point statistics of reconstructions.

    Parameters
    ----------
    spec : ModelSpec
        Sizes and parts of the model.
    """

    field_mean: Tensor
    field_scale: Tensor
    metric_roots: Tensor | None

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder: Encoder = ENCODERS.get(spec.encoder)(spec)
        self.decoder: Decoder = DECODERS.get(spec.decoder)(spec)
        self.encoder.follow(self.decoder)
        # A decoder that writes fractions needs no level set; a continuous field always does.
        fractions = self.decoder.writes_fractions and spec.phases > 1
        no_levels = fractions or not self.decodes_structures
        self.level_set = None if no_levels else LevelSet(spec.n_components, spec.channels)
        # Square roots of the weights of the metric; a decoder of statistics has its own.
        weighted = spec.metric == LAGS and self.decodes_structures
        roots = torch.ones(*spec.lag_shape, len(spec.pairs)) if weighted else None
        self.register_buffer("metric_roots", roots)
        # Mean and standard deviation over the training set, for a continuous field only.
        self.register_buffer("field_mean", torch.zeros(()))
        self.register_buffer("field_scale", torch.ones(()))

    @property
    def reads_statistics(self) -> bool:
        """True if the encoder reads statistics, False if it reads structures."""
        return self.encoder.reads == STATISTICS

    @property
    def decodes_structures(self) -> bool:
        """True if the decoder gives structures, False if it gives statistics."""
        return self.decoder.decodes == STRUCTURES

    @property
    def statistics_decoder(self) -> StatisticsDecoder:
        """The decoder, if it gives statistics."""
        assert isinstance(self.decoder, StatisticsDecoder)
        return self.decoder

    @property
    def examples(self) -> Tensor:
        """Training windows ``(example, *space)`` that a decoder of statistics carries; none with one of structures."""
        if self.decodes_structures:
            return torch.zeros(0, *self.spec.shape, dtype=torch.uint8)
        return self.statistics_decoder.examples

    def fields(self, structures: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Convert labels or a continuous field ``(sample, *space)`` to state fields ``(sample, phase, *space)``.

        Discretised structures already are state fields; only their precision changes. If `factors` are given, the
        result holds means over blocks of that many voxels along each axis.
        """
        dtype = self.field_mean.dtype
        if self.spec.phases == 2 and structures.ndim == len(self.spec.shape) + 1:
            # Labels already are the field of the second state; comparing them with each state is several times slower.
            solid = _coarse(structures.to(dtype).unsqueeze(1), factors)
            return torch.cat([1 - solid, solid], dim=1)
        return _coarse(self._states(structures).to(dtype), factors)

    def _states(self, structures: Tensor) -> Tensor:
        if structures.ndim == len(self.spec.shape) + 2:
            return structures
        if self.spec.phases == 1:
            return structures.unsqueeze(1)
        states = torch.arange(self.spec.phases, dtype=structures.dtype, device=structures.device)
        return structures.unsqueeze(1) == states.view(1, -1, *[1] * len(self.spec.shape))

    def statistics(self, fields: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compute 2-point statistics ``(sample, *lag, correlation)`` of state fields ``(sample, phase, *space)``.

        With a mask ``(sample, *space)``, those of the voxels inside it.
        """
        spec = self.spec
        first, last = spec.states[0], spec.states[-1]
        # Contiguous states are sliced: indexing copies them and is slow to differentiate.
        contiguous = last - first + 1 == len(spec.states)
        selected = fields[:, first : last + 1] if contiguous else fields[:, list(spec.states)]
        pairs = tuple((spec.states.index(i), spec.states.index(j)) for i, j in spec.pairs)
        known = None if spec.periodic or mask is not None else self._window_counts(selected)
        return correlate(selected, pairs, periodic=spec.periodic, cutoff=spec.cutoff, mask=mask, counts=known)

    def _window_counts(self, fields: Tensor) -> Tensor:
        """Number of voxel pairs at each lag of a window of the size of these fields."""
        dtype = torch.float64 if fields.dtype == torch.float64 else torch.float32
        return _counts_on(fields.device, tuple(fields.shape[2:]), self.spec.cutoff, dtype)

    def weighted(self, statistics: Tensor) -> Tensor:
        """Statistics whose Euclidean distance is that of the metric of the model, for a decoder of structures."""
        return statistics if self.metric_roots is None else statistics * self.metric_roots

    def encode(self, statistics: Tensor | None, fields: Tensor | None) -> tuple[Tensor, Tensor]:
        """Encode what the encoder reads to mean and log-variance of the latent, each ``(sample, component)``."""
        if not self.reads_statistics:
            mean, log_variance = self.encoder(fields)
        else:
            assert statistics is not None
            mean, log_variance = self.encoder(self._coarsest(statistics))
        dtype = self.field_mean.dtype
        return mean.to(dtype), log_variance.to(dtype).clamp(*LOG_VARIANCE_RANGE)

    def _coarsest(self, statistics: Tensor) -> Tensor:
        """Statistics on any of the grids, brought to the coarsest one, which the encoder reads."""
        if self.spec.coarse is None:
            return statistics
        sides = zip(statistics.shape[1:-1], self.spec.shape, self.spec.coarse, strict=True)
        return coarsen_statistics(statistics, [side * k // n for side, n, k in sides])

    def decode(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode latents ``(sample, component)`` to phase fractions or the field, ``(sample, phase, *space)``.

        If `factors` are given, the result is on a coarse grid; only a decoder that coarsens accepts them.
        """
        raw = self.decoder(z) if factors is None else self.decoder(z, factors)
        raw = raw.to(self.field_mean.dtype)
        if self.level_set is None:
            return self._fractions(raw)
        raw = self.level_set(raw, z)
        if self.spec.phases == 1:
            return self.field_mean + self.field_scale * raw / 3.0
        # Phase 0 has the logit zero, so two phases reduce to a sigmoid.
        return torch.softmax(functional.pad(raw, (0, 0) * len(self.spec.shape) + (1, 0)), dim=1)

    def decoded_statistics(self, z: Tensor) -> Tensor:
        """Decode latents ``(sample, component)`` to 2-point statistics ``(sample, *lag, correlation)``.

        These are the output of a decoder of statistics, otherwise the statistics of soft structures.
        """
        if self.decodes_structures:
            return self.statistics(self.decode(z))
        return self.decoder(z)

    def _fractions(self, solid: Tensor) -> Tensor:
        """Complete fractions of phases 1 to H-1 by phase 0; where they sum to more than one, they are scaled to one."""
        total = solid.sum(1, keepdim=True).clamp_min(1.0)
        allowed = 1 + LEAK * (total - 1) if self.training else 1.0
        solid = solid * (allowed / total)
        return torch.cat([1 - solid.sum(1, keepdim=True), solid], dim=1)

    @torch.no_grad()
    def calibrate(self, batches: Sequence[Tensor], *, from_statistics: bool = False) -> None:
        """Set everything that depends on the data before training, from a few batches of the training set.

        This sets the mean and standard deviation of a continuous field or the levels that give the mean volume
        fractions, and calls `calibrate` of encoder and decoder; of the encoder only if batches are statistics.

        Parameters
        ----------
        batches : sequence of Tensor
            Structures ``(sample, *space)``, or statistics ``(sample, *lag, correlation)``.
        from_statistics : bool
            Whether batches are statistics.

        Raises
        ------
        InputError
            If there are only statistics for an encoder that reads structures.
        """
        if from_statistics:
            if self.decoder.needs_structures:
                raise InputError(
                    f"The decoder {self.spec.decoder!r} learns from structures, but only statistics were given. "
                    "Choose another decoder."
                )
            if not self.reads_statistics:
                raise InputError(
                    f"The encoder {self.spec.encoder!r} reads structures, but only statistics were given. "
                    'Choose encoder="statistics".'
                )
            self._learn_metric(batches)
            self.encoder.calibrate(map(self._coarsest, batches))
            return
        if self.spec.phases == 1:
            values = torch.cat([self.fields(batch).flatten() for batch in batches])
            self.field_mean.copy_(values.mean())
            self.field_scale.copy_(values.std(correction=0).clamp_min(1e-12))
        elif self.level_set is not None:
            fractions = torch.cat([self.fields(batch).flatten(2).mean(2) for batch in batches]).mean(0)
            self.level_set.start(fractions[1:])
        self.decoder.calibrate(self.fields(batch) for batch in batches)
        self._learn_metric(self.statistics(self.fields(batch)) for batch in batches)
        # One batch at a time: statistics may be many times larger than the structures.
        fields: Iterable[Tensor] = (self.fields(batch) for batch in batches)
        if self.reads_statistics:
            self.encoder.calibrate(self._coarsest(self.statistics(states)) for states in fields)
        else:
            self.encoder.calibrate(fields)

    def _learn_metric(self, batches: Iterable[Tensor]) -> None:
        """Set the metric from the variance of statistics ``(sample, *lag, correlation)``."""
        if self.metric_roots is not None:
            variance = torch.cat(list(batches)).double().var(0, correction=0).cpu().numpy()
            self.metric_roots.copy_(torch.from_numpy(lag_weights(variance, self.spec.metric)).sqrt())


# Copied to a GPU in every step, they would let the host wait for it.
@lru_cache(maxsize=2)
def _counts_on(
    device: torch.device, space: tuple[int, ...], cutoff: tuple[int, ...] | None, dtype: torch.dtype
) -> Tensor:
    # Gradients are computed with them later, even if they are first asked for without.
    with torch.inference_mode(False):
        return pair_counts(space, periodic=False, cutoff=cutoff, dtype=dtype).to(device)


def _coarse(fields: Tensor, factors: Sequence[int] | None) -> Tensor:
    return fields if factors is None else coarsen(fields, factors)
