"""The scikit-learn interface: the transformer, its PCA baseline, fitted models and their files."""

from .fitted import FittedModel
from .loading import load
from .pca import TwoPointPCA
from .transformer import StatsVAETransformer

__all__ = ["FittedModel", "StatsVAETransformer", "TwoPointPCA", "load"]
