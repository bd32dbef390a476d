"""The methods that `compare_methods` compares, each ready to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from ...errors import InputError
from ...evaluate.baseline import pca_like
from ...model import VOXELS
from ...stats.metric import LAGS

PCA, LAG_PCA, IMAGE_VAE, STATISTICS_VAE = "PCA", "PCA (lag metric)", "image-space VAE", "matvae"


@dataclass(frozen=True)
class Contender:
    """One method at one number of components.

    Parameters
    ----------
    method : str
        Its name in tables.
    n_components : int
        Size of the latent.
    estimator : estimator
        A `StatsVAETransformer` or `TwoPointPCA`.
    fitted : bool
        Whether it is fitted already.
    """

    method: str
    n_components: int
    estimator: Any
    fitted: bool = False


def contenders(
    model: Any,
    n_components: Sequence[int],
    *,
    keep_model: bool,
    seed: int,
    max_epochs: int | None = None,
    max_time: float | None = None,
) -> list[Contender]:
    """List PCA in both metrics, an image-space VAE and matvae at each size, with a fitted model as the recipe.

    Both VAEs have the model's decoder, width, batch size and budget. The image-space one reads structures and is
    trained on voxels (Kingma & Welling, "Auto-encoding variational Bayes", 2014).

    Parameters
    ----------
    model : StatsVAETransformer
        Fitted.
    n_components : sequence of int
    keep_model : bool
        Whether the model itself stands for matvae at its own number of components.
    seed : int
        Of every fit.
    max_epochs, max_time : optional
        Budget of each fit; without either, the model's own.

    Returns
    -------
    list of Contender
        PCA first, in the plain and then in the lag metric: it takes seconds, and reveals faults of the data before
        hours of training.

    Raises
    ------
    InputError
        If the model is an image-space VAE itself.
    """
    if model.loss == VOXELS:
        raise InputError(
            "A model trained on statistics is compared with one trained on voxels, but this model itself has "
            'loss="voxels". Give a model with another loss.'
        )
    shared = {
        "phases": model.grid_.phases,
        # A store holds structures with their axes, even if the model was fitted on flattened ones.
        "sample_shape": None,
        "random_state": seed,
        "warm_start": False,
        "checkpoint": None,
    }
    has_budget = max_epochs is not None or max_time is not None
    budget = {"max_epochs": max_epochs, "max_time": max_time} if has_budget else {}
    decodes_structures = model.module_.decodes_structures

    def recipe(n: int, **changes: Any) -> Any:
        return clone(model).set_params(n_components=n, **shared, **changes)

    entries = [Contender(PCA, n, pca_like(model, n)) for n in n_components]
    entries += [Contender(LAG_PCA, n, pca_like(model, n).set_params(metric=LAGS)) for n in n_components]
    image_space = {"encoder": "image", "encoder_weights": None, "loss": VOXELS, **budget}
    if not decodes_structures:
        image_space["decoder"] = "auto"
    entries += [Contender(IMAGE_VAE, n, recipe(n, **image_space)) for n in n_components]
    # A decoder of statistics is fitted in closed form and needs no budget.
    own = budget if decodes_structures else {}
    for n in n_components:
        is_model = keep_model and n == model.n_components
        entries.append(Contender(STATISTICS_VAE, n, model if is_model else recipe(n, **own), fitted=is_model))
    return entries
