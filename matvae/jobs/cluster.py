"""The crew of a job: this process, processes on this machine, or the workers of a dask scheduler."""

from __future__ import annotations

import logging
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .. import validate
from .._version import __version__
from ..crew import ALONE, Crew, Read, Task
from ..errors import InputError, MissingExtraError
from ..warn import warn

Result = TypeVar("Result")
CONNECT_SECONDS = 10
# Blocks queued per thread of a cluster: enough to keep it busy within bounded memory.
BLOCKS_AHEAD = 2
# Without any worker for this long, a job gives up.
PATIENCE_SECONDS = 60
# Of local workers. dask's own setting has malloc return memory at once, and glibc's default does so in the threads that
# do the work: a fifth of the time of an encoder, and more of transforms, would go into getting it back.
ENVIRONMENT = {
    "OMP_NUM_THREADS": 1,
    "MKL_NUM_THREADS": 1,
    "OPENBLAS_NUM_THREADS": 1,
    "MALLOC_MMAP_THRESHOLD_": 32 << 20,
    "MALLOC_TRIM_THRESHOLD_": 256 << 20,
}


@contextmanager
def crew_of(workers: int | None, scheduler: str | None, inputs: Sequence[str | Path | None] = ()) -> Iterator[Crew]:
    """Start or join the workers that a job was given, and leave them at the end.

    Parameters
    ----------
    workers : int, optional
        Number of processes to start on this machine, with one thread each.
    scheduler : str, optional
        Address of a dask scheduler, such as ``"tcp://10.0.0.1:8786"``. Without either, this process does everything.
    inputs : sequence of path
        Files and folders that every worker must be able to read; None is ignored.

    Raises
    ------
    InputError
        If both are given, the scheduler does not answer or has no workers, these have another version of matvae or do
        not see the inputs, or if workers keep dying.
    MissingExtraError
        If distributed is not installed.
    """
    if workers is None and scheduler is None:
        yield ALONE
        return
    if workers is not None and scheduler is not None:
        raise InputError(
            f"workers={workers} starts processes on this machine, and scheduler={scheduler!r} names others. Give one "
            "of the two."
        )
    if workers is not None:
        validate.integer("workers", workers, 1)
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            "Working in several processes needs distributed; install it with: pip install 'matvae[cluster]'"
        ) from error
    from distributed.comm import CommClosedError

    where = f"The dask cluster at {scheduler}" if workers is None else f"The cluster of {workers} local processes"
    # dask arrays that this process computes meanwhile are computed by the workers, too.
    with _client(distributed, workers, scheduler) as client, client.as_current():
        try:
            _check_workers(client, [Path(path).resolve() for path in inputs if path is not None], where)
            yield Cluster(client)
        except (distributed.KilledWorker, distributed.CancelledError, CommClosedError) as error:
            raise InputError(
                f"{where} failed: {error}. Usually workers ran out of memory: start fewer of them, or give each more "
                "memory. Their logs have the details."
            ) from error


class Cluster:
    """Workers of a dask cluster.

    A block whose worker dies is done again by another.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.n_workers = sum(client.nthreads().values())

    def in_order(
        self, function: Callable[..., Result], tasks: Iterable[Task], given: Any = None, *, read: Read | None = None
    ) -> Iterator[Result]:
        """Yield ``function(given, *task)`` for every task, as in `Crew`; errors of the function are raised here."""
        import cloudpickle
        import dask

        # A task of its own, so that dask passes its result from worker to worker, and makes it again if it is lost.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            shared = self.client.submit(cloudpickle.loads, cloudpickle.dumps(given), pure=False)
        waiting: deque[Any] = deque()
        for task in tasks:
            waiting.append(self.client.submit(_run, function, read, shared, *task, pure=False))
            if len(waiting) >= BLOCKS_AHEAD * self.n_workers:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def writes_in(self, folder: Path) -> bool:
        """Return whether all workers see the folder."""
        return not any(missing for _, missing in self.client.run(_survey, [str(folder.resolve())]).values())

    def _result(self, future: Any) -> Any:
        """Result of a task; what its worker warned of is warned of here."""
        import distributed

        while True:
            try:
                distributed.wait(future, timeout=PATIENCE_SECONDS)
                break
            except TimeoutError as error:
                if not self.client.nthreads():
                    raise InputError(
                        f"All workers are gone, and none has come back within {PATIENCE_SECONDS} seconds. Their logs "
                        "tell why; usually they ran out of memory or of time."
                    ) from error
        result, messages = future.result()
        for message, category in messages:
            warn(message, category)
        return result


def _run(
    function: Callable[..., Result], read: Read | None, given: Any, *task: Any
) -> tuple[Result, list[tuple[str, type[Warning]]]]:
    """Run a task on a worker, and return its result and its warnings."""
    import dask

    # The thread itself computes a lazy array, not the cluster, whose workers would wait for each other.
    with dask.config.set(scheduler="synchronous"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result = function(given, *task) if read is None else function(given, read(given, *task), *task)
    return result, [(str(warning.message), warning.category) for warning in caught]


@contextmanager
def _client(distributed: Any, workers: int | None, scheduler: str | None) -> Iterator[Any]:
    # Results are large, so that they go from workers to this process without passing through the scheduler.
    options = {"set_as_default": False, "direct_to_workers": True}
    if scheduler is None:
        import dask

        with (
            dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}),
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                scheduler_port=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as local,
            distributed.Client(local, **options) as client,
        ):
            client.register_plugin(_no_interrupts(distributed))
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, **options)
    except (OSError, ValueError) as error:
        raise InputError(
            f"There is no dask scheduler at {scheduler} ({error}). Pass the address that `dask scheduler` prints, "
            "such as tcp://10.0.0.1:8786."
        ) from error
    with client:
        yield client


def _no_interrupts(distributed: Any) -> Any:
    """Plugin of local workers, which get the Ctrl-C of a terminal, too, but are to be ended by this process."""

    class NoInterrupts(distributed.WorkerPlugin):
        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return NoInterrupts()


def _check_workers(client: Any, inputs: Sequence[Path], where: str) -> None:
    found = client.run(_survey, [str(path) for path in inputs])
    if not found:
        raise InputError(f"{where} has no workers. Start some with `dask worker ADDRESS`.")
    for worker, (version, missing) in found.items():
        if version != __version__:
            raise InputError(
                f"{where} has the worker {worker} with matvae {version}, but this is matvae {__version__}. Install the "
                "same version everywhere."
            )
        if missing:
            raise InputError(
                f"{where} has the worker {worker}, which does not see {missing[0]}. Workers read their inputs "
                "themselves: put them into a folder that is mounted at the same path on all machines."
            )


def _survey(paths: list[str]) -> tuple[str, list[str]]:
    """Version of matvae on a worker, and the paths that it does not see."""
    return __version__, [path for path in paths if not Path(path).exists()]
