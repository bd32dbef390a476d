"""Objective of the training: the weighted sum of the loss terms at one point of the schedule."""

from __future__ import annotations

from torch import Tensor

from ..stats import relative_error
from .alignment import align
from .loss import VOXELS, kl_divergence, overlap_loss, short_range_loss, statistics_loss, voxel_loss
from .settings import TrainingSettings
from .threshold import volume_fraction_labels
from .vae import StatsVAE

# Lags up to this share of the structure's size count as short.
SHORT_SHARE = 8


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

    Returns
    -------
    (Tensor, dict of str to Tensor)
        Scalars, each a mean over the batch.
    """
    divergence = kl_divergence(mean, log_variance).mean()
    rise = min(1.0, progress / settings.kl_warmup) if settings.kl_warmup > 0 else 1.0
    if settings.loss == VOXELS:
        assert fields is not None
        voxels = voxel_loss(fields, output, module.field_scale).mean()
        terms = {"voxel_loss": voxels, "kl": divergence}
        return settings.alpha * voxels + settings.beta * rise * divergence, terms
    assert statistics is not None
    reconstructed = module.statistics(output)
    distance = statistics_loss(module.weighted(statistics), module.weighted(reconstructed), settings.loss).mean()
    loss = settings.alpha * distance + settings.beta * rise * divergence
    terms = {"statistics_loss": distance, "kl": divergence}
    if settings.short_range > 0:
        reach = tuple(max(1, n // SHORT_SHARE) for n in output.shape[2:])
        terms["short_range_loss"] = short_range_loss(statistics, reconstructed, reach).mean()
        loss = loss + settings.short_range * terms["short_range_loss"]
    fading = 1.0 - progress / settings.aligned_fraction if settings.aligned_fraction > 0 else 0.0
    if fading > 0 and fields is not None and module.spec.periodic and module.spec.phases > 1:
        target = align(fields, output, invert=module.spec.only_autocorrelations)
        terms["aligned_loss"] = overlap_loss(target, output).mean()
        loss = loss + fading * terms["aligned_loss"]
    return loss, terms


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
    if module.spec.phases > 1:
        output = module.fields(volume_fraction_labels(output))
    return relative_error(module.weighted(statistics), module.weighted(module.statistics(output)))
