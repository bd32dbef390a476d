"""Settings of the training loop as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the training loop.

    Parameters
    ----------
    alpha, beta : float
        Weights of the statistics loss and of the KL divergence (equation 1 of the paper).
    loss : ``"relative"``, ``"absolute"`` or ``"voxels"``
        Distance between statistics, relative to their norm or absolute as in equation 1; or a voxel-wise distance
        between structures, for which `short_range`, `mixing` and `aligned_fraction` have no effect.
    short_range : float
        Weight of the distance at short lags, in addition to `alpha`; 0 disables it.
    mixing : float
        Fraction of the samples whose statistics are mixed with those of a neighbour; see `mix_neighbours`.
    aligned_fraction : float
        Fraction of the training over which the loss against the registered original fades out; 0 disables it.
    coarse_fraction : float
        Fraction of the training that runs on the coarse grid, if the model has one.
    learning_rate : float
        Peak of the schedule: linear warm-up, then cosine decay to one hundredth of the peak.
    max_epochs : int, optional
        Passes over the training set.
    max_time : float, optional
        Time limit in seconds. At least one of `max_epochs` and `max_time` is required; the first one reached ends the
        training.
    patience : float, optional
        Stop when the held-out error has not improved for this fraction of the planned training.
    kl_warmup : float
        Fraction of the training over which the KL weight rises from zero.
    warmup_steps : int
        Steps over which the learning rate rises to its peak.
    gradient_norm : float
        Norm to which gradients are clipped.
    checkpoint_seconds : float
        Seconds between two checkpoints.

    Raises
    ------
    InputError
        If neither `max_epochs` nor `max_time` is given.
    """

    alpha: float = 1.0
    beta: float = 1e-4
    loss: str = "relative"
    short_range: float = 0.3
    mixing: float = 0.0
    aligned_fraction: float = 0.5
    coarse_fraction: float = 0.75
    learning_rate: float = 1e-3
    max_epochs: int | None = 100
    max_time: float | None = None
    patience: float | None = 0.3
    kl_warmup: float = 0.3
    warmup_steps: int = 100
    gradient_norm: float = 1.0
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.max_epochs is None and self.max_time is None:
            raise InputError("Training requires max_epochs or max_time, but both are None. Set at least one of them.")
