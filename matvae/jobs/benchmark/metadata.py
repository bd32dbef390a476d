"""Metadata of a result: settings, versions, machine, commands."""

from __future__ import annotations

import os
import platform
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..._version import __version__
from ..metadata import count_weights, training_parameters
from .settings import BenchmarkSettings

LIBRARIES = ("torch", "numpy", "scikit-learn", "zarr", "transformers")


def run_metadata(estimator: Any, settings: BenchmarkSettings, folder: Path) -> dict[str, Any]:
    """Metadata of one run, ready for JSON.

    Returns
    -------
    dict
        ``settings`` (parameters of the estimator), ``n_weights``, ``epochs`` and ``steps`` of its training,
        ``versions``, ``machine`` and ``commands``: ``run``, ``resume`` and ``longer``.
    """
    import torch

    device = next(estimator.module_.parameters()).device
    parameters = training_parameters(estimator)
    return {
        "settings": {name: list(v) if isinstance(v, tuple) else v for name, v in parameters.items()},
        "n_weights": count_weights(estimator),
        "epochs": estimator.n_iter_,
        "steps": estimator.history_[-1]["step"],
        "versions": {"matvae": __version__, "python": platform.python_version(), **_library_versions()},
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        },
        "commands": commands(settings, folder),
    }


def commands(settings: BenchmarkSettings, folder: Path) -> dict[str, str]:
    """Command lines: this run, its continuation, and a longer one."""
    options = {
        "--preset": settings.preset,
        "--size": settings.size,
        "--n": settings.n,
        "--n-test": settings.n_test,
        "--n-components": settings.n_components,
        "--seed": settings.seed,
        "--weights": settings.weights,
        "--batch-size": settings.batch_size,
        "--device": None if settings.device == "auto" else settings.device,
        "-o": str(folder),
    }
    arguments = [part for name, value in options.items() if value is not None for part in (name, str(value))]

    def line(seconds: float, *more: str) -> str:
        return shlex.join(["matvae", "benchmark", "paper", *arguments, "--max-time", f"{seconds:g}", *more])

    return {
        "run": line(settings.max_time),
        "resume": line(settings.max_time, "--resume"),
        "longer": line(4 * settings.max_time, "--overwrite"),
    }


def _library_versions() -> dict[str, str]:
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            # An optional dependency that was not needed.
            continue
    return versions
