"""Decoding of latents and measurement of properties; a property that fails on a structure does not end a search."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import torch
from torch import Tensor

from ..crew import ALONE, Crew
from ..errors import InputError
from ..estimator import FittedModel
from ..grid import Grid
from .property import Measured, Property

# Values of soft fractions that are held in memory at once.
BLOCK_VALUES = 1 << 23


@dataclass(frozen=True)
class LatentDecoder:
    """Structures of a fitted model as a function of its latents.

    Parameters
    ----------
    model : StatsVAETransformer
    crew : Crew
        Who realizes structures, where each takes long.
    """

    model: Any
    crew: Crew = ALONE

    @property
    def grid(self) -> Grid:
        """Grid of one structure."""
        return self.model.grid_

    def soft(self, z: Tensor) -> Tensor:
        """Soft fractions ``(sample, phase, *space)``, with a gradient, on the model's device."""
        module = self.model.module_
        return module.decode(z.to(module.field_mean))

    def soft_values(self, properties: Mapping[str, Property], z: Tensor) -> Tensor:
        """Values ``(sample, property)`` of the soft structures of latents, with a gradient."""
        fractions = self.soft(z)
        return torch.stack([property.soft(fractions, self.grid) for property in properties.values()], dim=-1)

    def structures(self, z: Tensor) -> np.ndarray:
        """Labels ``(sample, *space)``."""
        return FittedModel.of(self.model).labels(z.detach().cpu().numpy())

    def realizations(self, z: Tensor, n: int, seed: int, on_part: Callable[[int], None] | None = None) -> np.ndarray:
        """Labels ``(sample, n, *space)`` of n different realizations of each latent.

        `on_part` is called with numbers of latents as soon as they are realized.
        """
        latents = z.detach().cpu().numpy()
        sharpen = FittedModel.of(self.model).sharpen
        blocks = []
        for start in range(0, len(latents), step := self.block_size(n)):
            fractions = self.model.inverse_transform(
                latents[start : start + step], n_realizations=n, random_state=seed + start, as_fractions=True
            )
            labels = sharpen(torch.from_numpy(fractions).flatten(0, 1)).numpy()
            blocks.append(labels.reshape(-1, n, *self.grid.shape))
            if on_part is not None:
                on_part(len(blocks[-1]))
        return np.concatenate(blocks)

    def shown(self, z: Tensor, realizations: np.ndarray) -> np.ndarray:
        """Structures ``(sample, *space)`` to show for latents with these realizations: those of the latents alone."""
        return self.structures(z)

    def block_size(self, n_realizations: int = 1) -> int:
        """Number of latents to decode at once."""
        return max(1, BLOCK_VALUES // (self.grid.n_voxels * self.grid.phases * n_realizations))


def measure_all(properties: Iterable[Property], structures: np.ndarray, grid: Grid) -> tuple[np.ndarray, list[str]]:
    """Measure properties of labels ``(sample, *space)``.

    Properties that are not differentiable are assumed to be expensive: dask measures their structures in parallel, on
    threads or on the cluster of the active client.

    Returns
    -------
    ndarray ``(sample, property)``, list of str
        Values, NaN where a property is not defined, and all reasons for missing values.
    """
    values, reasons = [], []
    for property in properties:
        run = measure if property.differentiable else _measure_in_parallel
        measured = run(property, structures, grid)
        values.append(measured.values)
        reasons += [f"{property.name}: {reason}" for reason in measured.reasons if reason is not None]
    return np.stack(values, axis=1), reasons


def measure(property: Property, structures: np.ndarray, grid: Grid) -> Measured:
    """Measure a property; if it raises, measure each structure by itself and record the errors as reasons."""
    try:
        measured = property.measure(structures, grid)
        values = np.asarray(measured.values, dtype=np.float64)
        if values.shape != (len(structures),) or len(measured.reasons) != len(structures):
            raise InputError(
                f"The property {property.name!r} must return one value and one reason per structure, but returned "
                f"values of shape {values.shape} and {len(measured.reasons)} reasons for {len(structures)} structures. "
                "Correct the property; matvae.testing.check_property shows details."
            )
    # A property is user code: whatever it raises is recorded, and the search continues.
    except Exception as error:  # noqa: BLE001
        if len(structures) == 1:
            return Measured(np.full(1, np.nan), (f"{type(error).__name__}: {error}",))
        return _join(measure(property, structures[i : i + 1], grid) for i in range(len(structures)))
    is_finite = np.isfinite(values)
    reasons = tuple(
        None if finite else reason or "It is not a finite number."
        for finite, reason in zip(is_finite, measured.reasons, strict=True)
    )
    return Measured(np.where(is_finite, values, np.nan), reasons)


def _measure_in_parallel(property: Property, structures: np.ndarray, grid: Grid) -> Measured:
    calls = (dask.delayed(measure)(property, structures[i : i + 1], grid) for i in range(len(structures)))
    return _join(dask.compute(*calls))


def _join(parts: Iterable[Measured]) -> Measured:
    parts = list(parts)
    reasons = tuple(reason for part in parts for reason in part.reasons)
    return Measured(np.concatenate([part.values for part in parts]), reasons)


def check_any_measured(values: np.ndarray, reasons: Iterable[str]) -> None:
    """Refuse values ``(sample, property)`` if no sample has all of them.

    Raises
    ------
    InputError
        With the reasons for missing values.
    """
    if not np.isfinite(values).all(1).any():
        details = "; ".join(sorted(set(reasons)))
        raise InputError(
            f"None of the {len(values)} structures measured has all properties{f' ({details})' if details else ''}. "
            "Choose another property, or a model of structures that have it."
        )


def mean_and_std(
    properties: Iterable[Property], realizations: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Mean and standard deviation of properties over realizations ``(sample, n, *space)``.

    Returns
    -------
    mean, std, fraction : ndarray ``(sample, property)``
        The last is the fraction of the realizations on which the property is defined.
    reasons : list of str
        Reasons for missing values.
    """
    n_samples, n_realizations = realizations.shape[:2]
    values, reasons = measure_all(properties, realizations.reshape(-1, *grid.shape), grid)
    values = values.reshape(n_samples, n_realizations, -1)
    is_finite = np.isfinite(values)
    count = is_finite.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(is_finite, values, 0.0).sum(1) / count
        variance = (np.where(is_finite, values - mean[:, None], 0.0) ** 2).sum(1) / (count - 1)
    std = np.where(count > 1, np.sqrt(np.maximum(variance, 0)), np.where(count == 1, 0.0, math.nan))
    return mean, std, count / n_realizations, reasons
