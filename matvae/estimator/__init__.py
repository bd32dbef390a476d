"""The scikit-learn interface: the transformer, its PCA baseline, fitted models and their files."""

from .card import ModelCard
from .fitted import FittedModel
from .loading import load, load_pretrained
from .pca import TwoPointPCA
from .transformer import StatsVAETransformer

__all__ = ["FittedModel", "ModelCard", "StatsVAETransformer", "TwoPointPCA", "load", "load_pretrained"]
