"""What a long job has done already, kept beside its output until that is complete, so that the job can continue.

The folder ``.NAME.resume`` beside the output NAME holds ``request.json``, which says what was asked for, and one file
for each part that is done: a block of structures, or the rows of a table.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..._version import __version__
from ...crew import Crew, Read, Task
from ...data import Structures, open_structures
from ...data.subsets import select, spread_indices
from ...errors import InputError, StoreError
from ...files import atomic_output, read_json, unfinished
from ...warn import warn
from .outputs import remove

logger = logging.getLogger("matvae")
# Attribute of a store that says to which request it is the answer.
ATTRIBUTE = "request"
REQUEST = "request.json"
# Structures whose voxels identify a data set.
SAMPLED = 64


class JobInterrupted(KeyboardInterrupt):
    """A job was interrupted; the message says how to continue it."""


@dataclass(frozen=True)
class Request:
    """What a job was asked for: what is kept belongs to this request alone.

    Parameters
    ----------
    settings : mapping
        Everything on which the results depend besides the inputs, by name.
    inputs : mapping of str to str
        Digest of each input, by its name.
    """

    settings: Mapping[str, Any]
    inputs: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values = {"version": __version__, "settings": dict(self.settings), "inputs": dict(self.inputs)}
        return dict(json.loads(json.dumps(values, default=_plain)))

    @property
    def fingerprint(self) -> str:
        """Hash of all of it."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def differences(self, stored: Mapping[str, Any]) -> list[str]:
        """In which ways a stored request is another one, in words; empty if it is the same."""
        own = self.to_dict()
        words = [
            f"{name}={stored['settings'].get(name)!r} instead of {value!r}"
            for name, value in own["settings"].items()
            if stored["settings"].get(name) != value
        ]
        words += [f"other {name}" for name, digest in own["inputs"].items() if stored["inputs"].get(name) != digest]
        if stored["version"] != own["version"]:
            words.append(f"matvae {stored['version']} instead of {own['version']}")
        return words


def is_complete(target: Path, request: Request, *, resume: bool, overwrite: bool) -> bool:
    """Whether a run that is resumed finds its output complete.

    Parameters
    ----------
    target : Path
        Store that has the fingerprint of its request as the attribute ``request``.
    request : Request
    resume, overwrite : bool
        As given to the job; what may be replaced is made again.

    Raises
    ------
    InputError
        If the output is the result of another request.
    StoreError
        If it is damaged.
    """
    if not resume or overwrite or not target.exists():
        return False
    if open_structures(target).attributes.get(ATTRIBUTE) != request.fingerprint:
        raise InputError(
            f"{target} is the result of other data or options, and cannot be completed with these. Pass the same ones, "
            "choose another output, or replace it with --overwrite (overwrite=True)."
        )
    logger.info("%s is complete already.", target)
    # The run that completed it may have been killed before it removed them.
    forget(target)
    return True


def is_begun(target: Path) -> bool:
    """Whether an interrupted run has kept something for this output."""
    return _folder(target).exists()


def forget(target: Path) -> None:
    """Remove what is kept for an output, if anything is.

    Raises
    ------
    StoreError
        If another process is keeping it at the moment.
    """
    if is_begun(target):
        # Unless a living process keeps it.
        with unfinished(target):
            remove(_folder(target))


