"""Fitted models read from the folder that `saving` writes; no code in it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from .._version import __version__
from ..errors import InputError, PluginError, StoreError
from ..files import parse_json, read_json
from ..grid import Grid
from ..model import ModelSpec, StatsVAE, resolve_device
from ..model.device import place
from ..shortage import raise_shortage
from ..warn import warn
from .agreement import check_agreement, check_sizes, check_weights
from .card import ModelCard
from .parameters import check_parameters
from .pretrained import PREFIX, model_folder
from .sample_layout import SampleLayout
from .saving import ESTIMATOR, HISTORY, README, SCHEMA, WEIGHTS, file_sha256, metadata_sha256
from .transformer import StatsVAETransformer


def load(path: Any) -> StatsVAETransformer:
    """Read a model that `StatsVAETransformer.save` or ``matvae fit`` wrote.

    Parameters
    ----------
    path : path or str
        The folder ``NAME.matvae``, or ``"pretrained:NAME"`` of a model that matvae brings along.

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
    folder = model_folder(path)
    metadata = _read_metadata(folder)
    try:
        estimator = _restored(metadata, folder)
    except PluginError:
        # An encoder or decoder of a plugin that is not installed; the message says so.
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
        raise_shortage(error)
        reason = str(error).rstrip(".") if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise StoreError(
            f"The model {folder} is damaged: {reason}. Restore it from a copy, or fit it again."
        ) from error
    try:
        place(estimator.module_, resolve_device(estimator.device))
    except InputError as error:
        warn(
            f"The model {folder} was saved for the device {estimator.device!r}, which does not exist here; it runs on "
            f"the CPU. {error}"
        )
    return estimator


def load_pretrained(name: str) -> StatsVAETransformer:
    """Read a model of a measured material that matvae brings along.

    Its card, ``card_``, states the data, their licence and the errors that were measured.

    Parameters
    ----------
    name : str
        Such as ``"alloy"``; a wrong name is answered with those that there are.

    Returns
    -------
    StatsVAETransformer
        Fitted.

    Raises
    ------
    PluginError
        If there is no such model.
    StoreError
        If it is damaged.
    """
    return load(f"{PREFIX}{name}")


def _restored(metadata: dict[str, Any], folder: Path) -> StatsVAETransformer:
    estimator = StatsVAETransformer(**metadata["parameters"])
    device, estimator.device = str(estimator.device), "cpu"
    check_parameters(estimator)
    estimator.device = device
    spec, weights = ModelSpec.from_dict(metadata["spec"]), load_file(folder / WEIGHTS)
    check_sizes(spec, weights)
    check_weights(weights)
    # Weights are drawn at random before they are loaded; the user's own random numbers must not change.
    with torch.random.fork_rng(devices=[]):
        module = StatsVAE(spec)
    module.load_state_dict(weights)
    estimator.module_ = module.eval()
    estimator.grid_ = Grid.from_dict(metadata["grid"])
    estimator._layout = SampleLayout.from_dict(metadata["input"])
    estimator.n_features_in_ = int(metadata["n_features_in"])
    if metadata["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.asarray(metadata["feature_names_in"], dtype=object)
    estimator.latent_spread_ = np.asarray(metadata["latent_spread"], dtype=np.float32)
    estimator.card_ = ModelCard.from_dict(metadata.get("card") or {})
    estimator.n_iter_ = int(metadata["n_iter"])
    lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
    estimator.history_ = [dict(parse_json(line)) for line in lines]
    check_agreement(estimator)
    return estimator


def _read_metadata(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise InputError(
            f"A matvae model (a folder NAME.matvae) is expected, but {folder} {state}. Name the folder that fit wrote."
        )
    if not (folder / ESTIMATOR).is_file():
        raise InputError(f"{folder} is not a matvae model: it has no {ESTIMATOR}. Name the folder that fit wrote.")
    try:
        metadata = read_json(folder / ESTIMATOR)
        schema, versions = metadata["schema"], dict(metadata["versions"])
        hashes = dict(metadata["sha256"])
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise StoreError(
            f"The model {folder} is damaged: {ESTIMATOR} cannot be read ({error}). Fit it again."
        ) from error
    if schema != SCHEMA:
        raise StoreError(
            f"The model {folder} has schema {schema}, but this version of matvae ({__version__}) reads schema "
            f"{SCHEMA}. Use the version that wrote it ({versions.get('matvae', 'unknown')}), or fit it again."
        )
    if metadata_sha256(metadata) != hashes.get(ESTIMATOR):
        raise StoreError(
            f"The model {folder} is damaged: {ESTIMATOR} does not have the SHA-256 that it states. Restore it from a "
            "copy, or fit it again."
        )
    # Models of earlier versions have no card.
    for name in (WEIGHTS, HISTORY, *[README] * (README in hashes)):
        if not (folder / name).is_file():
            raise StoreError(f"The model {folder} is incomplete: {name} is missing. Restore it, or fit it again.")
        if file_sha256(folder / name) != hashes.get(name):
            raise StoreError(
                f"The model {folder} is damaged: {name} does not have the SHA-256 that {ESTIMATOR} states. Restore it "
                "from a copy, or fit it again."
            )
    return metadata
