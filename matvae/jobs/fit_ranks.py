"""Fit a model by several processes: the first does all that `fit_model` does, and the others train along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..data import open_structures
from ..data.sample_blocks import Progress
from ..errors import InputError, MatvaeError
from ..estimator import StatsVAETransformer
from ..model.ranks import RankLostError, Ranks
from .files.outputs import check_output, is_model
from .fit import checkpoint_of, fit_model
from .ranks import joined_ranks, ranks_of_environment
from .start_ranks import start_ranks


def fit_on_ranks(
    data: str | Path,
    out: str | Path,
    *,
    devices: int | None = None,
    progress: Progress | None = None,
    on_record: Callable[[Mapping[str, Any]], None] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Fit a `StatsVAETransformer` on a store and save it, by several processes or GPUs.

    Every batch is divided among the processes, and each reads its own part of the store: the loss curve is that of one
    process. A process that torchrun has started joins the others.

    Parameters
    ----------
    data, out, progress, on_record, **options
        As in `fit_model`.
    devices : int, optional
        Number of processes to start on this machine: each on a GPU of its own, or all on the CPU. By default the job
        runs in this process.

    Returns
    -------
    dict
        As that of `fit_model`; empty in a process that is not the first.

    Raises
    ------
    InputError, StoreError, FitInterrupted
        As in `fit_model`. Also if the model is not trained but fitted in closed form.
    RankLostError
        If a process was killed; all others have ended, and the checkpoint stays.
    """
    joins = ranks_of_environment().count > 1
    if joins and devices is not None:
        raise InputError(
            f"devices={devices} starts processes, but this process has already been started as one of several "
            "(WORLD_SIZE is set). Leave devices out, or unset WORLD_SIZE."
        )
    try:
        if devices is None or devices == 1:
            with joined_ranks() as ranks:
                return _fit(ranks, data, out, progress=progress, on_record=on_record, **options)
        if devices < 1:
            raise InputError(f"devices must be at least 1, but {devices} was given.")
        # Before processes are started.
        check_output(out, [data], overwrite=options.get("overwrite", False), replaceable=is_model)
        listeners = {"progress": progress or _ignore, "record": on_record or _ignore}
        return start_ranks(devices, _work, {"data": data, "out": out, **options}, listeners)
    except RankLostError as error:
        raise RankLostError(f"{error} {_how_to_go_on(Path(out))}") from error


def _fit(ranks: Ranks, data: str | Path, out: str | Path, **options: Any) -> dict[str, Any]:
    if ranks.is_first:
        return fit_model(data, out, **options)
    # From `fit_model` in the first process, when all its checks have passed.
    parameters: dict[str, Any] = ranks.made_by_first(dict)
    StatsVAETransformer(**parameters).fit(open_structures(data))
    return {}


def _work(*, report: Callable[..., None], on_lost: Callable[[MatvaeError], None], **options: Any) -> dict[str, Any]:
    """What each of the processes does that are started here."""
    with joined_ranks(on_lost) as ranks:
        return _fit(
            ranks,
            progress=lambda done, total: report("progress", done, total),
            on_record=lambda values: report("record", dict(values)),
            **options,
        )


def _how_to_go_on(out: Path) -> str:
    checkpoint = checkpoint_of(out)
    if not checkpoint.exists():
        return "The training state had not been saved yet; nothing was written."
    flags = "--resume --overwrite" if out.exists() else "--resume"
    return f"The training state is in {checkpoint}. Continue with the same command and {flags}."


def _ignore(*_: Any) -> None:
    pass
