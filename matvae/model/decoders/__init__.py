"""Decoders: from the latent to the logits of phases 1..H-1 at every voxel, or to a continuous field.

A decoder is a torch module built as ``Decoder(spec)`` that takes ``(sample, component)`` to
``(sample, channel, *space)`` with H-1 channels (one for a continuous field); phase 0 has the logit zero.
``calibrate(power)`` is called once before training with the mean power spectrum ``(channel, *frequency)`` of the
training structures. A decoder whose ``coarsens`` is true also takes the factors of a coarse grid:
``forward(z, factors)``. One whose ``writes_fractions`` is true gives the fractions of phases 1..H-1 themselves, from 0
up, instead of logits. One that has ``prepare(solids)`` is shown, before training, where phase 1 is in a few batches of
training structures; one that names an ``encoder`` works with that one only.
"""

from ...registry import Registry

DECODERS = Registry(
    "decoder",
    "matvae.decoders",
    {
        "dense": "matvae.model.decoders.dense:DenseDecoder",
        "convolutional": "matvae.model.decoders.convolutional:ConvolutionalDecoder",
        "separable": "matvae.model.decoders.separable:SeparableDecoder",
        "boxes": "matvae.model.decoders.boxes:BoxesDecoder",
    },
)
