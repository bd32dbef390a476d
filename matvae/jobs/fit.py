"""Train a model on a store; interrupted runs continue where they stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..data import open_structures
from ..data.masks import whole_only
from ..data.sample_blocks import Progress
from ..errors import InputError, StoreError
from ..estimator import StatsVAETransformer
from ..evaluate.measure import decodes_statistics
from ..evaluate.sampling_floor import sampling_floor
from ..files import unfinished
from ..model.ranks import current_ranks
from .files.outputs import check_output, is_model, remove

logger = logging.getLogger("matvae")
PROGRESS_STEPS = 1000


class FitInterrupted(KeyboardInterrupt):
    """Training was interrupted; the message says how to continue."""


def fit_model(
    data: str | Path,
    out: str | Path,
    *,
    periodic: bool | None = None,
    seed: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    half: bool = False,
    progress: Progress | None = None,
    on_record: Callable[[Mapping[str, Any]], None] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """Fit a `StatsVAETransformer` on a store and save it.

    Parameters
    ----------
    data : path
        Structures, in any format that `open_structures` reads. Those with voxels outside a mask take part as in
        `StatsVAETransformer.fit`; the log says how many do.
    out : path
        New model, ``NAME.matvae``. During training the state is kept next to it in ``NAME.matvae.checkpoint``.
    periodic : bool, optional
        Whether structures are periodic; by default as the store states.
    seed : int, optional
        The estimator's ``random_state``.
    resume : bool
        Continue from the checkpoint of an interrupted run.
    overwrite : bool
        Whether an existing model, or without `resume` a checkpoint, may be replaced.
    half : bool
        Save the weights in half precision, half as large.
    progress : callable, optional
        Called with the number of steps completed and their total.
    on_record : callable, optional
        Called with each training record.
    **parameters
        Of `StatsVAETransformer`; the others keep their defaults, except `cutoff`: half the window if structures are not
        periodic.

    Returns
    -------
    dict
        ``model``, ``n_samples`` (of the data), ``periodic``, ``grid``, ``n_components``, ``records`` (their number) and
        ``last``, the last training record; ``in_epochs``, whether a network was trained in epochs; if not, a closed
        form was fitted, whose ``loss`` is its centred error; ``sampling``, the sampling errors of one window of the
        material and the error of decoded statistics beside them (see `SamplingFloor`), or None and the reason in
        ``sampling_left_out``.

    Raises
    ------
    InputError, StoreError
        For bad data or parameters, or an output that cannot be written.
    FitInterrupted
        On Ctrl-C; the checkpoint stays.
    """
    target = check_output(out, [data], overwrite=overwrite, replaceable=is_model)
    # Claimed from here on: another fit would remove the checkpoint.
    with unfinished(target):
        checkpoint = checkpoint_of(target)
        _check_checkpoint(checkpoint, resume=resume, overwrite=overwrite)
        structures = open_structures(data)
        wrap = structures.grid.periodic if periodic is None else periodic
        logger.info(
            "%d structures are treated as %s%s.",
            len(structures),
            "periodic" if wrap else "not periodic",
            ", as the data state" if periodic is None else "",
        )

        if not wrap and parameters.get("cutoff") is None:
            parameters["cutoff"] = tuple(n // 2 for n in structures.grid.shape)
            logger.info(
                "Correlations are computed up to half the window, %s voxels: at longer lags there are too few voxel "
                "pairs. Set another cutoff with --cutoff.",
                " x ".join(map(str, parameters["cutoff"])),
            )

        def record(values: Mapping[str, Any]) -> None:
            if progress is not None and "progress" in values:
                progress(round(PROGRESS_STEPS * float(values["progress"])), PROGRESS_STEPS)
            if on_record is not None:
                on_record(values)

        estimator = StatsVAETransformer(
            periodic=wrap, random_state=seed, checkpoint=str(checkpoint), verbose=record, **parameters
        )
        if not resume:
            remove(checkpoint)
        elif checkpoint.exists():
            logger.info("Training continues from %s.", checkpoint)
        else:
            logger.info("There is no checkpoint %s yet: training starts from the beginning.", checkpoint)
        # The other ranks, if there are any, fit the same.
        current_ranks().made_by_first(lambda: {**estimator.get_params(), "verbose": False})
        try:
            estimator.fit(structures)
            _save(estimator, target, checkpoint, overwrite=overwrite, half=half)
        except KeyboardInterrupt as error:
            raise FitInterrupted(f"Training was interrupted. {_how_to_resume(checkpoint, target.exists())}") from error
        try:
            remove(checkpoint)
            floor, reason = sampling_floor(estimator, whole_only(structures))
        except KeyboardInterrupt as error:
            raise FitInterrupted(f"The model {target} is complete; its sampling error was not computed.") from error
        history = list(estimator.history_)
        return {
            "model": str(target),
            "n_samples": len(structures),
            "n_components": estimator.n_components,
            "periodic": wrap,
            "grid": estimator.grid_.to_dict(),
            "records": len(history),
            "last": dict(history[-1]) if history else {},
            "in_epochs": not decodes_statistics(estimator),
            "sampling": None if floor is None else floor.to_dict(),
            "sampling_left_out": reason or None,
        }


def checkpoint_of(model: Path) -> Path:
    """Path at which the training state of a model is kept until it is saved."""
    return model.with_name(model.name + ".checkpoint")


def _check_checkpoint(checkpoint: Path, *, resume: bool, overwrite: bool) -> None:
    if checkpoint.exists() and not (resume or overwrite):
        raise InputError(
            f"{checkpoint} contains the state of an interrupted training. Continue it with --resume (resume=True), or "
            "start again with --overwrite (overwrite=True)."
        )


def _save(estimator: StatsVAETransformer, target: Path, checkpoint: Path, *, overwrite: bool, half: bool) -> None:
    try:
        estimator.save(target, overwrite=overwrite, half=half)
    except StoreError as error:
        raise StoreError(f"{error} The training is complete. {_how_to_resume(checkpoint, target.exists())}") from error


def _how_to_resume(checkpoint: Path, replaces: bool) -> str:
    if not checkpoint.exists():
        return "Its state had not been saved yet; nothing was written."
    flags = "--resume --overwrite" if replaces else "--resume"
    return f"Its state is in {checkpoint}. Continue with the same command and {flags}."
