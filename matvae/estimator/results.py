"""What a fitted transformer gives: latents, structures, statistics and the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from ..errors import InputError
from ..grid import Grid
from ..model import StatsVAE
from .batches import blocks_of, read, seed_from
from .checks import check_fitted, check_latents, check_samples, check_shape
from .fitted import Inference, lazily
from .realizations import check_phases_realized, check_realizations, refined
from .sample_layout import Input, as_array, indices_like


class ResultsMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """The methods of `StatsVAETransformer` that follow a fit.

    A transformer itself, since scikit-learn's ``set_output`` works on the class that defines `transform`.
    """

    module_: StatsVAE
    grid_: Grid
    latent_spread_: np.ndarray
    threshold: str | float
    latent_steps: int
    _input: Input

    def transform(self, X: Any) -> Any:
        """Latent of every structure.

        Parameters
        ----------
        X : array
            In the shape and form that went into `fit`.

        Returns
        -------
        array ``(sample, component)``
            numpy, or lazy dask for dask. float64 where X is, else float32.
        """
        array = self._checked(X)
        return lazily(array, self._inference().latents, (self.module_.spec.n_components,), _floating(array))

    def inverse_transform(
        self,
        Z: Any,
        n_realizations: int | None = None,
        random_state: Any = None,
        as_fractions: bool = False,
        shape: Sequence[int] | None = None,
        refine: bool = False,
    ) -> Any:
        """Structures of latents.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.
        n_realizations : int, optional
            Make so many different structures of each latent: the latent moves within the encoder's own
            uncertainty, and on a periodic grid every structure is shifted at random, which leaves its
            statistics as they are.
        random_state : int, RandomState or None
            Of the realizations.
        as_fractions : bool
            Give the soft phase fractions ``(sample, phase, *space)`` instead of labels.
        shape : tuple of int, optional
            Must be the shape of the grid; a decoder makes no other.
        refine : bool
            Swap voxels of every structure, from where the decoder is between two phases, until its statistics are
            as close as they get to those of `inverse_statistics`. Volume fractions stay. With `n_realizations` all
            structures of a latent then have the statistics and volume fractions of this latent, and the moved ones
            are where they start from.

        Returns
        -------
        array
            Structures in the shape, form and type that went into `fit`, with a realization axis after the
            samples if `n_realizations` is given. numpy, or lazy dask for dask.

        Raises
        ------
        InputError
            If Z has another number of components, another shape is asked for, or fractions or fields to be refined.
        """
        check_fitted(self)
        latents = check_latents(as_array(Z), self.module_.spec.n_components)
        check_shape(shape, self.grid_.shape)
        model, grid = self._inference(), self.grid_
        out_shape, dtype = self._input.shape_out(grid), self._input.dtype_out(grid)
        if refine:
            check_phases_realized(grid, "refine=True")
        if as_fractions:
            if refine:
                raise InputError(
                    "refine=True swaps voxels of thresholded structures, but as_fractions=True asks for the soft "
                    "fractions. Leave out one of the two."
                )
            out_shape, dtype = (grid.phases, *grid.shape), np.dtype(np.float32)
        n = check_realizations(n_realizations)
        if n is None and refine:
            return lazily(latents, lambda z: model.understood.array(refined(model, z), grid.phases), out_shape, dtype)
        if n is None:
            return lazily(latents, model.fractions if as_fractions else model.structures, out_shape, dtype)
        seed, spread = seed_from(random_state), self.latent_spread_

        def realize(z: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            rngs = [np.random.default_rng([seed, int(number)]) for number in numbers[:, 0]]
            moves = np.stack([rng.standard_normal((n, z.shape[1])) for rng in rngs]) * spread
            moved = (z[:, None] + moves).astype(z.dtype)
            if refine:
                made = refined(model, z, moved).reshape(-1, *grid.shape)
            else:
                flat = moved.reshape(-1, z.shape[1])
                made = model.fractions(flat) if as_fractions else model.labels(flat)
            if grid.periodic:
                shifts = np.concatenate([rng.integers(grid.shape, size=(n, grid.ndim)) for rng in rngs])
                made = _shifted(made, shifts)
            if not as_fractions:
                made = model.understood.array(made, grid.phases)
            return made.reshape(len(z), n, *out_shape)

        # A sample's own number seeds its realizations, so they do not depend on how samples are chunked.
        return lazily(latents, realize, (n, *out_shape), dtype, indices_like(latents))

    def statistics(self, X: Any) -> Any:
        """2-point statistics of structures, as the model computes them: ``(sample, *lag, correlation)``."""
        array = self._checked(X)
        return lazily(array, self._inference().statistics, self._statistics_shape(), _floating(array))

    def inverse_statistics(self, Z: Any) -> Any:
        """2-point statistics ``(sample, *lag, correlation)`` of the soft structures of latents."""
        check_fitted(self)
        latents = check_latents(as_array(Z), self.module_.spec.n_components)
        return lazily(latents, self._inference().decoded_statistics, self._statistics_shape(), latents.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean relative statistics error of thresholded reconstructions: higher is better, 0 is
        perfect.

        Parameters
        ----------
        X : array
            As in `transform`.
        y : None
            Ignored.

        Returns
        -------
        float
            ``-mean(||f(x) - f(x_recon)||_2 / ||f(x)||_2)``
        """
        array = self._checked(X)
        model = self._inference()
        total = sum(model.errors(read(array, part)).sum(dtype=np.float64) for part in blocks_of(array))
        return -float(total) / len(array)

    def _inference(self) -> Inference:
        # The parts as they are now: a lazy result must not change when the estimator is fitted again.
        return Inference(self.module_, self._input, self.grid_, self.threshold, self.latent_steps)

    def _statistics_shape(self) -> tuple[int, ...]:
        spec = self.module_.spec
        return (*spec.lag_shape, len(spec.pairs))

    def _checked(self, X: Any) -> Any:
        check_fitted(self)
        array = as_array(X)
        # Of structures with axes their shape says more than scikit-learn's number of features.
        if array.ndim > 2:
            self._input.accept(array)
        return self._input.accept(check_samples(self, array, X, reset=False))


def _floating(array: Any) -> np.dtype:
    return np.dtype(np.float64 if array.dtype == np.float64 else np.float32)


def _shifted(made: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Structures ``(sample, ..., *space)`` rolled by ``(sample, axis)`` voxels."""
    axes = tuple(range(-shifts.shape[1], 0))
    return np.stack([np.roll(one, shift, axes) for one, shift in zip(made, shifts.tolist(), strict=True)])
