"""StatsVAETransformer: microstructures to a few latent numbers, and back."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..data.structures import Structures
from ..errors import InputError
from ..grid import Grid
from ..model import ModelSpec, StatsVAE, Trainer, TrainingSettings, resolve_decoder, resolve_device
from ..stats import relative_error, resolve_correlations
from ..stats.lags import resolve_cutoff
from . import persist
from .batches import Batches, blocks_of, read, seed_from
from .callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from .checks import check_parameters, check_samples, check_shape
from .inference import VOLUME_FRACTION, block_size, blockwise, decode_labels, encode, in_precision, lazily
from .inputs import STATISTICS, Input, as_array, grid_of, understand_statistics, understand_structures

DEFAULT_EPOCHS = 100


class StatsVAETransformer(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Variational autoencoder trained in the space of 2-point statistics.

    A structure becomes a few numbers from which structures with the same 2-point statistics can be made again, though
    not the same picture voxel by voxel. The loss is ``alpha * ||f(x) - f(x_recon)||_2 + beta * KL`` (equation 1 of "Toward
    learning latent-variable representations of microstructures by optimizing in spatial statistics space", ICLR 2024
    tiny papers), with the additions below.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    alpha, beta : float
        Weights of the statistics loss and of the KL divergence. A larger `beta` makes the latent smoother and the
        reconstructions less exact.
    phases : int or ``"auto"``
        Number of phases of integer data; ``"auto"`` takes the largest label.
    sample_shape : tuple of int, optional
        Shape of one structure, where samples come flattened, or as statistics.
    state_axis : int, optional
        Axis of the local states of discretised data ``(sample, *space, state)``, usually -1.
    input : ``"structures"`` or ``"statistics"``
        What X is: structures, or 2-point statistics ``(sample, *lag, correlation)`` as `two_point_stats` makes them.
    correlations, periodic, cutoff
        Which statistics; as in `two_point_stats`.
    encoder : str
        ``"statistics"`` reads the 2-point statistics, so the latent does not depend on where a structure lies;
        ``"image"`` reads the structure. Plugins may add others.
    decoder : str
        ``"dense"``, ``"convolutional"``, or ``"auto"``: dense up to 65536 voxels times phases.
    width : int
        Hidden units of a layer. Wider is better and slower.
    loss : ``"relative"`` or ``"absolute"``
        Distance of statistics relative to their size, which weighs dilute structures like dense ones; or as in
        equation 1.
    aligned_fraction : float
        Share of the training over which a second loss fades out: cross-entropy and Dice against the original,
        registered onto the reconstruction. It shows the way to the right topology (on lines it lowers the error
        of statistics by a fifth) and needs periodic structures; 0 leaves it away.
    threshold : ``"volume-fraction"`` or float
        How fractions become phases: keep each phase's volume, or the paper's fixed threshold (0.05, equation 3).
    max_epochs : int, optional
        Passes over the data; 100 if there is no `max_time` either.
    max_time : float, optional
        Seconds of training; the schedule adapts. With a time limit two fits are not exactly equal.
    batch_size : int or ``"auto"``
        Samples a step; ``"auto"`` takes 64, fewer for large volumes.
    learning_rate : float
        Peak of the schedule.
    patience : float, optional
        Stop when the held-out error has not improved over this share of the planned training; None never stops early.
    validation_fraction : float
        Share of the samples held out to choose the best weights by; 0 trains on all and keeps the last.
    device : str
        ``"auto"`` takes a GPU if there is one.
    precision : ``"auto"``, ``"float32"`` or ``"bfloat16"``
        Of the networks; statistics are always float32. ``"auto"`` takes bfloat16 on a GPU.
    random_state : int, RandomState or None
        The only source of randomness: split, order, weights and noise.
    warm_start : bool
        Whether `fit` goes on from the weights of the previous fit.
    checkpoint : path, optional
        File in which the training state is kept; if it exists, `fit` resumes from it.
    verbose : bool or callable
        Print a line an epoch, or call this with each epoch's record.

    Attributes
    ----------
    grid_ : Grid
        What one structure is.
    n_features_in_ : int
        Values a sample.
    history_ : list of dict
        One record an epoch: loss and its terms, held-out error, learning rate, seconds.
    module_ : StatsVAE
        The torch module.
    n_iter_ : int
        Epochs trained.
    latent_spread_ : array ``(component,)``
        Mean standard deviation of the encoder's latent: how far a structure's latent may move and still mean
        the same structure.

    Examples
    --------
    >>> import numpy as np
    >>> from matvae import StatsVAETransformer
    >>> stripes = np.indices((40, 8, 8)).sum(0) // 2 % 2
    >>> model = StatsVAETransformer(n_components=2, max_epochs=2, random_state=0).fit(stripes)
    >>> model.transform(stripes).shape
    (40, 2)
    >>> model.inverse_transform(model.transform(stripes[:3])).shape
    (3, 8, 8)
    """

    def __init__(
        self,
        n_components: int = 9,
        *,
        alpha: float = 1.0,
        beta: float = 1e-4,
        phases: int | str = "auto",
        sample_shape: Sequence[int] | None = None,
        state_axis: int | None = None,
        input: str = "structures",
        correlations: Sequence[Sequence[int]] | None = None,
        periodic: bool = True,
        cutoff: int | Sequence[int] | None = None,
        encoder: str = "statistics",
        decoder: str = "auto",
        width: int = 384,
        loss: str = "relative",
        aligned_fraction: float = 0.5,
        threshold: str | float = VOLUME_FRACTION,
        max_epochs: int | None = None,
        max_time: float | None = None,
        batch_size: int | str = "auto",
        learning_rate: float = 1e-3,
        patience: float | None = 0.3,
        validation_fraction: float = 0.1,
        device: str = "auto",
        precision: str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        checkpoint: Any = None,
        verbose: bool | Callable[[dict[str, float]], Any] = False,
    ) -> None:
        self.n_components = n_components
        self.alpha = alpha
        self.beta = beta
        self.phases = phases
        self.sample_shape = sample_shape
        self.state_axis = state_axis
        self.input = input
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff
        self.encoder = encoder
        self.decoder = decoder
        self.width = width
        self.loss = loss
        self.aligned_fraction = aligned_fraction
        self.threshold = threshold
        self.max_epochs = max_epochs
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.verbose = verbose

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> StatsVAETransformer:
        """Train on a set of structures.

        Parameters
        ----------
        X : array ``(sample, *space)``, or a `Structures`
            numpy or dask; also flattened, discretised, or statistics, as the parameters say. A dask array is streamed
            and may be larger than memory.
        y : None
            Ignored; there for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If a parameter or the data are not what they should be; nothing has been changed then.
        """
        started = time.monotonic()
        check_parameters(self)
        array, understood, grid = self._understand(X)
        seed = seed_from(self.random_state)
        batches = self._batches(array, understood, grid, seed)
        module = self._build(grid, batches, seed, keep=self.warm_start)
        settings = self._settings()
        trainer = self._trainer_for(module, settings, seed)
        trainer.seconds = time.monotonic() - started
        tasks = EpochTasks(self, settings.max_epochs if settings.max_time is None else None, X)

        def on_record(record: dict[str, float]) -> bool:
            if callable(self.verbose):
                self.verbose(record)
            elif self.verbose:
                print(_line(record))
            return tasks.end(record)

        trainer.fit(
            batches,
            on_start=tasks.begin,
            on_record=on_record,
            checkpoint=self.checkpoint,
            fingerprint=persist.fingerprint(self, module.spec, batches),
        )
        self._learned(trainer, understood, grid, batches)
        tasks.close()
        return self

    def partial_fit(self, X: Any, y: Any = None) -> StatsVAETransformer:
        """Train one pass over X, at half the learning rate; the first call decides grid, phases and scale.

        Parameters
        ----------
        X : array
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        self
        """
        check_parameters(self)
        first = not hasattr(self, "module_")
        if first:
            array, understood, grid = self._understand(X)
        else:
            array, understood, grid = self._checked(X), self._input, self.grid_
        seed = seed_from(self.random_state)
        batches = self._batches(array, understood, grid, seed)
        module = self._build(grid, batches, seed, keep=not first)
        trainer: Trainer | None = None if first else getattr(self, "_trainer", None)
        if trainer is None:
            trainer = self._trainer_for(module, self._settings(), seed)
        trainer.one_pass(batches)
        self._learned(trainer, understood, grid, batches)
        self._trainer = trainer
        return self

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
        dtype = np.dtype(np.float64 if array.dtype == np.float64 else np.float32)

        def block(part: np.ndarray) -> np.ndarray:
            module = in_precision(self.module_, dtype)
            return blockwise(
                part,
                block_size(module),
                lambda b: encode(module, self._input.tensor(b), self.input == STATISTICS).cpu().numpy(),
            )

        return lazily(array, block, (self.module_.spec.n_components,), dtype)

    def inverse_transform(
        self,
        Z: Any,
        n_realizations: int | None = None,
        random_state: Any = None,
        as_fractions: bool = False,
        shape: Sequence[int] | None = None,
    ) -> Any:
        """Structures of latents.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.
        n_realizations : int, optional
            Make so many different structures of each latent: the latent moves within the encoder's own uncertainty, and
            on a periodic grid every structure is shifted at random, which leaves its statistics as they are.
        random_state : int, RandomState or None
            Of the realizations.
        as_fractions : bool
            Give the soft phase fractions ``(sample, phase, *space)`` instead of labels.
        shape : tuple of int, optional
            Must be the shape of the grid; a decoder makes no other.

        Returns
        -------
        array
            Structures in the shape, form and type that went into `fit`, with a realization axis after the samples if
            `n_realizations` is given.

        Raises
        ------
        InputError
            If Z has another number of components, or another shape is asked for.
        """
        latents = self._checked_latents(Z)
        check_shape(shape, self.grid_.shape)
        if n_realizations is not None:
            return self._realizations(latents, int(n_realizations), random_state, as_fractions)
        return self._decoded(latents, as_fractions)

    def statistics(self, X: Any) -> Any:
        """2-point statistics of structures, as the model computes them: ``(sample, *lag, correlation)``."""
        array = self._checked(X)
        spec = self.module_.spec

        def block(part: np.ndarray) -> np.ndarray:
            module = in_precision(self.module_, part.dtype)
            return blockwise(part, block_size(module), lambda b: self._statistics_of(module, b).numpy())

        dtype = np.dtype(np.float64 if array.dtype == np.float64 else np.float32)
        return lazily(array, block, (*spec.lag_shape, len(spec.pairs)), dtype)

    def inverse_statistics(self, Z: Any) -> Any:
        """2-point statistics ``(sample, *lag, correlation)`` of the soft structures that latents decode to."""
        latents = self._checked_latents(Z)
        spec = self.module_.spec

        def block(part: np.ndarray) -> np.ndarray:
            module = in_precision(self.module_, part.dtype)
            return blockwise(
                part,
                block_size(module),
                lambda b: module.statistics(module.decode(torch.tensor(b).to(module.field_mean))).cpu().numpy(),
            )

        return lazily(latents, block, (*spec.lag_shape, len(spec.pairs)), latents.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """Minus the mean relative statistics error of thresholded reconstructions: higher is better, 0 is perfect.

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
        total = 0.0
        module = self.module_
        with torch.inference_mode():
            for part in blocks_of(array):
                block = read(array, part)
                for start in range(0, len(block), block_size(module)):
                    piece = block[start : start + block_size(module)]
                    z = encode(module, self._input.tensor(piece).float(), True) if self.input == STATISTICS else None
                    z = encode(module, self._input.tensor(piece), False) if z is None else z
                    made = decode_labels(module, z, self.threshold)
                    truth = self._statistics_of(module, piece)
                    total += float(relative_error(truth, module.statistics(module.fields(made)).cpu()).double().sum())
        return -total / len(array)

    def save(self, path: Any, overwrite: bool = False) -> None:
        """Write the fitted model as a folder ``NAME.matvae``; `matvae.load` reads it.

        Parameters
        ----------
        path : path
        overwrite : bool
            Replace a model that is there; it stays until the new one is complete.
        """
        persist.save(self, path, overwrite=overwrite)

    @property
    def _n_features_out(self) -> int:
        return self.module_.spec.n_components

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # The optimiser of partial_fit is not part of the model.
        state.pop("_trainer", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.non_deterministic = False
        return tags

    # -- from parameters and data to the parts of a fit

    def _understand(self, X: Any) -> tuple[Any, Input, Grid]:
        array = check_samples(self, as_array(X), X, reset=True)
        if self.input == STATISTICS:
            understood, grid = understand_statistics(
                array,
                phases=self.phases,
                sample_shape=self.sample_shape,
                correlations=self.correlations,
                periodic=self.periodic,
                cutoff=self.cutoff,
            )
            return array, understood, grid
        phases = X.grid.phases if isinstance(X, Structures) and self.phases == "auto" else self.phases
        understood = understand_structures(
            array, phases=phases, sample_shape=self.sample_shape, state_axis=self.state_axis
        )
        assert understood.form is not None
        return array, understood, grid_of(X, understood.form, self.periodic)

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        array = check_samples(self, as_array(X), X, reset=False)
        return self._input.accept(array)

    def _checked_latents(self, Z: Any) -> Any:
        check_is_fitted(self)
        latents = as_array(Z)
        n_components = self.module_.spec.n_components
        if latents.ndim != 2 or latents.shape[1] != n_components:
            raise InputError(
                f"Latents of shape (sample, {n_components}) are expected, but an array of shape {latents.shape} was given. "
                "Pass what transform gives."
            )
        if latents.dtype.kind not in "fiu":
            raise InputError(f"Latents are real numbers, but the array has the type {latents.dtype}.")
        return latents if latents.dtype in (np.float32, np.float64) else latents.astype(np.float32)

    def _batches(self, array: Any, understood: Input, grid: Grid, seed: int) -> Batches:
        size = self.batch_size
        batches = Batches(
            array,
            understood,
            batch_size=min(64, max(4, (1 << 22) // grid.n_voxels)) if size == "auto" else int(size),
            validation_fraction=self.validation_fraction,
            seed=seed,
        )
        if batches.n_constant:
            warnings.warn(
                f"{batches.n_constant} of {len(array)} samples are constant (all voxels alike): their statistics say "
                "nothing about shapes. They are kept; leave them out if they are not meant.",
                stacklevel=3,
            )
        return batches

    def _build(self, grid: Grid, batches: Batches, seed: int, keep: bool) -> StatsVAE:
        cutoff = resolve_cutoff(grid.shape, self.periodic, self.cutoff)
        spec = ModelSpec(
            shape=grid.shape,
            phases=grid.phases,
            pairs=resolve_correlations(self.correlations, grid.phases),
            periodic=bool(self.periodic),
            cutoff=cutoff,
            n_components=int(self.n_components),
            encoder=self.encoder,
            decoder=resolve_decoder(self.decoder, grid.shape, grid.phases),
            width=int(self.width),
        )
        if keep and hasattr(self, "module_"):
            if self.module_.spec != spec:
                raise InputError(
                    f"Training cannot go on with other sizes or settings: the fitted model is {self.module_.spec}, now "
                    f"{spec} is asked for. Fit a new estimator."
                )
            return self.module_
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = StatsVAE(spec)
        module.calibrate(batches.calibration(), from_statistics=self.input == STATISTICS)
        return module

    def _settings(self) -> TrainingSettings:
        unlimited = self.max_epochs is None and self.max_time is None
        return TrainingSettings(
            alpha=self.alpha,
            beta=self.beta,
            loss=self.loss,
            aligned_fraction=self.aligned_fraction,
            learning_rate=self.learning_rate,
            max_epochs=DEFAULT_EPOCHS if unlimited else self.max_epochs,
            max_time=self.max_time,
            patience=self.patience,
        )

    def _trainer_for(self, module: StatsVAE, settings: TrainingSettings, seed: int) -> Trainer:
        device = resolve_device(self.device)
        return Trainer(module, settings, device, self.precision, seed, from_statistics=self.input == STATISTICS)

    def _learned(self, trainer: Trainer, understood: Input, grid: Grid, batches: Batches) -> None:
        self.module_ = trainer.module.eval()
        self.grid_, self._input = grid, understood
        self.history_ = trainer.history
        self.n_iter_ = trainer.epoch
        self.latent_spread_ = trainer.latent_spread(batches.calibration()).cpu().numpy()

    # -- from fitted parts to results

    def _statistics_of(self, module: StatsVAE, block: np.ndarray) -> torch.Tensor:
        data = self._input.tensor(block)
        if self.input == STATISTICS:
            return data.to(module.field_mean.dtype)
        return module.statistics(module.fields(data.to(module.field_mean.device))).cpu()

    def _decoded(self, latents: Any, as_fractions: bool) -> Any:
        module, grid = self.module_, self.grid_

        def block(part: np.ndarray) -> np.ndarray:
            def some(z: np.ndarray) -> np.ndarray:
                tensor = torch.tensor(z).to(module.field_mean)
                if as_fractions:
                    return module.decode(tensor).cpu().numpy()
                return self._input.array(decode_labels(module, tensor, self.threshold), grid.phases)

            return blockwise(part, block_size(module), some)

        if as_fractions:
            return lazily(latents, block, (grid.phases, *grid.shape), np.dtype(np.float32))
        return lazily(latents, block, self._input.shape_out(grid), self._input.dtype_out(grid))

    def _realizations(self, latents: Any, n: int, random_state: Any, as_fractions: bool) -> np.ndarray:
        if n < 1:
            raise InputError(f"n_realizations must be at least 1, but {n} was given.")
        Z = np.asarray(latents)
        rng = np.random.default_rng(seed_from(random_state))
        moved = Z[:, None, :] + rng.standard_normal((len(Z), n, Z.shape[1])) * self.latent_spread_
        made = self._decoded(moved.reshape(-1, Z.shape[1]).astype(Z.dtype), as_fractions)
        if self.grid_.periodic and self._input.given == self.grid_.shape:
            axes = tuple(range(made.ndim - 1 - self.grid_.ndim, made.ndim - 1))
            shifts = rng.integers(self.grid_.shape, size=(len(made), self.grid_.ndim))
            made = np.stack([np.roll(m, s, axes) for m, s in zip(made, shifts.tolist(), strict=True)])
        return made.reshape(len(Z), n, *made.shape[1:])


def _line(record: dict[str, float]) -> str:
    return (
        f"epoch {record['epoch']:4.0f}  {record['progress']:4.0%}  {record['seconds']:7.1f} s  "
        f"loss {record.get('loss', float('nan')):.4f}  held-out error {record['validation_error']:.4f}"
    )
