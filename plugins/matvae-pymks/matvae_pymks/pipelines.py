"""PyMKS's homogenisation workflow as scikit-learn pipelines that end in matvae, with PCA and VAE interchangeable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from matvae import StatsVAETransformer, TwoPointPCA, validate
from matvae.errors import InputError
from matvae.grid import Grid
from matvae.stats import lag_shape, resolve_correlations
from matvae.stats.lags import Cutoff

from .originals import LegendreTransformer
from .steps import StatisticsCheck, StructureStatistics
from .transformers import PrimitiveTransformer

BASES = {"primitive": PrimitiveTransformer, "legendre": LegendreTransformer}
INPUTS = ("structures", "statistics")
# Parameters of the last step that the pipeline sets.
RESERVED = ("state_axis", "phases")


def pca_pipeline(
    n_components: int = 9,
    *,
    n_state: int = 2,
    min_: float = 0.0,
    max_: float = 1.0,
    basis: str = "primitive",
    input: str = "structures",
    sample_shape: Sequence[int] | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool = True,
    cutoff: Cutoff = None,
    **estimator: Any,
) -> Pipeline:
    """Build a pipeline from values to principal component scores of their 2-point statistics.

    Parameters
    ----------
    n_components : int
        Number of PC scores.
    n_state, min_, max_
        Local states of the discretisation, as in `PrimitiveTransformer`. For labels 0 to H-1 use ``n_state=H,
        max_=H-1``.
    basis : ``"primitive"`` or ``"legendre"``
        Hat functions, which are invertible, or Legendre polynomials, which are not.
    input : ``"structures"`` or ``"statistics"``
        Input of the last step. With ``"structures"`` the steps are ``discretise`` and ``reduce``. ``"statistics"``
        inserts ``correlate``, which computes statistics with PyMKS, and ``check`` between them, for data of which only
        statistics are stored: ``pipeline[2:]`` accepts them in any convention that `check_statistics` recognises.
    sample_shape : tuple of int, optional
        Shape of one structure, in voxels; required for ``input="statistics"``.
    correlations : list of (int, int), optional
        Pairs of local states; by default those of matvae, for two states ``[(1, 1)]``.
    periodic : bool
        Whether structures are periodic.
    cutoff : int or sequence of int, optional
        Largest lag in voxels; by default all lags. For ``input="statistics"`` a single integer, by default
        ``(min N - 1)//2``, the largest cutoff that PyMKS supports.
    **estimator
        Further parameters of `matvae.TwoPointPCA`, the last step.

    Returns
    -------
    sklearn.pipeline.Pipeline
        For arrays ``(sample, *space)``, numpy or dask. Because PyMKS discretises into dask arrays, `transform` returns
        a lazy dask array ``(sample, component)`` for both; ``numpy.asarray`` computes it. With the primitive basis,
        ``inverse_transform`` returns values ``(sample, *space)`` of structures with the statistics of the scores.

    Raises
    ------
    InputError
        If parameters contradict each other. Their agreement with the data is checked in `fit`.
    """
    return _pipeline(
        TwoPointPCA(n_components),
        estimator,
        n_state=n_state,
        min_=min_,
        max_=max_,
        basis=basis,
        input=input,
        sample_shape=sample_shape,
        correlations=correlations,
        periodic=periodic,
        cutoff=cutoff,
    )


def vae_pipeline(
    n_components: int = 9,
    *,
    n_state: int = 2,
    min_: float = 0.0,
    max_: float = 1.0,
    basis: str = "primitive",
    input: str = "structures",
    sample_shape: Sequence[int] | None = None,
    correlations: Sequence[Sequence[int]] | None = None,
    periodic: bool = True,
    cutoff: Cutoff = None,
    **estimator: Any,
) -> Pipeline:
    """Build a pipeline from values to latents that preserve their 2-point statistics, and back to values.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    n_state, min_, max_, input, sample_shape, correlations, periodic, cutoff
        As in `pca_pipeline`, so that the last steps of both pipelines are interchangeable.
    basis : ``"primitive"``
        The decoder generates fractions of local states, which Legendre coefficients are not.
    **estimator
        Further parameters of `matvae.StatsVAETransformer`, the last step.

    Returns
    -------
    sklearn.pipeline.Pipeline
        As from `pca_pipeline`. ``inverse_transform`` returns values ``(sample, *space)``, each the value of a local
        state.

    Raises
    ------
    InputError
        As in `pca_pipeline`, or for another basis.
    """
    if basis == "legendre":
        raise InputError(
            "StatsVAETransformer requires fractions of local states, as from basis='primitive', but basis='legendre' "
            "was given. Use 'primitive', or pca_pipeline, which accepts any basis."
        )
    return _pipeline(
        StatsVAETransformer(n_components),
        estimator,
        n_state=n_state,
        min_=min_,
        max_=max_,
        basis=basis,
        input=input,
        sample_shape=sample_shape,
        correlations=correlations,
        periodic=periodic,
        cutoff=cutoff,
    )


def _pipeline(
    reduce: Any,
    estimator: dict[str, Any],
    *,
    n_state: int,
    min_: float,
    max_: float,
    basis: str,
    input: str,
    sample_shape: Sequence[int] | None,
    correlations: Sequence[Sequence[int]] | None,
    periodic: bool,
    cutoff: Cutoff,
) -> Pipeline:
    validate.choice("basis", basis, BASES)
    validate.choice("input", input, INPUTS)
    reserved = [name for name in RESERVED if name in estimator]
    if reserved:
        raise InputError(
            f"The pipeline sets {' and '.join(RESERVED)} of its last step according to n_state, but {reserved} was "
            "given. Remove it."
        )
    pairs = list(resolve_correlations(correlations, n_state))
    steps: list[tuple[str, Any]] = [("discretise", BASES[basis](n_state=n_state, min_=min_, max_=max_))]
    if input == "structures":
        reduce.set_params(state_axis=-1, sample_shape=sample_shape)
    else:
        space, cutoff = _window(sample_shape, periodic, cutoff)
        reduce.set_params(input="statistics", phases=n_state, sample_shape=space)
        steps += [
            ("correlate", StructureStatistics(pairs, periodic, cutoff, space, n_state)),
            ("check", StatisticsCheck(space, pairs, periodic, cutoff)),
        ]
    reduce.set_params(correlations=pairs, periodic=periodic, cutoff=cutoff, **estimator)
    return Pipeline([*steps, ("reduce", reduce)])


def _window(sample_shape: Sequence[int] | None, periodic: bool, cutoff: Cutoff) -> tuple[tuple[int, ...], int]:
    """Shape of a structure, and a cutoff that both PyMKS and matvae support."""
    if sample_shape is None:
        raise InputError(
            "The shape of the structures cannot be inferred from PyMKS's statistics, which are cropped. Pass "
            "sample_shape=(...), the number of voxels of one structure along each axis."
        )
    space = Grid(tuple(np.atleast_1d(sample_shape))).shape
    largest = (min(space) - 1) // 2
    cutoffs = [n // 2 for n in lag_shape(space, periodic, largest if cutoff is None else cutoff)]
    if len(set(cutoffs)) > 1 or cutoffs[0] > largest:
        raise InputError(
            f"PyMKS supports one cutoff for all axes, at most {largest} for structures of shape {space}, and reduces "
            f"larger ones silently, but cutoff={cutoff} was given. Pass such an integer, or input='structures' for "
            "more lags."
        )
    return space, cutoffs[0]
