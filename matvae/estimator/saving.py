"""Fitted models on disk: a folder of JSON, safetensors and history, with a hash that is checked.

``NAME.matvae/`` holds ``estimator.json`` (parameters, grid, how samples are held, sizes, versions, SHA-256 of
the weights), ``weights.safetensors`` and ``history.jsonl``. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import asdict
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from .._version import __version__
from ..errors import InputError, PluginError, StoreError
from ..files import move_into_place
from ..grid import Grid
from ..model import ModelSpec, StatsVAE, resolve_device
from ..model.device import place
from ..stats.form import Form
from .checks import check_fitted, check_parameters
from .sample_layout import Input

if TYPE_CHECKING:
    from .batches import Batches
    from .transformer import StatsVAETransformer

SCHEMA = 1
ESTIMATOR, WEIGHTS, HISTORY = "estimator.json", "weights.safetensors", "history.jsonl"
# What may differ between a training and the one that resumes it.
_FREE = {
    "max_epochs",
    "max_time",
    "verbose",
    "checkpoint",
    "device",
    "precision",
    "warm_start",
    "patience",
    "random_state",
    "latent_steps",
}


def save(estimator: StatsVAETransformer, path: Any, overwrite: bool = False, half: bool = False) -> None:
    """Write a fitted estimator; complete or not at all.

    Raises
    ------
    NotFittedError
        If it has not been fitted.
    InputError
        If something is there already and `overwrite` is not set, or it is not a model; or if a parameter has
        been set to something wrong since the fit; or if weights are too large for half precision.
    StoreError
        If the folder cannot be written.
    """
    check_fitted(estimator)
    check_parameters(estimator)
    target = Path(path)
    if target.exists():
        if not overwrite:
            raise InputError(f"{target} exists already. Choose another name, or pass overwrite=True (--overwrite).")
        if not (target / ESTIMATOR).is_file():
            raise InputError(f"{target} is not a matvae model and is not overwritten. Choose another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            complete = Path(folder) / "model"
            complete.mkdir()
            _write(estimator, complete, half)
            move_into_place(complete, target)
    except OSError as error:
        raise StoreError(
            f"The model {target} cannot be written ({error}). Choose a folder with space and write permission."
        ) from error


def load(path: Any) -> StatsVAETransformer:
    """Read a model that `StatsVAETransformer.save` or ``matvae fit`` wrote.

    Parameters
    ----------
    path : path
        The folder ``NAME.matvae``.

    Returns
    -------
    StatsVAETransformer
        Fitted, on the device that its parameter ``device`` names.

    Raises
    ------
    InputError
        If there is no model at that path.
    StoreError
        If it is damaged, incomplete, or of another version.
    """
    folder = Path(path)
    facts = _read_facts(folder)
    try:
        estimator = _restored(facts, folder)
    except PluginError:
        # An encoder or decoder of a plugin that is not installed here; the message says so.
        raise
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        OSError,
        RuntimeError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        raise StoreError(
            f"The model {folder} is damaged: {type(error).__name__}: {error}. Restore it from a copy, or fit it again."
        ) from error
    try:
        place(estimator.module_, resolve_device(estimator.device))
    except InputError as error:
        warnings.warn(
            f"The model {folder} was made for the device {estimator.device!r}, which is not here; it runs "
            "on the "
            f"CPU. {error}",
            stacklevel=2,
        )
    return estimator


def _restored(facts: dict[str, Any], folder: Path) -> StatsVAETransformer:
    from .transformer import StatsVAETransformer

    estimator = StatsVAETransformer(**facts["parameters"])
    device, estimator.device = str(estimator.device), "cpu"
    check_parameters(estimator)
    estimator.device = device
    # The weights are drawn at random before they are loaded; the user's own random numbers stay as they are.
    with torch.random.fork_rng(devices=[]):
        module = StatsVAE(ModelSpec.from_dict(facts["spec"]))
    module.load_state_dict(load_file(folder / WEIGHTS))
    estimator.module_ = module.eval()
    estimator.grid_ = Grid.from_dict(facts["grid"])
    estimator._input = _input_from(facts["input"])
    estimator.n_features_in_ = int(facts["n_features_in"])
    if facts["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.asarray(facts["feature_names_in"], dtype=object)
    estimator.latent_spread_ = np.asarray(facts["latent_spread"], dtype=np.float32)
    estimator.n_iter_ = int(facts["n_iter"])
    lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
    estimator.history_ = [json.loads(line) for line in lines]
    return estimator


def fingerprint(estimator: StatsVAETransformer, spec: ModelSpec, batches: Batches) -> str:
    """Hash of what a training depends on: parameters, sizes, and a sample of the data."""
    digest = hashlib.sha256()
    parameters = {k: v for k, v in estimator.get_params().items() if k not in _FREE}
    digest.update(repr((sorted(parameters.items()), spec, batches.seed, len(batches.training))).encode())
    for part in batches.calibration()[:4]:
        digest.update(np.ascontiguousarray(part.numpy()).tobytes())
    return digest.hexdigest()


def _write(estimator: StatsVAETransformer, folder: Path, half: bool) -> None:
    module = estimator.module_
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    if half:
        weights = {name: _halved(name, tensor) for name, tensor in weights.items()}
    save_file(weights, folder / WEIGHTS)
    lines = "".join(json.dumps(record) + "\n" for record in estimator.history_)
    (folder / HISTORY).write_text(lines, encoding="utf-8")
    names = getattr(estimator, "feature_names_in_", None)
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "versions": {"matvae": __version__, "torch": str(torch.__version__), "numpy": np.__version__},
        "parameters": _parameters(estimator),
        "spec": module.spec.to_dict(),
        "grid": estimator.grid_.to_dict(),
        "input": _input_to(estimator._input),
        "n_features_in": int(estimator.n_features_in_),
        "feature_names_in": None if names is None else [str(name) for name in names],
        "latent_spread": [float(value) for value in estimator.latent_spread_],
        "n_iter": int(estimator.n_iter_),
        "sha256": {name: _sha256(folder / name) for name in (WEIGHTS, HISTORY)},
    }
    facts["sha256"][ESTIMATOR] = _own_sha256(facts)
    (folder / ESTIMATOR).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    for file in folder.iterdir():
        with open(file, "rb") as handle:
            os.fsync(handle.fileno())


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A tensor in half precision; loading it copies it into single precision again."""
    halved = tensor.to(torch.float16)
    if not bool(halved.isfinite().all()):
        raise InputError(
            f"The weights {name!r} hold values up to {float(tensor.abs().max()):.3g}, but half precision ends at "
            "65504. Save the model with half=False."
        )
    return halved


