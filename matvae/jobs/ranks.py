"""A process becomes a rank: it joins the others by the environment variables that torchrun or `start_ranks` sets."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from ..errors import InputError, MatvaeError
from ..model.heartbeat import Heartbeat
from ..model.ranks import RankLostError, Ranks, as_ranks

NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def ranks_of_environment() -> Ranks:
    """The ranks of which this process was started as one; a single process otherwise.

    Raises
    ------
    InputError
        If some of the variables that torchrun sets are missing.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) < 2:
        return Ranks()
    if missing := [name for name in NEEDED if name not in os.environ]:
        raise InputError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']} says that this is one of several processes, but {missing[0]} is "
            "not set. Start them with torchrun, set all of its variables, or unset WORLD_SIZE."
        )
    number, count, local = (int(os.environ.get(name, 0)) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    return Ranks(number, count, local)


def end_process(error: MatvaeError) -> None:
    """Print an error and end this process at once: its main thread may wait for a lost rank forever."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    os._exit(error.exit_code)


@contextmanager
def joined_ranks(on_lost: Callable[[MatvaeError], None] = end_process) -> Iterator[Ranks]:
    """Context in which the processes of `ranks_of_environment` train together; all leave it at the same time.

    Parameters
    ----------
    on_lost : callable
        Called in a thread, with a `RankLostError`, if a rank falls silent; it has to end the process.

    Raises
    ------
    InputError
        If the processes cannot connect.
    RankLostError
        If another rank ends before all have reached the end of the context; it is named.
    """
    ranks = ranks_of_environment()
    if ranks.count == 1:
        yield ranks
        return
    try:
        store, _, _ = next(distributed.rendezvous("env://"))
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, store=store, rank=ranks.number, world_size=ranks.count)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"Rank {ranks.number} of {ranks.count} cannot connect to the others at {os.environ['MASTER_ADDR']}:"
            f"{os.environ['MASTER_PORT']} ({str(error).splitlines()[0]}). Check that all were started, and that this "
            "address is reachable."
        ) from error
    heartbeat = Heartbeat(store, ranks.number, ranks.count, lambda lost: on_lost(lost_error(lost, ranks.count)))
    heartbeat.start()
    try:
        with as_ranks(ranks), warnings.catch_warnings():
            if not ranks.is_first:
                warnings.simplefilter("ignore", UserWarning)
            yield ranks
        ranks.wait_for_all()
        heartbeat.stop()
        # Nobody leaves, and takes the store along, while another rank still counts.
        ranks.wait_for_all()
    except RankLostError as error:
        raise lost_error(heartbeat.silent(), ranks.count) from error
    finally:
        heartbeat.stop()
        if not torch.cuda.is_available() or sys.exc_info()[0] is None:
            # After an error on GPUs, this would wait for the ranks that are lost.
            distributed.destroy_process_group()


def lost_error(lost: list[int], count: int) -> RankLostError:
    """The error that names silent ranks; none are known if the store does not answer."""
    if not lost:
        return RankLostError(
            f"Another of the {count} processes that train together has ended, or the first one is not reachable. Its "
            "own output says why."
        )
    names = " and ".join(map(str, lost))
    verb = "no longer answers" if len(lost) == 1 else "no longer answer"
    return RankLostError(
        f"Rank{'s' * (len(lost) > 1)} {names} of {count} {verb}: killed, for example because memory ran out, or on a "
        "machine that is not reachable."
    )
