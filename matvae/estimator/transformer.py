"""StatsVAETransformer: microstructures to a few latent numbers, and back."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from ..model import Trainer
from . import saving
from .callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from .checks import check_parameters, unchanged_on_error
from .fitted import VOLUME_FRACTION
from .parts import PartsMixin
from .results import ResultsMixin


class StatsVAETransformer(CallbackSupportMixin, PartsMixin, ResultsMixin, BaseEstimator):
    """Variational autoencoder trained in the space of 2-point statistics.

    A structure becomes a few numbers from which structures with the same 2-point statistics can be made
    again, though not the same picture voxel by voxel. The loss is ``alpha * ||f(x) - f(x_recon)||_2 + beta *
    KL`` (equation 1 of "Toward learning latent-variable representations of microstructures by optimizing in
    spatial statistics space", ICLR 2024 tiny papers), with the additions below.

    Parameters
    ----------
    n_components : int
        Size of the latent.
    alpha, beta : float
        Weights of the statistics loss and of the KL divergence. A larger `beta` makes the latent smoother and
        the reconstructions less exact.
    phases : int or ``"auto"``
        Number of phases of integer data; ``"auto"`` takes the largest label.
    sample_shape : tuple of int, optional
        Shape of one structure, where samples come flattened, or as statistics.
    state_axis : int, optional
        Axis of the local states of discretised data ``(sample, *space, state)``, usually -1.
    input : ``"structures"`` or ``"statistics"``
        What X is: structures, or 2-point statistics ``(sample, *lag, correlation)`` as `two_point_stats`
        makes them.
    correlations, periodic, cutoff
        Which statistics; as in `two_point_stats`.
    encoder : str
        ``"statistics"`` reads the 2-point statistics, so the latent does not depend on where a structure
        lies; ``"image"`` reads the structure, and so does ``"resnet152"``, a much larger network for images alone
        (extra ``pretrained``). ``"pursuit"`` has no network: it looks for the boxes that have the statistics, and goes
        with the decoder ``"boxes"``. Plugins may add others.
    encoder_weights : path or str, optional
        Trained weights that the encoder ``"resnet152"`` starts from: a folder, or a name on the Hugging Face hub such
        as ``"microsoft/resnet-152"``. A fitted model holds its own weights and needs them no more.
    decoder : str
        ``"dense"`` gives every voxel its own output; ``"convolutional"`` grows little with size; ``"separable"``
        sums bars, products of one profile an axis, which suits bars, layers and boxes along the axes. ``"auto"`` takes
        the separable one for two-phase periodic images that are sums of few products, else dense up to 65536 voxels
        times phases. ``"boxes"`` draws a few whole boxes, whose places and sizes are the latent, for lines, plates and
        blocks along the axes in periodic two-phase structures; it is chosen by ``encoder="pursuit"``.
    width : int
        Hidden units of a layer. Wider is better and slower.
    loss : ``"relative"``, ``"absolute"`` or ``"voxels"``
        Distance of statistics relative to their size, which weighs dilute structures like dense ones; or as
        in equation 1. ``"voxels"`` makes an autoencoder of images instead, to compare with: the mean over voxels of
        the cross-entropy between fractions and original (of a continuous field, the squared error over its variance).
        It needs ``encoder="image"``; `short_range`, `mixing` and `aligned_fraction` then have no meaning.
    short_range : float
        Weight of a second distance of statistics, at lags up to an eighth of the structure and relative to how much f
        varies there. Without it noise with the right volume fraction is a good reconstruction of a disordered
        material; 0 leaves it away, as equation 1 does.
    mixing : float or ``"auto"``
        Share of the samples whose statistics are mixed with those of a near neighbour, which fills the space between
        the samples of a small set; needs an encoder that reads statistics. ``"auto"`` mixes all of up to 1000
        samples, and of more a share that amounts to 1000 an epoch; none with ``encoder="pursuit"``.
    aligned_fraction : float
        Share of the training over which a second loss fades out: cross-entropy and Dice against the original,
        registered onto the reconstruction. It shows the way to the right topology and needs periodic
        structures; 0 leaves it away.
    coarse_fraction : float
        Share of the training that is done on coarse grids, the coarsest first, where the decoder can (the separable
        one, on periodic structures with all lags). Where things are is learned many times faster there.
    latent_steps : int
        Steps in which `transform` improves the encoder's latent, by the statistics of what it decodes to. 0 is the
        encoder alone and fast; with some fifty the statistics come closer, at the price of as many passes through the
        decoder. Training does not depend on it: it can be set on a fitted model.
    threshold : ``"volume-fraction"``, ``"straight"`` or float
        How fractions become phases: keep each phase's volume; keep it, and prefer voxels of straight pieces along an
        axis, which closes gaps in bars and layers where the decoder is unsure; or the paper's fixed threshold (0.05,
        equation 3). Training does not depend on it: it can be set on a fitted model.
    max_epochs : int, optional
        Passes over the data; 100 if there is no `max_time` either.
    max_time : float, optional
        Seconds of training; the schedule adapts. With a time limit two fits are not exactly equal.
    batch_size : int or ``"auto"``
        Samples a step; ``"auto"`` takes 64, fewer for large images and volumes.
    learning_rate : float
        Peak of the schedule.
    patience : float, optional
        Stop when the held-out error has not improved over this share of the planned training; None never
        stops early.
    validation_fraction : float
        Share of the samples held out to choose the best weights by; 0 trains on all and keeps the last.
    device : str
        ``"auto"`` takes a GPU if there is one.
    precision : ``"auto"``, ``"float32"`` or ``"bfloat16"``
        Of the networks; statistics are always float32. ``"auto"`` takes bfloat16 on a GPU.
    random_state : int, RandomState or None
        The only source of randomness: split, order, weights and noise. With a `checkpoint`, None means 0, so
        that a resumed training finds its data in the same order.
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
        One record an epoch: loss and its terms, held-out error (of thresholded statistics, or of the loss
        ``"voxels"``), learning rate, seconds.
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

    _trainer: Trainer | None

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
        encoder_weights: Any = None,
        decoder: str = "auto",
        width: int = 384,
        loss: str = "relative",
        short_range: float = 0.3,
        mixing: float | str = "auto",
        aligned_fraction: float = 0.5,
        coarse_fraction: float = 0.75,
        latent_steps: int = 0,
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
        self.encoder_weights = encoder_weights
        self.decoder = decoder
        self.width = width
        self.loss = loss
        self.short_range = short_range
        self.mixing = mixing
        self.aligned_fraction = aligned_fraction
        self.coarse_fraction = coarse_fraction
        self.latent_steps = latent_steps
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

    def fit(self, X: Any, y: Any = None) -> StatsVAETransformer:
        """Train on a set of structures.

        Parameters
        ----------
        X : array ``(sample, *space)``, or a `Structures`
            numpy or dask; also flattened, discretised, or statistics, as the parameters say. A dask array is
            streamed and may be larger than memory.
        y : None
            Ignored; there for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If a parameter or the data are not what they should be.
        MatvaeError
            If the loss becomes infinite. After any error or interrupt the estimator is what it was before.
        """
        with unchanged_on_error(self):
            return self._fit(X)

    @with_callbacks
    def _fit(self, X: Any) -> StatsVAETransformer:
        started = time.monotonic()
        check_parameters(self)
        array, understood, grid = self._understand(X)
        seed = self._seed()
        warm = self.warm_start and hasattr(self, "module_")
        batches = self._batches(array, understood, grid, seed)
        spec = self._spec(grid, batches, self.module_.spec if warm else None)
        if warm:
            self._check_same(spec)
        module = copy.deepcopy(self.module_) if warm else self._build(spec, batches, seed)
        trainer = self._trainer_for(module, seed, batches.n_training)
        trainer.seconds = time.monotonic() - started

        def so_far() -> dict[str, Any]:
            learned = self._learned(trainer, understood, grid, batches)
            learned["module_"] = copy.deepcopy(trainer.module)
            trainer.module.train()
            return learned

        tasks = EpochTasks(self, trainer.settings.max_epochs if self.max_time is None else None, X, so_far)

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
            fingerprint=saving.fingerprint(self, spec, batches),
        )
        tasks.close()
        self.__dict__.update(self._learned(trainer, understood, grid, batches))
        # What partial_fit kept belongs to the model before this one.
        self._trainer = None
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

        Raises
        ------
        InputError
            If a parameter or the data are not what they should be; nothing has been changed then.
        """
        trainer: Trainer | None
        with unchanged_on_error(self):
            check_parameters(self)
            fitted = hasattr(self, "module_")
            if fitted:
                array, understood, grid = self._checked(X), self._input, self.grid_
            else:
                array, understood, grid = self._understand(X)
            seed = self._seed()
            batches = self._batches(array, understood, grid, seed)
            spec = self._spec(grid, batches, self.module_.spec if fitted else None)
            if fitted:
                self._check_same(spec)
            trainer = getattr(self, "_trainer", None)
            if trainer is None:
                module = copy.deepcopy(self.module_) if fitted else self._build(spec, batches, seed)
                trainer = self._trainer_for(module, seed, batches.n_training)
                trainer.history = list(getattr(self, "history_", []))
                trainer.epoch = getattr(self, "n_iter_", 0)
        # After an interrupted pass the next one starts again from the weights before it.
        self._trainer = None
        trainer.one_pass(batches)
        self.__dict__.update(self._learned(trainer, understood, grid, batches))
        self.module_ = copy.deepcopy(trainer.module)
        self._trainer = trainer
        return self

    def save(self, path: Any, overwrite: bool = False, half: bool = False) -> None:
        """Write the fitted model as a folder ``NAME.matvae``; `matvae.load` reads it.

        Parameters
        ----------
        path : path
        overwrite : bool
            Replace a model that is there; it stays until the new one is complete.
        half : bool
            Write the weights in half precision: half the size, and latents that differ in the fourth digit.
        """
        saving.save(self, path, overwrite=overwrite, half=half)

    @property
    def _n_features_out(self) -> int:
        return self.module_.spec.n_components

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "module_")

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


def _line(record: dict[str, float]) -> str:
    return (
        f"epoch {record['epoch']:4.0f}  {record['progress']:4.0%}  {record['seconds']:7.1f} s  "
        f"loss {record['loss']:.4f}  held-out error {record.get('validation_error', float('nan')):.4f}"
    )