def _parameters(estimator: StatsVAETransformer) -> dict[str, Any]:
    """Constructor parameters as JSON has them; what belongs to one training only is left out."""
    parameters = estimator.get_params()
    for name in ("checkpoint", "verbose", "warm_start"):
        parameters.pop(name)
    if not isinstance(parameters["random_state"], Integral | None):
        parameters["random_state"] = None
    return {name: _plain(value) for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    return value


def _input_to(understood: Input) -> dict[str, Any]:
    form = None if understood.form is None else asdict(understood.form)
    return {
        "given": list(understood.given),
        "shape": list(understood.shape),
        "form": form,
        "dtype": str(understood.dtype),
    }


def _input_from(facts: dict[str, Any]) -> Input:
    form = facts["form"]
    return Input(
        given=tuple(facts["given"]),
        shape=tuple(facts["shape"]),
        form=None if form is None else Form(**{**form, "space": tuple(form["space"])}),
        dtype=np.dtype(facts["dtype"]),
    )


def _read_facts(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(f"A matvae model (a folder NAME.matvae) is expected at {folder}, but there is {found}.")
    if not (folder / ESTIMATOR).is_file():
        raise InputError(f"{folder} is no matvae model: it has no {ESTIMATOR}. Name the folder that fit wrote.")
    try:
        facts = json.loads((folder / ESTIMATOR).read_text(encoding="utf-8"))
        schema, versions = facts["schema"], dict(facts["versions"])
        hashes = dict(facts["sha256"])
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        raise StoreError(
            f"The model {folder} is damaged: {ESTIMATOR} cannot be read ({error}). Fit it again."
        ) from error
    if schema != SCHEMA:
        raise StoreError(
            f"The model {folder} has schema {schema}, but this version of matvae ({__version__}) reads "
            f"schema {SCHEMA}. "
            f"Use the version that wrote it ({versions.get('matvae', 'unknown')}), or fit it again."
        )
    if _own_sha256(facts) != hashes.get(ESTIMATOR):
        raise StoreError(
            f"The model {folder} is damaged: {ESTIMATOR} does not have the SHA-256 that it states. Restore "
            "it from a "
            "copy, or fit it again."
        )
    for name in (WEIGHTS, HISTORY):
        if not (folder / name).is_file():
            raise StoreError(f"The model {folder} is incomplete: {name} is missing. Restore it, or fit it again.")
        if _sha256(folder / name) != hashes.get(name):
            raise StoreError(
                f"The model {folder} is damaged: {name} does not have the SHA-256 that {ESTIMATOR} states. "
                "Restore it "
                "from a copy, or fit it again."
            )
    return facts


def _own_sha256(facts: dict[str, Any]) -> str:
    """Hash of what estimator.json says, however it is laid out, without the statement of this hash."""
    hashes = {name: value for name, value in facts["sha256"].items() if name != ESTIMATOR}
    payload = json.dumps({**facts, "sha256": hashes}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(payload.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
