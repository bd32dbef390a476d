"""scikit-learn face: the transformer, its PCA baseline, and models on disk."""

from .pca import TwoPointPCA
from .saving import load
from .transformer import StatsVAETransformer

__all__ = ["StatsVAETransformer", "TwoPointPCA", "load"]
