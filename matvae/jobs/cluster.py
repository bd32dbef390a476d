"""Apply one function to many blocks, in order, in this process or on a dask cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ..errors import InputError, MissingExtraError

Result = TypeVar("Result")
CONNECT_SECONDS = 10
# Blocks queued per thread of a cluster: enough to keep it busy within bounded memory.
BLOCKS_AHEAD = 2


def in_order(
    function: Callable[..., Result], blocks: Iterable[tuple[np.ndarray, dict[str, Any]]], cluster: str | None
) -> Iterator[Result]:
    """Yield the results of blocks, in the order of the blocks.

    Parameters
    ----------
    function : callable
        Takes an array and named options, and can be pickled.
    blocks : iterable of (array, options)
        Consumed a few at a time.
    cluster : str or None
        Address of a dask scheduler, such as ``"tcp://10.0.0.1:8786"``; by default everything runs in this process.

    Raises
    ------
    InputError
        If the cluster does not answer, has no workers, or fails. Errors of the function are raised here.
    MissingExtraError
        If distributed is not installed.
    """
    if cluster is None:
        for array, options in blocks:
            yield function(array, **options)
        return
    with _connected(cluster) as client:
        most = BLOCKS_AHEAD * sum(client.nthreads().values())
        waiting: deque[Any] = deque()
        for array, options in blocks:
            # Scattered: large arrays do not belong in a task graph.
            waiting.append(client.submit(function, client.scatter(array, hash=False), **options, pure=False))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtraError(
            "Working on a dask cluster needs distributed; install it with: pip install 'matvae[cluster]'"
        ) from error
    from distributed.comm import CommClosedError

    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"There is no dask scheduler at {address} ({error}). Pass the address that `dask scheduler` prints, "
            "such as tcp://10.0.0.1:8786."
        ) from error
    with client:
        if not client.nthreads():
            raise InputError(f"The dask cluster at {address} has no workers. Start some with `dask worker {address}`.")
        try:
            yield client
        except (distributed.KilledWorker, distributed.CancelledError, CommClosedError) as error:
            raise InputError(
                f"The dask cluster at {address} failed: {error}. Check the logs of its workers; more memory or fewer "
                "threads per worker may help."
            ) from error
