"""The contract of decoders: from the latent to logits or fractions of phases, or to a continuous field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ..encoders.base import STRUCTURES
from ..spec import ModelSpec


class Decoder(nn.Module):
    """Base class of decoders; built as ``Decoder(spec)`` from a `ModelSpec`.

    A subclass defines ``__init__(spec)`` and `forward`, sets the class attributes that differ from the defaults, and
    overrides the hooks it needs. `plan` is called before the model is built, `calibrate` once before training.

    Attributes
    ----------
    encoder : str or None
        Name of the only encoder this decoder works with; None if it works with any. It replaces the default encoder.
    decodes : ``"structures"`` or ``"statistics"``
        Result of `forward`. A decoder of statistics is fitted in closed form, not trained; structures with its
        statistics are realised afterwards.
    writes_fractions : bool
        Whether `forward` returns volume fractions of phases 1 to H-1, from 0 up, instead of logits. Fractions that sum
        to more than one are scaled to one.
    coarsens : bool
        Whether `forward` also takes the factors of a coarse grid, on which training can then begin.
    needs_structures : bool
        Whether the decoder has to see training structures, so that it cannot be fitted on statistics alone.
    """

    encoder: ClassVar[str | None] = None
    decodes: ClassVar[str] = STRUCTURES
    writes_fractions: ClassVar[bool] = False
    coarsens: ClassVar[bool] = False
    needs_structures: ClassVar[bool] = False

    @classmethod
    def plan(cls, spec: ModelSpec, batches: Sequence[Tensor]) -> Mapping[str, Any]:
        """Choose what the decoder has to know before it is built; by default nothing.

        Parameters
        ----------
        spec : ModelSpec
            Complete except for ``decoder_options``.
        batches : sequence of Tensor
            A few batches of training structures: labels or a continuous field ``(sample, *space)``, or discretised
            ``(sample, state, *space)``. Empty if only statistics are known.

        Returns
        -------
        mapping of str to JSON values
            Stored in the model as ``spec.decoder_options``.

        Raises
        ------
        InputError
            If the decoder cannot draw structures of this kind.
        """
        return {}

    def forward(self, z: Tensor, factors: Sequence[int] | None = None) -> Tensor:
        """Decode latents ``(sample, component)``.

        Parameters
        ----------
        z : Tensor ``(sample, component)``
        factors : sequence of int, optional
            Voxels along each axis that form one voxel of a coarse grid; only passed if `coarsens` is true.

        Returns
        -------
        Tensor ``(sample, channel, *space)``
            ``spec.channels`` channels: logits of phases 1 to H-1, relative to a logit of zero of phase 0; fractions of
            these phases if `writes_fractions` is true; or one continuous field.
        """
        raise NotImplementedError

    def calibrate(self, batches: Iterable[Tensor]) -> None:
        """Set whatever depends on the data, once before training on structures. Does nothing by default.

        Parameters
        ----------
        batches : iterable of Tensor ``(sample, phase, *space)``
            State fields of a few batches of training structures; it can be traversed once.
        """
