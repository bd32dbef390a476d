"""StatsVAETransformer: microstructures to a few latent numbers, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from ..grid import Grid
from ..model import DECODERS, STATISTICS, StatsVAE, Trainer
from ..stats.map_samples import is_dask
from . import saving
from .batches import seed_from
from .callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from .card import ModelCard
from .fitted import VOLUME_FRACTION, FittedModel, lazily
from .masked_windows import check_whole, mean_of_measured, measured_windows
from .named_components import NamedComponents
from .parameters import check_parameters
from .progress import progress_of
from .realizations import Realizations, check_realizations, plan_inverse, refined
from .sample_layout import SampleLayout
from .samples import Samples, blocks_of, check_latents, read_all, sample_numbers, unchanged_on_error
from .statistics_fit import StatisticsFit
from .textures import AUTO, DECODER, TextureRealizer, check_room
from .training import TrainingRun, plan_training


class StatsVAETransformer(CallbackSupportMixin, NamedComponents, TransformerMixin, BaseEstimator):
    """Variational autoencoder trained in the space of 2-point statistics.

    A structure becomes a few numbers, from which structures with the same 2-point statistics can be generated, though
    not the same picture voxel by voxel. The loss is ``alpha * ||f(x) - f(x_recon)||_2 + beta * KL`` (equation 1 of
    "Toward learning latent-variable representations of microstructures by optimizing in spatial statistics space",
    ICLR 2024 tiny papers), with the additions described below.

    Parameters
    ----------
    n_components : int
        Number of components of the latent.

    phases : int or ``"auto"``
        *Samples.* Number of phases of integer data; ``"auto"`` determines it from the largest label.
    sample_shape : tuple of int, optional
        Shape of one structure, if samples are flattened or are statistics.
    state_axis : int, optional
        Axis of the local states of discretised data ``(sample, *space, state)``, usually -1.
    input : ``"structures"`` or ``"statistics"``
        Kind of samples: structures, or 2-point statistics ``(sample, *lag, correlation)`` as `two_point_stats`
        returns them.

    correlations : sequence of (int, int), optional
        *Statistics.* Pairs of phases to correlate; by default the pairs that determine all others.
    periodic : bool
        Whether structures are periodic.
    cutoff : int or sequence of int, optional
        Largest lag along each axis, in voxels; None keeps every lag.
    metric : ``"lags"``, ``"plain"`` or ``"auto"``
        Distance of statistics in training, errors and searches: such that lag zero, short, medium and all lags each
        contribute the same variance, or with the same weight for all lags. ``"auto"`` means ``"lags"`` for the decoder
        ``"statistics"``, otherwise ``"plain"``.
    descriptors : sequence of str, optional
        Further statistics, by their registered names, that the decoder ``"statistics"`` predicts from the latent in
        addition to volume fractions; by default specific surface, lineal path and variogram. The variogram is also a
        target of realizations, whose interfaces need it.

    encoder : str
        *Network.* ``"statistics"`` reads the 2-point statistics, so the latent does not depend on where features lie;
        ``"image"`` reads the structure, as does ``"resnet152"``, a much larger network for images only (extra
        ``pretrained``). Plugins may add others.
    encoder_weights : path or str, optional
        Trained weights from which the encoder ``"resnet152"`` starts: a folder, or a name on the Hugging Face hub such
        as ``"microsoft/resnet-152"``. A fitted model contains its own weights and no longer needs them.
    decoder : str
        ``"statistics"`` gives 2-point statistics, from which structures are realized with patches of training windows:
        for textures, i.e. windows of a material. It is fitted in closed form within seconds; the parameters of network,
        loss and training then have no effect. The others give structures, for layouts: ``"dense"`` has an output for
        every voxel; ``"convolutional"`` hardly grows with size; ``"separable"`` sums bars, products of one profile per
        axis, which suits bars, layers and boxes along the axes. ``"auto"`` chooses by the data: the separable one for
        two-phase periodic images that are sums of few products, that of statistics for other structures whose phases
        lie anywhere, and otherwise, as for continuous fields, the dense one up to 65536 outputs and the convolutional
        one beyond. Plugins may add others.
    width : int
        Hidden units per layer. Wider is better and slower.

    loss : ``"relative"``, ``"absolute"`` or ``"voxels"``
        *Loss.* Distance of statistics relative to their norm, which gives dilute structures the same weight as dense
        ones; or as in equation 1. ``"voxels"`` makes an autoencoder of images instead, for comparison: the mean over
        voxels of the cross-entropy between fractions and original (for a continuous field, the squared error over its
        variance). It needs ``encoder="image"``; `short_range`, `mixing` and `aligned_fraction` then have no effect.
    alpha, beta : float
        Weights of the statistics loss and of the KL divergence. A larger `beta` makes the latent smoother and the
        reconstructions less exact.
    short_range : float
        Weight of a second distance of statistics, at lags up to an eighth of the structure and relative to the standard
        deviation of f there. Without it, noise with the right volume fraction is a good reconstruction of a disordered
        material; 0 disables it, as in equation 1.
    mixing : float or ``"auto"``
        Fraction of the samples whose statistics are mixed with those of a near neighbour, which fills the space between
        the samples of a small set; needs an encoder that reads statistics. ``"auto"`` mixes all of up to 1000 samples,
        and 1000 per epoch of larger sets; none if the encoder searches.
    aligned_fraction : float
        Fraction of the training over which a second loss fades out: cross-entropy and Dice loss against the original,
        registered onto the reconstruction. It leads to the right topology and needs periodic structures; 0 disables it.

    max_epochs : int, optional
        *Training.* Passes over the data; 100 if `max_time` is not given either.
    max_time : float, optional
        Seconds of training; the schedule adapts. With a time limit, two fits are not exactly equal.
    batch_size : int or ``"auto"``
        Samples per step; ``"auto"`` means 64, or fewer for large images and volumes.
    learning_rate : float
        Maximum of the learning rate schedule.
    coarse_fraction : float
        Fraction of the training on coarse grids, the coarsest first, if the decoder supports them (the separable one,
        on periodic structures with all lags). Positions of features are learned many times faster there.
    patience : float, optional
        Stop when the held-out error has not improved over this fraction of the planned training; None never stops
        early.
    validation_fraction : float
        Fraction of the samples held out to select the best weights; 0 trains on all samples and keeps the last weights.
    device : str
        ``"auto"`` uses a GPU if there is one.
    precision : ``"auto"``, ``"float32"`` or ``"bfloat16"``
        Of the networks; statistics are always float32. ``"auto"`` uses bfloat16 on a GPU.
    random_state : int, RandomState or None
        The only source of randomness: split, order, weights and noise. With a `checkpoint`, None means 0, so that a
        resumed training sees its data in the same order.
    warm_start : bool
        Whether `fit` continues from the weights of the previous fit.
    checkpoint : path, optional
        File in which the training state is kept; if it exists, `fit` resumes from it.
    verbose : bool or callable
        Show one progress bar in a notebook and print a line per epoch elsewhere, or call this with the record of each
        epoch.

    latent_steps : int
        *Result.* Steps in which `transform` improves the encoder's latent by the statistics of its decoded structure. 0
        uses the encoder alone and is fast; with about fifty the statistics come closer, at the cost of as many passes
        through the decoder. Training does not depend on it: it can be set on a fitted model.
    threshold : ``"volume-fraction"``, ``"straight"`` or float
        How fractions become phases: by preserving the volume of each phase; by preserving it and preferring voxels in
        straight pieces along an axis, which closes gaps in bars and layers where the decoder is uncertain; or by the
        paper's fixed threshold (0.05, equation 3). Training does not depend on it: it can be set on a fitted model.

    Attributes
    ----------
    grid_ : Grid
        Grid of one structure.
    phase_values_ : tuple or None
        The value that each phase had in the file it comes from, if the structures passed to `fit` record it.
    n_features_in_ : int
        Values per sample.
    history_ : list of dict
        One record per epoch: loss and its terms, held-out error (of thresholded statistics, or of the loss
        ``"voxels"``), learning rate, seconds.
    module_ : StatsVAE
        The torch module.
    n_iter_ : int
        Epochs trained.
    latent_spread_ : array ``(component,)``
        Mean standard deviation of the encoder's latent: how far a structure's latent may move and still mean the same
        structure.
    card_ : ModelCard
        Origin of the training windows, as far as the structures passed to `fit` record it, and errors where they have
        been measured; `save` writes it. Correct it with `dataclasses.replace`.

    Notes
    -----
    Variational autoencoder: Kingma & Welling, Auto-encoding variational Bayes (2014). Quadratic manifold of the decoder
    ``"statistics"``: Geelen, Wright & Willcox, Computer Methods in Applied Mechanics and Engineering 403, 115717
    (2023). Variance of its latents: MacKay, Neural Computation 4, 448 (1992). The page "Theory" has the equations.

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

    # Learned by `fit`.
    module_: StatsVAE
    grid_: Grid
    history_: list[dict[str, float]]
    n_iter_: int
    latent_spread_: np.ndarray
    card_: ModelCard = ModelCard()
    _layout: SampleLayout
    # Kept by `partial_fit` for the next pass.
    _trainer: Trainer | None

    def __init__(
        self,
        n_components: int = 9,
        *,
        # Samples
        phases: int | str = "auto",
        sample_shape: Sequence[int] | None = None,
        state_axis: int | None = None,
        input: str = "structures",
        # Statistics
        correlations: Sequence[Sequence[int]] | None = None,
        periodic: bool = True,
        cutoff: int | Sequence[int] | None = None,
        metric: str = "auto",
        descriptors: Sequence[str] | None = None,
        # Network
        encoder: str = "statistics",
        encoder_weights: Any = None,
        decoder: str = "auto",
        width: int = 384,
        # Loss
        loss: str = "relative",
        alpha: float = 1.0,
        beta: float = 1e-4,
        short_range: float = 0.3,
        mixing: float | str = "auto",
        aligned_fraction: float = 0.5,
        # Training
        max_epochs: int | None = None,
        max_time: float | None = None,
        batch_size: int | str = "auto",
        learning_rate: float = 1e-3,
        coarse_fraction: float = 0.75,
        patience: float | None = 0.3,
        validation_fraction: float = 0.1,
        device: str = "auto",
        precision: str = "auto",
        random_state: Any = None,
        warm_start: bool = False,
        checkpoint: Any = None,
        verbose: bool | Callable[[dict[str, float]], Any] = False,
        # Result
        latent_steps: int = 0,
        threshold: str | float = VOLUME_FRACTION,
    ) -> None:
        self.n_components = n_components
        self.phases = phases
        self.sample_shape = sample_shape
        self.state_axis = state_axis
        self.input = input
        self.correlations = correlations
        self.periodic = periodic
        self.cutoff = cutoff
        self.metric = metric
        self.descriptors = descriptors
        self.encoder = encoder
        self.encoder_weights = encoder_weights
        self.decoder = decoder
        self.width = width
        self.loss = loss
        self.alpha = alpha
        self.beta = beta
        self.short_range = short_range
        self.mixing = mixing
        self.aligned_fraction = aligned_fraction
        self.max_epochs = max_epochs
        self.max_time = max_time
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.coarse_fraction = coarse_fraction
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.latent_steps = latent_steps
        self.threshold = threshold

    def fit(self, X: Any, y: Any = None) -> StatsVAETransformer:
        """Train on a set of structures.

        Parameters
        ----------
        X : array ``(sample, *space)``, or a `Structures`
            numpy or dask; also flattened, discretised, or statistics, as the parameters say. A dask array is streamed
            and may be larger than memory, and so is a file, or a list of files. Axes of an xarray.DataArray go by name.
            Windows with voxels outside a mask take part in the fit of the decoder ``"statistics"`` with the statistics
            of the voxels inside it, unless the mask leaves less than half of the voxel pairs of a whole window at some
            lag; the other decoders are trained on windows that lie inside entirely.
        y : None
            Ignored; present for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If a parameter or the data are not as expected.
        MatvaeError
            If the loss diverges. After any error or interrupt the estimator is as it was before.
        """
        with unchanged_on_error(self):
            return self._fit(X)

    @with_callbacks
    def _fit(self, X: Any) -> StatsVAETransformer:
        started = time.monotonic()
        check_parameters(self)
        samples, whole = measured_windows(self, Samples.of(self, X))
        module = self._fitted_module() if self.warm_start else None
        batches, spec = plan_training(self, whole, module)
        run: StatisticsFit | TrainingRun
        if DECODERS.get(spec.decoder).decodes == STATISTICS:
            run = StatisticsFit(self, samples, batches, spec)
        else:
            check_whole(whole, samples)
            run = TrainingRun.planned(self, whole, batches, spec, module=module)
        # Preparation counts towards `max_time`.
        run.seconds = time.monotonic() - started
        tasks = EpochTasks(self, run.max_epochs, X, lambda: run.learned(copy_module=True))

        show = progress_of(self.verbose)

        def on_record(record: dict[str, float]) -> bool:
            show(record)
            return tasks.end(record)

        run.train(checkpoint=self.checkpoint, on_start=tasks.begin, on_record=on_record)
        tasks.close()
        self.__dict__.update(run.learned())
        self.card_ = replace(samples.card, n_windows=len(samples))
        # The optimiser kept by `partial_fit` belongs to the previous model.
        self._trainer = None
        return self

    def partial_fit(self, X: Any, y: Any = None) -> StatsVAETransformer:
        """Train one pass over X, at half the learning rate; the first call determines grid, phases and scale.

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
            If a parameter or the data are not as expected; nothing has been changed then.
        """
        with unchanged_on_error(self):
            check_parameters(self)
            module = self._fitted_module()
            given = Samples.of(self, X) if module is None else Samples.like(self, X)
            samples = given.whole()
            check_whole(samples, given)
            trainer = None if module is None else vars(self).get("_trainer")
            run = TrainingRun.of(self, samples, module=module, trainer=trainer)
            if module is not None and trainer is None:
                run.trainer.history, run.trainer.epoch = list(self.history_), self.n_iter_
        # After an interrupted pass the next one starts again from the weights before it.
        self._trainer = None
        run.train_one_pass()
        self.__dict__.update(run.learned(copy_module=True))
        # Of the structures of earlier passes nothing is kept.
        self.card_ = replace(samples.card, n_windows=None, region=None)
        self._trainer = run.trainer
        return self

    def transform(self, X: Any) -> Any:
        """Encode structures.

        Parameters
        ----------
        X : array
            In the shape and form passed to `fit`.

        Returns
        -------
        array ``(sample, component)``
            Latents; numpy, or lazy dask for dask. float64 if X is, otherwise float32. NaN for windows of which a mask
            leaves less than half of the voxel pairs of a whole window at some lag, or, for an encoder that reads
            structures, of which it leaves out any voxel.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        model, samples = FittedModel.of(self), Samples.like(self, X)
        return lazily(samples.array, model.latents, (self._n_features_out,), samples.floating_dtype, *samples.masks)

    def inverse_transform(
        self,
        Z: Any,
        n_realizations: int | None = None,
        random_state: Any = None,
        as_fractions: bool = False,
        shape: int | Sequence[int] | None = None,
        refine: bool = False,
        realize: str = AUTO,
        patch: Any = AUTO,
    ) -> Any:
        """Decode latents to structures.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.
        n_realizations : int, optional
            Number of different structures per latent. A decoder of structures moves the latent within the encoder's own
            uncertainty and, on a periodic grid, shifts every structure at random, which does not change its statistics;
            otherwise, each is realized from another random start.
        random_state : int, RandomState or None
            Of the realizations.
        as_fractions : bool
            Return the soft phase fractions ``(sample, phase, *space)`` of a decoder of structures instead of labels.
        shape : int or sequence of int, optional
            Voxels along every or each axis, by default those of the grid. Only structures that are realized from
            statistics can have another shape.
        refine : bool
            With a decoder of structures: swap voxels of every structure, starting where the decoder is between two
            phases, until its statistics are as close as possible to those of `inverse_statistics`. Volume fractions do
            not change. With `n_realizations`, all structures of a latent then have the statistics and volume fractions
            of this latent, and start from the moved ones.
        realize : ``"auto"``, ``"examples"``, ``"retrieval"`` or ``"decoder"``
            How structures arise: from the decoded statistics with patches of the training windows whose latents are
            nearest; from the statistics alone, which preserves no networks or lamellae; or directly by the decoder.
            ``"auto"`` is ``"decoder"`` for a decoder of structures, otherwise ``"examples"`` if the model has any and
            windows and structures are at least 16 voxels wide.
        patch : ``"auto"``, int or sequence of int
            Edge of the patches of training windows, as in `reconstruct`; only with ``"examples"``. By default it
            follows from the size of the features.

        Returns
        -------
        array
            Structures in the shape, form and type passed to `fit`, with a realization axis after the sample axis if
            `n_realizations` is given; labels ``(sample, *space)`` if a `shape` is given. numpy, or lazy dask for dask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If Z has another number of components, the decoder cannot give what is asked for, or fractions or fields are
            to be refined.

        Warns
        -----
        UserWarning
            If patches of the training windows fit the decoded statistics badly.
        """
        model = FittedModel.of(self)
        latents = check_latents(Z, self._n_features_out)
        method, sides = plan_inverse(
            model, realize=realize, shape=shape, as_fractions=as_fractions, refine=refine, patch=patch
        )
        n = check_realizations(n_realizations)
        if method != DECODER:
            # Of dask latents only a block is in memory.
            n_structures = (n or 1) * (1 if is_dask(latents) else len(latents))
            device = str(model.module.field_mean.device)
            check_room(sides, self.grid_.phases, model.module.spec.periodic, method, n_structures, device)
            realizer = TextureRealizer(model.module, self.grid_, sides, method, n, seed_from(random_state), patch)
            return self._realized(model, latents, realizer, as_passed=shape is None)
        if as_fractions:
            out_shape, dtype = (self.grid_.phases, *self.grid_.shape), np.dtype(np.float32)
        else:
            out_shape, dtype = model.layout.structure_shape(self.grid_), model.layout.structure_dtype(self.grid_)
        if n is None:
            if refine:
                return lazily(latents, lambda z: model.restore(refined(model, z)), out_shape, dtype)
            return lazily(latents, model.fractions if as_fractions else model.structures, out_shape, dtype)
        realizations = Realizations(
            model, n, seed_from(random_state), self.latent_spread_, as_fractions=as_fractions, refine=refine
        )
        # A sample's own number seeds its realizations, so they do not depend on how samples are chunked.
        return lazily(latents, realizations.of, (n, *out_shape), dtype, sample_numbers(latents))

    def _realized(self, model: FittedModel, latents: Any, realizer: TextureRealizer, *, as_passed: bool) -> Any:
        """Structures realized from the statistics of latents, in the form passed to `fit` or as labels."""
        layout, grid, n = model.layout, self.grid_, realizer.n_realizations
        one_shape = layout.structure_shape(grid) if as_passed else realizer.shape
        out_shape = one_shape if n is None else (n, *one_shape)

        def block(part: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            labels = realizer.of(part, numbers).reshape(-1, *realizer.shape)
            structures = layout.restore(labels, grid.phases) if as_passed else labels
            return structures.reshape(len(part), *out_shape)

        dtype = layout.structure_dtype(grid) if as_passed else np.dtype(np.uint8)
        return lazily(latents, block, out_shape, dtype, sample_numbers(latents))

    def statistics(self, X: Any) -> Any:
        """Compute the 2-point statistics of structures, with the correlations, boundaries and cutoff of the model.

        Parameters
        ----------
        X : array
            As in `transform`.

        Returns
        -------
        array ``(sample, *lag, correlation)``
            As `two_point_stats` returns them; numpy, or lazy dask for dask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        model, samples = FittedModel.of(self), Samples.like(self, X)
        return lazily(samples.array, model.statistics, model.statistics_shape, samples.floating_dtype, *samples.masks)

    def inverse_descriptors(self, Z: Any) -> dict[str, Any]:
        """Predict descriptors, such as the specific surface, from latents, without realizing structures.

        Parameters
        ----------
        Z : array ``(sample, component)``

        Returns
        -------
        dict of str to numpy.ndarray
            ``"volume_fraction"`` ``(sample, phase)`` and each of `descriptors` ``(sample, *coordinate, phase)``, all
            with lengths in voxels: ``"surface_area"`` is per voxel. Empty for a decoder of structures.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If Z has another number of components.
        """
        model = FittedModel.of(self)
        return model.descriptors(np.asarray(check_latents(Z, self._n_features_out)))

    def inverse_statistics(self, Z: Any) -> Any:
        """Compute the 2-point statistics that latents decode to.

        Parameters
        ----------
        Z : array ``(sample, component)``
            numpy or dask.

        Returns
        -------
        array ``(sample, *lag, correlation)``
            Of a decoder of structures, the statistics of its phase fractions before they become labels. numpy, or lazy
            dask for dask.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If Z has another number of components.
        """
        model = FittedModel.of(self)
        latents = check_latents(Z, self._n_features_out)
        return lazily(latents, model.decoded_statistics, model.statistics_shape, latents.dtype)

    def score(self, X: Any, y: Any = None) -> float:
        """Return minus the mean relative statistics error of thresholded reconstructions: higher is better, 0 is exact.

        Parameters
        ----------
        X : array
            As in `transform`.
        y : None
            Ignored.

        Returns
        -------
        float
            ``-mean(||f(x) - f(x_recon)||_2 / ||f(x)||_2)``, over windows whose latents are not NaN.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If the samples do not have the shape and form of those passed to `fit`.
        """
        model, samples = FittedModel.of(self), Samples.like(self, X)
        parts = blocks_of(samples.array)
        return -mean_of_measured(np.concatenate([model.errors(*read_all(samples.arrays, part)) for part in parts]))

    def save(self, path: Any, overwrite: bool = False, half: bool = False, n_examples: int | None = None) -> None:
        """Write the fitted model, with its card, to a folder ``NAME.matvae``; `matvae.load` reads it.

        Parameters
        ----------
        path : path
        overwrite : bool
            Replace an existing model; it stays until the new one is complete.
        half : bool
            Write the weights in half precision: half the size, and latents that differ by about a thousandth.
        n_examples : int, optional
            Write at most so many of the training windows that a model of textures contains, spread over them; 0 for a
            model that shows none, whose structures are realized by retrieval.

        Raises
        ------
        NotFittedError, InputError, StoreError
            As `matvae.estimator.saving.save`.
        """
        saving.save(self, path, overwrite=overwrite, half=half, n_examples=n_examples)

    def _fitted_module(self) -> StatsVAE | None:
        """Module of the latest fit; None before any."""
        return vars(self).get("module_")

    @property
    def phase_values_(self) -> tuple[Any, ...] | None:
        """The value that each phase had in the file it comes from; None if the training set does not record it."""
        return self._layout.phase_values

    @property
    def _n_features_out(self) -> int:
        return self.module_.spec.n_components

    def __sklearn_is_fitted__(self) -> bool:
        return self._fitted_module() is not None

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        # The optimiser of `partial_fit` is not part of the model.
        state.pop("_trainer", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.non_deterministic = False
        return tags
