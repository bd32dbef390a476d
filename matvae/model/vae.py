"""StatsVAE: the torch module that takes structures or statistics to a latent and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError
from ..stats import correlate
from .coarse import coarsen, coarsen_statistics
from .decoders import DECODERS, Decoder
from .encoders import ENCODERS, STATISTICS, Encoder
from .layers import perceptron
from .spec import ModelSpec

# Slope of what is left of fractions beyond one while training: with none at all, overlaps could never be undone.
LEAK = 0.02
# exp(12) leaves room for any useful latent width while a half-trained network cannot overflow.
LOG_VARIANCE_RANGE = (-16.0, 12.0)


class LevelSet(nn.Module):
    """Gives a decoder's raw field its contrast and level, both functions of the latent.

    Every channel is brought to zero mean and unit spread over the voxels, so that the decoder only says
    *where*; how sharp the interface is and how much of the phase there is are two numbers a channel, which a
    small perceptron learns smoothly, beside a linear path that goes on beyond the training set. A thresholded
    structure then differs little from the soft one.
    """

    def __init__(self, n_components: int, channels: int) -> None:
        super().__init__()
        self.levels = perceptron(n_components, 64, 2, 2 * channels)
        self.direct = nn.Linear(n_components, 2 * channels, bias=False)
        nn.init.zeros_(self.direct.weight)

    def start(self, fractions: Tensor) -> None:
        """Begin with levels that give these mean fractions ``(channel,)``, as they do on a normal field."""
        last = self.levels[-1]
        assert isinstance(last, nn.Linear)
        levels = torch.special.ndtri(fractions.double().clamp(1e-3, 1 - 1e-3))
        last.bias[len(fractions) :] = levels.to(last.bias)

    def forward(self, raw: Tensor, z: Tensor) -> Tensor:
        """Raw ``(sample, channel, *space)`` and latent ``(sample, component)`` to logits or field."""
        flat = raw.flatten(2)
        flat = functional.layer_norm(flat, flat.shape[-1:], eps=1e-6)
        log_contrast, level = (self.levels(z) + self.direct(z)).to(raw.dtype).unsqueeze(-1).chunk(2, dim=1)
        return (3.0 * log_contrast.clamp(-6, 6).exp() * (flat + level)).view_as(raw)


class StatsVAE(nn.Module):
    """Variational autoencoder whose reconstructions are judged by their 2-point statistics.

    Parameters
    ----------
    spec : ModelSpec
        What to build.
    """

    field_mean: Tensor
    field_scale: Tensor

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoder: Encoder = ENCODERS.get(spec.encoder)(spec)
        self.decoder: Decoder = DECODERS.get(spec.decoder)(spec)
        self.encoder.follow(self.decoder)
        # A decoder that writes fractions itself needs none; a continuous field is brought to its level in any case.
        fractions = self.decoder.writes_fractions and spec.phases > 1
        self.level_set = None if fractions else LevelSet(spec.n_components, spec.channels)
        # Of a continuous field only: its mean and spread over the training set.
        self.register_buffer("field_mean", torch.zeros(()))
        self.register_buffer("field_scale", torch.ones(()))

    @property
    def reads_statistics(self) -> bool:
        """Whether the encoder reads statistics (else structures)."""
        return self.encoder.reads == STATISTICS

    def fields(self, structures: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Labels or a continuous field ``(sample, *space)`` to state fields ``(sample, phase, *space)``.

        Discretised structures are state fields already and only change their precision. With `factors`, means over
        blocks of so many voxels.
        """
        dtype = self.field_mean.dtype
        if self.spec.phases == 2 and structures.ndim == len(self.spec.shape) + 1:
            # Labels are the second state's field already: comparing them with each state takes several times as long.
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

    def statistics(self, fields: Tensor) -> Tensor:
        """State fields ``(sample, phase, *space)`` to 2-point statistics ``(sample, *lag, correlation)``."""
        spec = self.spec
        first, last = spec.states[0], spec.states[-1]
        # A slice where the states are neighbours: picking them one by one copies, and is slow to differentiate.
        whole = last - first + 1 == len(spec.states)
        picked = fields[:, first : last + 1] if whole else fields[:, list(spec.states)]
        pairs = tuple((spec.states.index(i), spec.states.index(j)) for i, j in spec.pairs)
        return correlate(picked, pairs, periodic=spec.periodic, cutoff=spec.cutoff)

    def encode(self, statistics: Tensor | None, fields: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent, each ``(sample, component)``, from what the encoder reads."""
        if not self.reads_statistics:
            mean, log_variance = self.encoder(fields)
        else:
            assert statistics is not None
            mean, log_variance = self.encoder(self._coarsest(statistics))
        dtype = self.field_mean.dtype
        return mean.to(dtype), log_variance.to(dtype).clamp(*LOG_VARIANCE_RANGE)

    def _coarsest(self, statistics: Tensor) -> Tensor:
        """What the encoder reads: of statistics on any of the grids, those of the coarsest one."""
        if self.spec.coarse is None:
            return statistics
        sides = zip(statistics.shape[1:-1], self.spec.shape, self.spec.coarse, strict=True)
        return coarsen_statistics(statistics, [given * k // n for given, n, k in sides])

    def decode(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Latent ``(sample, component)`` to phase fractions, or the field, ``(sample, phase, *space)``.

        With `factors`, those on a coarse grid, which a decoder that coarsens can give.
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

    def _fractions(self, found: Tensor) -> Tensor:
        """What a decoder found of phases 1..H-1 to fractions of all phases, which share out what is more than one."""
        total = found.sum(1, keepdim=True).clamp_min(1.0)
        allowed = 1 + LEAK * (total - 1) if self.training else 1.0
        found = found * (allowed / total)
        return torch.cat([1 - found.sum(1, keepdim=True), found], dim=1)

    @torch.no_grad()
    def calibrate(self, batches: Sequence[Tensor], *, from_statistics: bool = False) -> None:
        """Set what depends on the data before training, from a few batches of the training set.

        These are the mean and spread of a continuous field, the level that gives the mean volume fraction,
        and what encoder and decoder prepare for themselves. Statistics alone prepare the encoder only.

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
            self.encoder.calibrate(map(self._coarsest, batches))
            return
        if self.spec.phases == 1:
            values = torch.cat([self.fields(batch).flatten() for batch in batches])
            self.field_mean.copy_(values.mean())
            self.field_scale.copy_(values.std(correction=0).clamp_min(1e-12))
        else:
            if self.level_set is not None:
                fractions = torch.cat([self.fields(batch).flatten(2).mean(2) for batch in batches]).mean(0)
                self.level_set.start(fractions[1:])
        self.decoder.calibrate(self.fields(batch) for batch in batches)
        # One batch at a time: the statistics of all of them may be many times as large as the structures.
        fields: Iterable[Tensor] = (self.fields(batch) for batch in batches)
        if self.reads_statistics:
            self.encoder.calibrate(self._coarsest(self.statistics(one)) for one in fields)
        else:
            self.encoder.calibrate(fields)


def _coarse(fields: Tensor, factors: Sequence[int] | None) -> Tensor:
    return fields if factors is None else coarsen(fields, factors)
