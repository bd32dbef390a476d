"""Fitted models written to a folder of JSON, safetensors, history and a card, with hashes that `loading` verifies.

``NAME.matvae/`` holds ``estimator.json`` (parameters, grid, sample layout, card, sizes, versions, SHA-256 of files),
``weights.safetensors``, ``history.jsonl`` and the card as text, ``README.md``. None of it is code.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from .._version import __version__
from ..data.subsets import spread_indices
from ..errors import InputError, StoreError
from ..files import atomic_output, read_json
from ..model import StatsVAE
from ..validate import integer
from .card_page import readme
from .parameters import check_parameters
from .samples import check_fitted

SCHEMA = 1
ESTIMATOR, WEIGHTS, HISTORY, README = "estimator.json", "weights.safetensors", "history.jsonl", "README.md"
# Buffers of the decoder of statistics that hold training windows.
EXAMPLES = ("decoder.examples", "decoder.example_latents")


def save(estimator: Any, path: Any, overwrite: bool = False, half: bool = False, n_examples: int | None = None) -> None:
    """Write a fitted `StatsVAETransformer`, completely or not at all.

    Parameters are those of `StatsVAETransformer.save`.

    Raises
    ------
    NotFittedError
        If it has not been fitted.
    InputError
        If the path exists and `overwrite` is not set, or it is not a model; if a parameter has been set to an invalid
        value since the fit; if weights are too large for half precision; or if `n_examples` is negative.
    StoreError
        If the folder cannot be written.
    """
    check_fitted(estimator)
    check_parameters(estimator)
    if n_examples is not None:
        integer("n_examples", n_examples, 0)
        estimator = with_examples(estimator, n_examples)
    target = Path(path)
    if target.exists():
        if not overwrite:
            raise InputError(f"{target} exists already. Choose another name, or pass overwrite=True (--overwrite).")
        if not (target / ESTIMATOR).is_file():
            raise InputError(f"{target} is not a matvae model and is not overwritten. Choose another name.")
    with _writing(target) as folder:
        _write(estimator, folder, half)


def save_card(estimator: Any, path: Any) -> None:
    """Replace the card of a saved model by that of the estimator loaded from it; its weights stay as they are.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    source = Path(path)
    metadata = read_json(source / ESTIMATOR)
    with _writing(source) as folder:
        for name in (WEIGHTS, HISTORY):
            shutil.copyfile(source / name, folder / name)
        _write_metadata(estimator, folder, metadata)


def with_examples(estimator: Any, n_examples: int) -> Any:
    """Copy of a fitted estimator with at most so many training windows in the model, spread over those it has."""
    module = estimator.module_
    if len(module.examples) <= n_examples:
        return estimator
    kept = torch.from_numpy(spread_indices(len(module.examples), n_examples)).to(module.examples.device)
    spec = replace(module.spec, decoder_options={**module.spec.decoder_options, "examples": n_examples})
    with torch.random.fork_rng(devices=[]):
        smaller = StatsVAE(spec)
    weights = module.state_dict()
    smaller.load_state_dict({**weights, **{name: weights[name][kept] for name in EXAMPLES}})
    reduced = copy.copy(estimator)
    reduced.module_ = smaller.eval()
    return reduced


@contextmanager
def _writing(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces a model at the end."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(target) as folder:
            folder.mkdir()
            yield folder
            for file in folder.iterdir():
                with open(file, "rb") as handle:
                    os.fsync(handle.fileno())
    except StoreError:
        # Another process is writing it.
        raise
    except (OSError, SafetensorError) as error:
        raise StoreError(
            f"The model {target} cannot be written ({error}). Choose a folder with space and write permission."
        ) from error


def _write(estimator: Any, folder: Path, half: bool) -> None:
    module = estimator.module_
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    if half:
        weights = {name: _halved(name, tensor) for name, tensor in weights.items()}
    save_file(weights, folder / WEIGHTS)
    lines = "".join(json.dumps(record) + "\n" for record in estimator.history_)
    (folder / HISTORY).write_text(lines, encoding="utf-8")
    names = getattr(estimator, "feature_names_in_", None)
    metadata: dict[str, Any] = {
        "schema": SCHEMA,
        "versions": {"matvae": __version__, "torch": str(torch.__version__), "numpy": np.__version__},
        "parameters": _parameters(estimator),
        "spec": module.spec.to_dict(),
        "grid": estimator.grid_.to_dict(),
        "input": estimator._layout.to_dict(),
        "n_features_in": int(estimator.n_features_in_),
        "feature_names_in": None if names is None else [str(name) for name in names],
        "latent_spread": [float(value) for value in estimator.latent_spread_],
        "n_iter": int(estimator.n_iter_),
    }
    _write_metadata(estimator, folder, metadata)


def _write_metadata(estimator: Any, folder: Path, metadata: dict[str, Any]) -> None:
    """Write the card, and last what states the hashes of all files."""
    (folder / README).write_text(readme(estimator), encoding="utf-8")
    metadata["card"] = estimator.card_.to_dict()
    metadata["sha256"] = {name: file_sha256(folder / name) for name in (WEIGHTS, HISTORY, README)}
    metadata["sha256"][ESTIMATOR] = metadata_sha256(metadata)
    (folder / ESTIMATOR).write_text(json.dumps(metadata, indent=1), encoding="utf-8")


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A matrix of single precision in half precision; loading converts it back.

    Vectors take no room, and rounding a mean shifts all latents alike. Labels are integers, and what is kept in double
    precision needs it.
    """
    if tensor.dtype != torch.float32 or tensor.ndim < 2:
        return tensor
    halved = tensor.to(torch.float16)
    if not bool(halved.isfinite().all()):
        raise InputError(
            f"The weights {name!r} hold values up to {float(tensor.abs().max()):.3g}, but half precision ends at "
            "65504. Save the model with half=False."
        )
    return halved


def _parameters(estimator: Any) -> dict[str, Any]:
    """Constructor parameters as JSON values, without those of a single training."""
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


def metadata_sha256(metadata: dict[str, Any]) -> str:
    """Hash of the contents of estimator.json, whatever its formatting, without this hash itself."""
    hashes = {name: value for name, value in metadata["sha256"].items() if name != ESTIMATOR}
    payload = json.dumps({**metadata, "sha256": hashes}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(payload.encode()).hexdigest()


def model_sha256(path: Path) -> str:
    """Hash that a saved model states of itself: that of estimator.json, which holds those of all other files."""
    return str(read_json(path / ESTIMATOR)["sha256"][ESTIMATOR])


def file_sha256(path: Path) -> str:
    """Hash of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
