"""Jobs that list data sets and make one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data.sample_blocks import Progress
from ..room import size_on_disk
from .cluster import crew_of
from .files.kept import KeepingCrew, Request, kept_results
from .files.outputs import check_output


def list_datasets() -> list[dict[str, Any]]:
    """Return name, kind, licence and one-line summary of every data set."""
    from ..data import datasets

    fields = ("name", "kind", "licence", "summary")
    return [{field: getattr(card, field) for field in fields} for card in datasets.list_datasets()]


def make_dataset(
    name: str,
    out: str | Path,
    *,
    n: int | None = None,
    size: int | tuple[int, ...] | None = None,
    seed: int = 0,
    workers: int | None = None,
    scheduler: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """Generate or download a data set into a new store.

    Parameters
    ----------
    name : str
        Name of a data set, as listed by `list_datasets`.
    out : path
        New store.
    n : int, optional
        Number of samples of a generated set, by default 1000.
    size : int or tuple of int, optional
        Voxels along all axes, or along each; by default as on the card.
    seed : int
        Seed of the random numbers; the same seed gives the same bytes.
    workers, scheduler : optional
        Number of local processes, or address of a dask scheduler, that do the work; see `matvae.jobs.cluster.crew_of`.
    overwrite : bool
        Whether an existing store may be replaced.
    resume : bool
        Keep the structures of a generated set beside the output until it is complete, and take over those that an
        interrupted run of the same set has kept there. In a store that exists, make again only what is missing, as
        after `verify` has removed damaged files.
    progress : callable, optional
        Called with the number of samples that are done and their total.
    **parameters
        Parameters of the generator; see its card.

    Returns
    -------
    dict
        ``name``, ``out``, ``n_samples``, ``grid``, ``properties``, ``bytes``.

    Raises
    ------
    InputError, StoreError, PluginError
        If the name or a parameter is unknown, the output cannot be written, or what an interrupted run has kept belongs
        to another set.
    JobInterrupted
        On Ctrl-C, if something is kept.
    """
    from ..data import datasets, open_structures

    target = check_output(out, [], overwrite=overwrite or resume)
    choices = {"n": n, "size": size, "seed": seed, **parameters}
    request = Request({"job": "dataset make", "name": name, **choices}, {})
    # In a store that exists, what is missing is made in place.
    completes = resume and target.exists()
    with (
        crew_of(workers, scheduler) as crew,
        kept_results(target, request, resume=resume and not completes, overwrite=overwrite or completes) as kept,
    ):
        keeping = KeepingCrew(crew, kept)
        datasets.make_dataset(
            name, target, overwrite=overwrite, resume=resume, progress=progress, crew=keeping, **choices
        )
    structures = open_structures(target)
    return {
        "name": name,
        "out": str(target),
        "n_samples": len(structures),
        "grid": structures.grid.to_dict(),
        "properties": list(structures.properties),
        "bytes": size_on_disk(target),
    }
