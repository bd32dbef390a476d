"""PyMKS's homogenisation recipe as scikit-learn pipelines that end in matvae: PCA and VAE, and they swap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from matvae import StatsVAETransformer, TwoPointPCA
from matvae.errors import InputError
from matvae.grid import Grid
from matvae.stats import lag_shape, resolve_correlations
from matvae.stats.lags import Cutoff

from .originals import LegendreTransformer
from .steps import StatisticsCheck, StructureStatistics
from .transformers import PrimitiveTransformer

BASES = {"primitive": PrimitiveTransformer, "legendre": LegendreTransformer}
INPUTS = ("structures", "statistics")
# What the pipeline itself says to its last step.
SAID = ("state_axis", "phases")


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
    """Pipeline from values to principal component scores of their 2-point statistics.

    Parameters
    ----------
    n_components : int
        Number of scores.
    n_state, min_, max_
        Local states of the discretisation, as in `PrimitiveTransformer`; for labels 0 to H-1 use ``n_state=H,
        max_=H-1``.
    basis : ``"primitive"`` or ``"legendre"``
        Hat functions, which can be inverted, or Legendre polynomials, which cannot.
    input : ``"structures"`` or ``"statistics"``
        What the last step reads. ``"structures"`` has the steps ``discretise`` and ``reduce``. ``"statistics"`` puts
        PyMKS's own statistics between them, ``correlate`` and ``check``, for data of which only statistics are kept:
        ``pipeline[2:]`` takes stored ones of any convention that `check_statistics` knows.
    sample_shape : tuple of int, optional
        Shape of one structure, in voxels; required for statistics.
    correlations : list of (int, int), optional
        Pairs of local states; by default matvae's, which for two states is ``[(1, 1)]``.
    periodic : bool
        Whether structures continue on their opposite sides.
    cutoff : int or sequence of int, optional
        Largest lag in voxels. By default every lag there is; for statistics ``(min N - 1)//2`` along each axis, the
        most that PyMKS gives, and one integer only.
    **estimator
        Further parameters of `matvae.TwoPointPCA`, the last step.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Takes ``(sample, *space)``, numpy or dask. As PyMKS discretises into dask arrays, `transform` gives a lazy dask
        array ``(sample, component)`` for both; ``numpy.asarray`` computes it. With the primitive basis
        ``inverse_transform`` gives values ``(sample, *space)`` of structures that have the statistics of the scores.

    Raises
    ------
    InputError
        If parameters contradict each other. What the data must fit is checked in `fit`.
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
    """Pipeline from values to latents that are true in 2-point statistics, and back to values.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    n_state, min_, max_, input, sample_shape, correlations, periodic, cutoff
        As in `pca_pipeline`, so that the last steps of both swap.
    basis : ``"primitive"``
        The decoder makes fractions of local states, which Legendre coefficients are not.
    **estimator
        Further parameters of `matvae.StatsVAETransformer`, the last step.

    Returns
    -------
    sklearn.pipeline.Pipeline
        As `pca_pipeline`. ``inverse_transform`` gives values ``(sample, *space)`` again, each the value of a local
        state.

    Raises
    ------
    InputError
        As `pca_pipeline`, and for another basis.
    """
    if basis == "legendre":
        raise InputError(
            "StatsVAETransformer makes fractions of local states, which basis='primitive' gives, but basis='legendre' "
            "was asked for. Take 'primitive', or pca_pipeline, which reads any basis."
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
    for name, value, known in (("basis", basis, tuple(BASES)), ("input", input, INPUTS)):
        if value not in known:
            raise InputError(f"{name} must be one of {known}, but {value!r} was given. Correct its spelling.")
    said = [name for name in SAID if name in estimator]
    if said:
        raise InputError(
            f"The pipeline itself says {' and '.join(SAID)} to its last step, as n_state has them, but {said} was "
            "given. Leave it out."
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
    """Shape of a structure, and the cutoff that PyMKS and matvae both understand."""
    if sample_shape is None:
        raise InputError(
            "The shape of the structures does not follow from PyMKS's statistics, which it crops. Pass "
            "sample_shape=(...), the number of voxels of one structure along each axis."
        )
    space = Grid(tuple(np.atleast_1d(sample_shape))).shape
    most = (min(space) - 1) // 2
    cuts = [n // 2 for n in lag_shape(space, periodic, most if cutoff is None else cutoff)]
    if len(set(cuts)) > 1 or cuts[0] > most:
        raise InputError(
            f"PyMKS takes one cutoff for all axes, at most {most} for structures of shape {space}, and crops larger "
            f"ones unasked, but cutoff={cutoff} was given. Pass such an integer, or input='structures' for more lags."
        )
    return space, cuts[0]
