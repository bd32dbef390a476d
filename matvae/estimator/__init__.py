"""scikit-learn face: the transformer, its PCA baseline, and models on disk."""

from .baseline import TwoPointPCA
from .persist import load
from .transformer import StatsVAETransformer

__all__ = ["StatsVAETransformer", "TwoPointPCA", "load"]
