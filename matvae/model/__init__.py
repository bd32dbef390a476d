"""The variational autoencoder: encoders, decoders, loss and training. torch only."""

from ..stats.device import resolve_device
from .decoders import DECODERS, Decoder
from .descent import descend
from .device import PRECISIONS
from .encoders import ENCODERS, STATISTICS, STRUCTURES, Encoder
from .layers import perceptron, sum_of_products
from .loss import LOSSES, VOXELS
from .planning import check_parts, plan_model
from .search import search_latents
from .settings import TrainingSettings
from .spec import ModelSpec
from .threshold import fixed_threshold_labels, straight_shares, volume_fraction_labels
from .train import Trainer
from .vae import StatsVAE

__all__ = [
    "DECODERS",
    "ENCODERS",
    "LOSSES",
    "PRECISIONS",
    "STATISTICS",
    "STRUCTURES",
    "VOXELS",
    "Decoder",
    "Encoder",
    "ModelSpec",
    "StatsVAE",
    "Trainer",
    "TrainingSettings",
    "check_parts",
    "descend",
    "fixed_threshold_labels",
    "perceptron",
    "plan_model",
    "resolve_device",
    "search_latents",
    "straight_shares",
    "sum_of_products",
    "volume_fraction_labels",
]
