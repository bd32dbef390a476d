"""Objective of the training: the weighted sum of the loss terms at one point of the schedule."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..stats import relative_error
from .alignment import align
from .loss import (
    VOXELS,
    kl_divergence,
    overlap_loss,
    short_range_distance,
    short_range_loss,
    statistics_loss,
    voxel_loss,
)
from .ranks import BatchPart, Ranks
from .settings import TrainingSettings
from .threshold import volume_fraction_labels
from .vae import StatsVAE

# Lags up to this share of the structure's size count as short.
SHORT_SHARE = 8
# Statistics that vary less at short lags are those of a structure of one phase.
LEAST_VARIATION = 1e-6


def objective(
    module: StatsVAE,
    settings: TrainingSettings,
    progress: float,
    *,
    fields: Tensor | None,
    statistics: Tensor | None,
    output: Tensor,
    mean: Tensor,
    log_variance: Tensor,
    part: BatchPart | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a batch and its unweighted terms.

    Parameters
    ----------
    module : StatsVAE
    settings : TrainingSettings
    progress : float
        Completed share of the training; some weights depend on it.
    fields : Tensor ``(sample, phase, *space)`` or None
        Originals; None if only their statistics are known.
    statistics : Tensor ``(sample, *lag, correlation)`` or None
        Statistics of the originals; None if the loss compares voxels.
    output : Tensor ``(sample, phase, *space)``
        Soft reconstructions.
    mean, log_variance : Tensor ``(sample, component)``
        Mean and log-variance of the latents.
    part : BatchPart, optional
        The part of a batch that these samples are; by default all of it.

    Returns
    -------
    (Tensor, dict of str to Tensor)
        Scalars, each a mean over the batch, or what this part contributes to it.
    """
    part = part or BatchPart(Ranks(), (len(output),))
    divergence = part.share_of_mean(kl_divergence(mean, log_variance))
    rise = min(1.0, progress / settings.kl_warmup) if settings.kl_warmup > 0 else 1.0
    if settings.loss == VOXELS:
        assert fields is not None
        voxels = part.share_of_mean(voxel_loss(fields, output, module.field_scale))
        terms = {"voxel_loss": voxels, "kl": divergence}
        return settings.alpha * voxels + settings.beta * rise * divergence, terms
    assert statistics is not None
    reconstructed = module.statistics(output)
    distances = statistics_loss(module.weighted(statistics), module.weighted(reconstructed), settings.loss, part.mean)
    distance = part.share_of_mean(distances)
    loss = settings.alpha * distance + settings.beta * rise * divergence
    terms = {"statistics_loss": distance, "kl": divergence}
    if settings.short_range > 0:
        short = short_range_loss(statistics, reconstructed, _reach(output.shape[2:]), part.mean)
        terms["short_range_loss"] = part.share_of_mean(short)
        loss = loss + settings.short_range * terms["short_range_loss"]
    fading = 1.0 - progress / settings.aligned_fraction if settings.aligned_fraction > 0 else 0.0
    if fading > 0 and fields is not None and module.spec.periodic and module.spec.phases > 1:
        target = align(fields, output, invert=module.spec.only_autocorrelations)
        terms["aligned_loss"] = part.share_of_mean(overlap_loss(target, output))
        loss = loss + fading * terms["aligned_loss"]
    return loss, terms


def trained_distance(
    module: StatsVAE, statistics: Tensor, reconstructed: Tensor, shape: Sequence[int], short_range: float
) -> Tensor:
    """Distance of statistics that training minimises, per sample and independent of the other samples.

    Parameters
    ----------
    module : StatsVAE
    statistics, reconstructed : Tensor ``(sample, *lag, correlation)``
        Of originals and reconstructions.
    shape : sequence of int
        Voxels of the structures along each axis.
    short_range : float
        Weight of the distance at short lags, as in `TrainingSettings`.

    Returns
    -------
    Tensor ``(sample,)``
        Relative error in the metric of the model, plus the weighted relative error at short lags.
    """
    distance = relative_error(module.weighted(statistics), module.weighted(reconstructed))
    if short_range > 0:
        short, variation = short_range_distance(statistics, reconstructed, _reach(shape))
        distance = distance + short_range * short / variation.clamp_min(LEAST_VARIATION)
    return distance


def _reach(shape: Sequence[int]) -> tuple[int, ...]:
    """Largest short lag along each axis."""
    return tuple(max(1, n // SHORT_SHARE) for n in shape)


def held_out_error(
    module: StatsVAE, settings: TrainingSettings, fields: Tensor | None, statistics: Tensor | None, output: Tensor
) -> Tensor:
    """Error per sample by which the best weights are chosen.

    This is the relative statistics error of thresholded reconstructions, in the metric of the model. For a model
    trained on voxels it is the voxel loss instead: its output has the right spectrum before any training, and blurs as
    it learns.

    Parameters
    ----------
    module, settings, fields, statistics, output
        As in `objective`.

    Returns
    -------
    Tensor ``(sample,)``
    """
    if settings.loss == VOXELS:
        assert fields is not None
        return voxel_loss(fields, output, module.field_scale)
    assert statistics is not None
    return thresholded_error(module, statistics, output)


def thresholded_error(module: StatsVAE, statistics: Tensor, output: Tensor) -> Tensor:
    """Relative error ``(sample,)`` of the statistics of reconstructions, thresholded unless the field is continuous."""
    return relative_error(module.weighted(statistics), module.weighted(module.statistics(sharpened(module, output))))


def sharpened(module: StatsVAE, output: Tensor) -> Tensor:
    """State fields of thresholded reconstructions; continuous fields stay as they are."""
    return module.fields(volume_fraction_labels(output)) if module.spec.phases > 1 else output
