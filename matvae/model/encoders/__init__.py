"""Encoders: from statistics or structures to the mean and log-variance of the latent.

An encoder is a torch module built as ``Encoder(spec)``. Its ``reads`` says what ``forward`` gets:
``"statistics"`` ``(sample, *lag, correlation)`` or ``"structures"`` ``(sample, phase, *space)``; it returns
two tensors ``(sample, component)``. ``calibrate(batches)`` is called once before training with an iterable,
good for one pass, of a few batches of what ``forward`` gets. One that can start from trained weights has
``load_pretrained(source)``, too, which is called once before that. One that has ``follow(decoder)`` is given the
decoder to work with, and one that names a ``decoder`` works with that one only. One whose ``searches`` is true has
no network: it is not compiled, and gets no mixtures of statistics unless somebody wants them.
"""

from ...registry import Registry

ENCODERS = Registry(
    "encoder",
    "matvae.encoders",
    {
        "statistics": "matvae.model.encoders.statistics:StatisticsEncoder",
        "image": "matvae.model.encoders.image:ImageEncoder",
        "pursuit": "matvae.model.encoders.pursuit:PursuitEncoder",
        "resnet152": "matvae.model.encoders.pretrained:ResNet152Encoder",
    },
)