@contextmanager
def kept_results(target: Path, request: Request, *, resume: bool, overwrite: bool = False) -> Iterator[KeptResults]:
    """Open what an earlier run has kept, and remove it at the end of the block, when the output is in place.

    Parameters
    ----------
    target : Path
        The output, or for a job without one the name under which results are kept.
    request : Request
    resume : bool
        Continue, and keep what is done from now on. Otherwise nothing is kept.
    overwrite : bool
        Whether results that cannot be continued may be removed.

    Raises
    ------
    InputError
        If what is kept belongs to another request, or is there without `resume`.
    StoreError
        If it is damaged, or another process works on this output.
    JobInterrupted
        In place of KeyboardInterrupt, if something is kept.
    """
    folder = _folder(target)
    if not resume:
        if is_begun(target) and not overwrite:
            raise InputError(
                f"{folder} holds what an interrupted run for {target.name} has done. Continue it with --resume "
                "(resume=True), or start again with --overwrite (overwrite=True)."
            )
        forget(target)
        yield KeptResults(None)
        return
    with unfinished(target):
        _open(folder, request, target, overwrite=overwrite)
        kept = KeptResults(folder)
        try:
            yield kept
        except BaseException as error:
            if not kept.names():
                remove(folder)
                raise
            advice = f"What is done is kept in {folder}. Continue with the same command and --resume (resume=True)."
            if isinstance(error, KeyboardInterrupt):
                raise JobInterrupted(f"Interrupted. {advice}") from error
            logger.warning("%s", advice)
            raise
        remove(folder)


class KeptResults:
    """Results of the parts of a job; see `kept_results`.

    Parameters
    ----------
    folder : Path or None
        Without one, nothing is kept and nothing is there.

    Attributes
    ----------
    taken : set of str
        Names of the parts that were taken over.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.taken: set[str] = set()
        self._has_room = True

    def names(self) -> set[str]:
        """Names of all parts that are kept."""
        files = [] if self.folder is None else self.folder.iterdir()
        return {file.stem for file in files if file.suffix in (".npz", ".json", ".zarr") and file.name != REQUEST}

    def in_order(
        self, crew: Crew, function: Callable[..., Any], tasks: Iterable[Task], given: Any = None
    ) -> Iterator[Any]:
        """Yield ``function(given, *task)`` for every task, as a crew does, and compute only what is not kept.

        Parameters
        ----------
        crew : Crew
        function : callable
            Returns an array, or a tuple of arrays and None.
        tasks, given
            As in `Crew.in_order`; the number of a task is its name.
        """
        if self.folder is None:
            yield from crew.in_order(function, tasks, given)
            return
        known, every = self.names(), list(tasks)
        missing = (task for number, task in enumerate(every) if str(number) not in known)
        computed = crew.in_order(function, missing, given)
        if found := sum(str(number) in known for number in range(len(every))):
            logger.info("%d of %d blocks are done already, and are reused.", found, len(every))
        for number, task in enumerate(every):
            name = str(number)
            arrays = self.arrays(name) if name in known else None
            if arrays is not None:
                yield _joined(arrays)
                continue
            # A damaged block is computed again, while others may be under way.
            result = next(iter(crew.in_order(function, [task], given))) if name in known else next(computed)
            self.keep_arrays(name, _separate(result))
            yield result

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        """Arrays of a part by name; None if they are not kept, or are damaged."""
        if self.folder is None:
            return None
        try:
            with np.load(self.folder / f"{name}.npz", allow_pickle=False) as stored:
                # Every member has a checksum.
                arrays = {key: stored[key] for key in stored.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            self._say_damaged(name, error)
            return None
        self.taken.add(name)
        return arrays

    def keep_arrays(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Keep arrays of a part."""

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez_compressed(file, **arrays)

        self._keep(f"{name}.npz", write)

    def values(self, name: str) -> Any:
        """Values of a part; None if they are not kept, or are damaged."""
        if self.folder is None:
            return None
        try:
            values = read_json(self.folder / f"{name}.json")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._say_damaged(name, error)
            return None
        self.taken.add(name)
        return values

    def keep_values(self, name: str, values: Any) -> None:
        """Keep values of a part that are ready for JSON."""
        self._keep(f"{name}.json", lambda path: path.write_text(json.dumps(values, default=_plain), encoding="utf-8"))

    def _keep(self, name: str, write: Callable[[Path], object]) -> None:
        if self.folder is None or not self._has_room:
            return
        try:
            with atomic_output(self.folder / name) as temporary:
                write(temporary)
        except StoreError as error:
            self._has_room = False
            warn(
                f"What is done cannot be kept any longer: {error} The job goes on; should it be interrupted, it can be "
                "continued from here."
            )

    def _say_damaged(self, name: str, error: Exception) -> None:
        logger.info("Part %s in %s is damaged (%s), and is computed again.", name, self.folder, error)


