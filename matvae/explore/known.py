"""Structures that the explorer knows, with their latents and measures: the ranges, the map and the meanings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..data import Structures
from ..data.subsets import select, spread_indices
from ..data.windows import POSITION
from ..errors import InputError
from ..evaluate.walks import central_latent
from ..optimize.believability import texture_of
from ..optimize.region import Region
from ..optimize.windows import TrainingWindows
from .measures import Measure, elongations, measured, measures_of

# More structures make neither the distributions nor the map clearer; of volumes fewer, since all are measured at start.
MOST_STRUCTURES, MOST_VOXELS, LEAST_STRUCTURES = 1000, 1 << 22, 100
# Fewer structures do not tell where latents lie.
LEAST_KNOWN = 10
# The prior is the standard normal distribution: this range holds nearly all of it.
PRIOR_RANGE = 3.0
# Bins of a distribution; a range extends beyond the extremes by this share.
BINS, MARGIN = 24, 0.1
# A correlation coefficient below this is not called a meaning.
LEAST_CORRELATION = 0.3


@dataclass(frozen=True)
class Known:
    """Structures with their latents.

    Parameters
    ----------
    latents : ndarray ``(sample, component)``
    structures : ndarray ``(sample, *space)``
    measures : list of Measure
    values : ndarray ``(sample, measure)``
    others : mapping of str to ndarray ``(sample,)``
        Further values by name: elongations, and properties of the data.
    units : mapping of str to str
    origin : str
        What the structures are, in words.
    materials : list of str
        Material of each structure; empty if there is one only.
    """

    latents: np.ndarray
    structures: np.ndarray
    measures: list[Measure]
    values: np.ndarray
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    materials: Sequence[str] = ()

    @classmethod
    def of(cls, model: Any, data: Structures | None = None, materials: Sequence[str] = ()) -> Known:
        """Take the structures of `data`, or else those that the model carries, spread over the set.

        `materials` are those of the data.

        Raises
        ------
        InputError
            If no structure of `data` can be encoded.
        """
        grid, others, units = model.grid_, {}, {}
        most = max(LEAST_STRUCTURES, min(MOST_STRUCTURES, MOST_VOXELS // grid.n_voxels))
        if data is None:
            windows = TrainingWindows.of(model)
            n_components = model.module_.spec.n_components
            if windows is None:
                latents, structures = np.empty((0, n_components), np.float32), np.empty((0, *grid.shape), np.uint8)
                origin = "none: the model carries no training windows"
            else:
                kept = spread_indices(len(windows.latents), most)
                latents, structures = windows.latents[kept], windows.structures[kept]
                origin = "training windows that the model carries"
        else:
            indices = spread_indices(len(data), most)
            chosen = select(data, indices)
            structures = chosen.data.compute()
            latents = np.asarray(model.transform(structures))
            usable = np.isfinite(latents).all(1)
            if not usable.any():
                raise InputError(
                    f"None of the {len(latents)} structures of the data can be encoded by the model. Choose data whose "
                    "masks leave more voxels."
                )
            structures, latents = structures[usable], latents[usable]
            # Where a window was cut says nothing about its structure.
            others = {
                name: values[usable]
                for name, values in chosen.properties.items()
                if name != "source" and not name.startswith(POSITION)
            }
            units = {name: unit for name, unit in chosen.units.items() if name in others}
            materials = [materials[int(i)] for i in indices[usable]] if materials else ()
            origin = "structures of the data"
        measures = measures_of(grid)
        if grid.phases > 1 and len(structures):
            others["pieces per 1000 voxels"] = texture_of(structures, grid)[:, 0]
        others |= {f"elongation along {axis}": values for axis, values in elongations(structures, grid).items()}
        values = measured(measures, structures, grid) if len(structures) else np.empty((0, len(measures)))
        return cls(latents, structures, measures, values, others, units, origin, materials)

    def __len__(self) -> int:
        return len(self.latents)

    @cached_property
    def region(self) -> Region:
        """Latents near the known ones; where these are too few, those of the prior."""
        n_components = self.latents.shape[1]
        if len(self) < LEAST_KNOWN:
            return Region.of_prior(n_components)
        return Region.of_data(self.latents, n_components)

    def named_values(self) -> dict[str, tuple[np.ndarray, str]]:
        """Values ``(sample,)`` and unit of everything that is known of the structures, by name in words."""
        named = {measure.text: (self.values[:, k], measure.unit) for k, measure in enumerate(self.measures)}
        named |= {name: (values, self.units.get(name, "")) for name, values in self.others.items()}
        return {name: pair for name, pair in named.items() if np.isfinite(pair[0]).any()}

    def components(self, n_components: int) -> list[dict[str, Any]]:
        """Describe every component: ``low``, ``high``, ``counts`` of its distribution, ``meaning``."""
        return [self._component(k) for k in range(n_components)]

    def _component(self, k: int) -> dict[str, Any]:
        if not len(self):
            meaning = "Unknown: the model carries no training windows. Open it with data to see what it means."
            return {"low": -PRIOR_RANGE, "high": PRIOR_RANGE, "counts": [], "meaning": meaning}
        column = self.latents[:, k].astype(float)
        margin = MARGIN * max(float(np.ptp(column)), 1e-3)
        low, high = float(column.min()) - margin, float(column.max()) + margin
        counts = np.histogram(column, bins=BINS, range=(low, high))[0].tolist()
        return {"low": low, "high": high, "counts": counts, "meaning": self._meaning(column)}

    def _meaning(self, column: np.ndarray) -> str:
        found = list[tuple[float, str]]()
        for name, (values, _) in self.named_values().items():
            coefficient = correlation(column, values)
            if coefficient:
                found.append((abs(coefficient), f"{name} ({coefficient:+.2f})".replace("-", "\N{MINUS SIGN}")))
        if not found:
            return "Nothing is known of the structures that it could correlate with."
        found.sort(reverse=True)
        clear = [text for size, text in found[:3] if size >= LEAST_CORRELATION]
        if not clear:
            return f"No clear meaning; it correlates most with {found[0][1]}."
        return f"Correlates with {', '.join(clear)}."


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation coefficient over the samples where both are finite; 0 where one of them is constant."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3:
        return 0.0
    a, b = first[both] - first[both].mean(), second[both] - second[both].mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 1e-12 * both.sum() else 0.0


def central(model: Any, known: Known) -> np.ndarray:
    """Latent ``(component,)`` to start from: that of the most central known structure, or the centre of the prior."""
    if not len(known):
        return np.zeros(model.module_.spec.n_components, np.float32)
    return central_latent(known.latents)
