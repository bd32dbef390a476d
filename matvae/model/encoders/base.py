"""The contract of encoders: from statistics or structures to the mean and log-variance of the latent."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from ...errors import InputError

if TYPE_CHECKING:
    from ..decoders import Decoder

STATISTICS, STRUCTURES = "statistics", "structures"


class Encoder(nn.Module):
    """Base class of encoders; built as ``Encoder(spec)`` from a `ModelSpec`.

    A subclass defines ``__init__(spec)`` and `forward`, sets the class attributes that differ from the defaults, and
    overrides the hooks it needs. The hooks are called before training in this order: `follow` when the model is built,
    `load_pretrained` if weights were given, `calibrate`.

    Attributes
    ----------
    reads : ``"statistics"`` or ``"structures"``
        Input of `forward`: 2-point statistics ``(sample, *lag, correlation)``, on the coarsest grid of a model that has
        several (``spec.coarse``), or state fields ``(sample, phase, *space)``.
    decoder : str or None
        Name of the only decoder this encoder works with; None if it works with any.
    searches : bool
        Whether latents are found by a search instead of a network. Such an encoder is not compiled, and by default
        statistics are not mixed during training, since a mixture of two structures is neither of them.
    takes_weights : bool
        Whether the encoder can start from trained weights.
    """

    reads: ClassVar[str] = STATISTICS
    decoder: ClassVar[str | None] = None
    searches: ClassVar[bool] = False
    takes_weights: ClassVar[bool] = False

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a batch of what `reads` names.

        Returns
        -------
        (Tensor, Tensor)
            Mean and log-variance of the latent, each ``(sample, component)``.
        """
        raise NotImplementedError

    def follow(self, decoder: Decoder) -> None:
        """Receive the decoder of the same model, once, when the model is built. Does nothing by default."""

    def load_pretrained(self, source: str | os.PathLike[str]) -> None:
        """Start from trained weights at a path or of a name, if `takes_weights` is true.

        Raises
        ------
        InputError
            By default always; a subclass raises it if there are no such weights.
        """
        raise InputError(
            f"{type(self).__name__} does not start from trained weights, but {os.fspath(source)!r} was given. "
            "Omit encoder_weights."
        )

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Set whatever depends on the data, once before training. Does nothing by default.

        Parameters
        ----------
        batches : iterable of Tensor
            A few batches of training samples as `forward` gets them; it can be traversed once.
        """
