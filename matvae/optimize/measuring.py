"""Decoding latents, and measuring properties of what comes out, without a property's failure ending a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..grid import Grid
from .property import Measured, Property

# Values of soft fractions that are held at once.
PART_VALUES = 1 << 23


@dataclass(frozen=True)
class Decoder:
    """Latents to structures of a fitted model.

    Parameters
    ----------
    model : StatsVAETransformer
    """

    model: Any

    @property
    def grid(self) -> Grid:
        """What one structure is."""
        return self.model.grid_

    def soft(self, z: Tensor) -> Tensor:
        """Soft fractions ``(sample, phase, *space)`` on the CPU or the model's device, with a gradient."""
        module = self.model.module_
        return module.decode(z.to(module.field_mean))

    def structures(self, z: Tensor) -> np.ndarray:
        """Labels ``(sample, *space)`` of latents."""
        return self.model._inference().labels(z.detach().cpu().numpy())

    def realizations(self, z: Tensor, n: int, seed: int) -> np.ndarray:
        """Labels ``(sample, n, *space)``: so many different structures of each latent."""
        latents = z.detach().cpu().numpy()
        sharpen = self.model._inference()._sharpen
        made = []
        for start in range(0, len(latents), step := self.at_once(n)):
            soft = self.model.inverse_transform(
                latents[start : start + step], n_realizations=n, random_state=seed + start, as_fractions=True
            )
            labels = sharpen(torch.from_numpy(soft).flatten(0, 1)).numpy()
            made.append(labels.reshape(-1, n, *self.grid.shape))
        return np.concatenate(made)

    def at_once(self, copies: int = 1) -> int:
        """Latents that are decoded at once."""
        return max(1, PART_VALUES // (self.grid.n_voxels * self.grid.phases * copies))


def measure_all(properties: Sequence[Property], structures: np.ndarray, grid: Grid) -> tuple[np.ndarray, list[str]]:
    """Values ``(sample, property)`` of labels ``(sample, *space)``, NaN where there is none, and all reasons why.

    What is not differentiable is taken to be costly: its structures are measured in parallel by dask, on threads or on
    the cluster of the client that is active.
    """
    columns = [
        measure(one, structures, grid) if one.differentiable else _in_parallel(one, structures, grid)
        for one in properties
    ]
    reasons = [
        f"{one.name}: {reason}"
        for one, found in zip(properties, columns, strict=True)
        for reason in found.reasons
        if reason is not None
    ]
    return np.stack([found.values for found in columns], axis=1), reasons


def measure(wanted: Property, structures: np.ndarray, grid: Grid) -> Measured:
    """What a property measures; where it raises, each structure on its own, with the error as the reason."""
    try:
        found = wanted.measure(structures, grid)
        values = np.asarray(found.values, dtype=np.float64)
        if values.shape != (len(structures),) or len(found.reasons) != len(structures):
            raise InputError(
                f"The property {wanted.name!r} measured {values.shape} values with {len(found.reasons)} reasons of "
                f"{len(structures)} structures. Correct the property; matvae.testing.check_property tells more."
            )
    # A property is a user's own code: whatever it raises is recorded and the search goes on.
    except Exception as error:  # noqa: BLE001
        if len(structures) == 1:
            return Measured(np.full(1, np.nan), (f"{type(error).__name__}: {error}",))
        parts = [measure(wanted, structures[i : i + 1], grid) for i in range(len(structures))]
        return Measured(np.concatenate([p.values for p in parts]), tuple(r for p in parts for r in p.reasons))
    known = np.isfinite(values)
    reasons = tuple(
        None if ok else reason or "It is not a finite number." for ok, reason in zip(known, found.reasons, strict=True)
    )
    return Measured(np.where(known, values, np.nan), reasons)


def _in_parallel(wanted: Property, structures: np.ndarray, grid: Grid) -> Measured:
    parts = dask.compute(*(dask.delayed(measure)(wanted, structures[i : i + 1], grid) for i in range(len(structures))))
    return Measured(np.concatenate([p.values for p in parts]), tuple(r for p in parts for r in p.reasons))


def mean_and_spread(
    properties: Sequence[Property], realizations: np.ndarray, grid: Grid
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Mean and standard deviation ``(sample, property)`` over realizations ``(sample, n, *space)``.

    Also the share of realizations that have the properties, ``(sample, property)``, and the reasons of the others.
    """
    n, copies = realizations.shape[:2]
    values, reasons = measure_all(properties, realizations.reshape(-1, *grid.shape), grid)
    values = values.reshape(n, copies, -1)
    known = np.isfinite(values)
    count = known.sum(1)
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(1) / count
        variance = (np.where(known, values - mean[:, None], 0.0) ** 2).sum(1) / (count - 1)
    spread = np.where(count > 1, np.sqrt(np.maximum(variance, 0)), np.where(count == 1, 0.0, math.nan))
    return mean, spread, count / copies, reasons