class KeepingCrew:
    """Crew that keeps the results of a job, and computes only those that are not kept.

    Parameters
    ----------
    crew : Crew
        Who computes.
    kept : KeptResults
        The job has one kind of tasks, each of which returns arrays, see `KeptResults.in_order`.
    """

    def __init__(self, crew: Crew, kept: KeptResults) -> None:
        self.n_workers = crew.n_workers
        self._crew, self._kept = crew, kept

    def in_order(
        self, function: Callable[..., Any], tasks: Iterable[Task], given: Any = None, *, read: Read | None = None
    ) -> Iterator[Any]:
        """Yield ``function(given, *task)`` for every task, as in `Crew`; what is read for a task is not kept."""
        assert read is None
        return self._kept.in_order(self._crew, function, tasks, given)

    def writes_in(self, folder: Path) -> bool:
        """Return False: results are kept by this process."""
        return False


def digest(*arrays: np.ndarray) -> str:
    """Hash of shapes, types and values of arrays."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(repr((array.shape, array.dtype.str)).encode())
        hashed.update(np.ascontiguousarray(array).data if array.size else b"")
    return hashed.hexdigest()


def digest_of_model(path: str | Path) -> str:
    """Hash of what a model, saved or pretrained, computes: equal fits have the same, however long they took."""
    # Jobs without a model do not wait for scikit-learn.
    from ...estimator.pretrained import model_folder
    from ...estimator.saving import ESTIMATOR, WEIGHTS

    stated = read_json(model_folder(path) / ESTIMATOR)
    kept = {name: stated[name] for name in ("parameters", "spec", "grid", "input", "latent_spread")}
    kept["weights"] = stated["sha256"][WEIGHTS]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def digest_of_structures(structures: Structures) -> str:
    """Hash of the grid and number of structures, their properties, and the voxels of at most 64, spread evenly."""
    chosen = select(structures, spread_indices(len(structures), SAMPLED))
    lazy = [chosen.data] if chosen.mask is None else [chosen.data, chosen.mask]
    text = json.dumps([len(structures), structures.grid.to_dict(), list(structures.properties)])
    return hashlib.sha256(
        (text + digest(*(part.compute() for part in lazy), *structures.properties.values())).encode()
    ).hexdigest()


def _folder(target: Path) -> Path:
    return target.absolute().with_name(f".{target.name}.resume")


def _open(folder: Path, request: Request, target: Path, *, overwrite: bool) -> None:
    """Create the folder, or check that it belongs to the same request."""
    if (folder / REQUEST).is_file():
        try:
            differences = request.differences(read_json(folder / REQUEST))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{folder} is damaged ({error}). Remove it, and start again.") from error
        if not differences:
            return
        if not overwrite:
            raise InputError(
                f"{folder} holds what an interrupted run for {target.name} has done with {', '.join(differences)}. "
                f"Continue with the same data and options, choose another output, or remove {folder} to start again."
            )
    remove(folder)
    folder.mkdir()
    with atomic_output(folder / REQUEST) as temporary:
        temporary.write_text(json.dumps(request.to_dict(), indent=1), encoding="utf-8")


def _separate(result: Any) -> dict[str, np.ndarray]:
    """Arrays of a result by name; of a tuple, its length and those of its items that are not None."""
    if not isinstance(result, tuple):
        return {"result": result}
    items = {str(position): item for position, item in enumerate(result) if item is not None}
    return {"length": np.array(len(result)), **items}


def _joined(arrays: Mapping[str, np.ndarray]) -> Any:
    """The result that `_separate` took apart."""
    if "result" in arrays:
        return arrays["result"]
    return tuple(arrays.get(str(position)) for position in range(int(arrays["length"])))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} is not representable as JSON")
