"""TrainingSettings: how a model is trained, in plain values."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class TrainingSettings:
    """Numbers of the training loop.

    Parameters
    ----------
    alpha, beta : float
        Weights of the statistics loss and of the KL divergence (equation 1 of the paper).
    loss : ``"relative"``, ``"absolute"`` or ``"voxels"``
        Statistics distance relative to the size of the statistics, or as it is in equation 1; or a distance voxel by
        voxel instead, beside which `short_range`, `mixing` and `aligned_fraction` have no meaning.
    short_range : float
        Weight of the distance at short lags beside `alpha`; 0 leaves it away.
    mixing : float
        Share of the samples whose statistics are mixed with a neighbour's; see `mix_neighbours`.
    aligned_fraction : float
        Share of the training over which the loss against the registered original fades out; 0 leaves it away.
    coarse_fraction : float
        Share of the training that is done on the coarse grid of a model that has one.
    learning_rate : float
        Peak of the schedule: a linear warm-up, then a cosine down to a hundredth.
    max_epochs : int, optional
        Passes over the training set.
    max_time : float, optional
        Seconds; with both limits the first one reached ends the training. One of them is needed.
    patience : float, optional
        Stop when the held-out error has not improved over this share of the planned training.
    kl_warmup : float
        Share of the training over which the KL weight rises from zero.
    warmup_steps : int
        Steps over which the learning rate rises.
    gradient_norm : float
        Gradients are clipped to this norm.
    checkpoint_seconds : float
        Time between two checkpoints.

    Raises
    ------
    InputError
        Without any limit.
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
            raise InputError(
                "Training needs an end, but max_epochs and max_time are both None. Give at least one of them."
            )
