"""The methods that `compare` sets side by side, each ready to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from ...errors import InputError
from ...model import VOXELS
from ..measure import pca_like

PCA, IMAGE_VAE, STATISTICS_VAE = "PCA", "image-space VAE", "matvae"


@dataclass(frozen=True)
class Contender:
    """One method at one number of components.

    Parameters
    ----------
    method : str
        What it is called in tables.
    n_components : int
        Size of the latent.
    estimator : estimator
        With the face of `StatsVAETransformer` or `TwoPointPCA`.
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
    """PCA, an image-space VAE and matvae at each number of components, from one fitted model as the recipe.

    Both VAEs have the model's decoder, width, batches and budget. The image-space one reads structures and is trained
    on voxels (Kingma & Welling, "Auto-encoding variational Bayes", 2014).

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
        PCA first: it takes seconds, and finds what is wrong with the data before hours of training.

    Raises
    ------
    InputError
        If the model is an image-space VAE itself.
    """
    if model.loss == VOXELS:
        raise InputError(
            'A model trained on statistics is compared with one trained on voxels, but this model has loss="voxels" '
            "itself. Give a model with another loss."
        )
    shared = {
        "phases": model.grid_.phases,
        # A store holds structures as they are, also for a model that was fitted on flattened ones.
        "sample_shape": None,
        "random_state": seed,
        "warm_start": False,
        "checkpoint": None,
    }
    if max_epochs is not None or max_time is not None:
        shared.update(max_epochs=max_epochs, max_time=max_time)

    def recipe(n: int, **changes: Any) -> Any:
        return clone(model).set_params(n_components=n, **shared, **changes)

    found = [Contender(PCA, n, pca_like(model, n)) for n in n_components]
    images = {"encoder": "image", "encoder_weights": None, "loss": VOXELS}
    found += [Contender(IMAGE_VAE, n, recipe(n, **images)) for n in n_components]
    for n in n_components:
        own = keep_model and n == model.n_components
        found.append(Contender(STATISTICS_VAE, n, model if own else recipe(n), fitted=own))
    return found
