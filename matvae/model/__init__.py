"""The variational autoencoder: encoders, decoders, loss and training. torch only."""

from ..stats.device import resolve_device
from .coarse import coarsest
from .decoders import DECODERS
from .device import PRECISIONS
from .encoders import ENCODERS
from .loss import LOSSES, VOXELS
from .search import search_latents
from .settings import TrainingSettings
from .spec import ModelSpec, resolve_decoder
from .threshold import fixed_threshold_labels, straight_shares, volume_fraction_labels
from .train import Trainer
from .vae import StatsVAE

__all__ = [
    "DECODERS",
    "ENCODERS",
    "LOSSES",
    "PRECISIONS",
    "VOXELS",
    "ModelSpec",
    "StatsVAE",
    "Trainer",
    "TrainingSettings",
    "coarsest",
    "fixed_threshold_labels",
    "resolve_decoder",
    "resolve_device",
    "search_latents",
    "straight_shares",
    "volume_fraction_labels",
]
