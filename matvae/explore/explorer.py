"""What the page asks of a model: previews while a slider moves, realizations, meanings of components, designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.subsets import spread_indices
from ..errors import InputError
from ..estimator import FittedModel, load
from ..estimator.realizations import plan_inverse
from ..evaluate.phase_errors import phase_names
from ..grid import Grid
from ..jobs.models import check_form, open_fitting
from ..memory import check_memory
from ..optimize import Property, make_property, optimize_latents, reach, unit_on
from ..optimize.measuring import LatentDecoder, measure_all
from ..optimize.predicted import TextureDecoder
from ..optimize.region import Region
from ..optimize.task import Task
from ..optimize.windows import MeasuredWindows, TrainingWindows
from ..stats.metric import lag_lengths
from .meanings import anisotropies, correlated

# Points of the latent map, and windows whose errors tell what is usual.
MOST_POINTS, MOST_MEASURED = 400, 64
BINS = 24
# Half the range of a slider where no training windows are known, in standard deviations of the prior.
PRIOR_RANGE = 3.0
# Structures at once, and voxels of all of them, that a page shows.
MOST_REALIZATIONS, MOST_VOXELS = 16, 1 << 24
# Largest statistics that are sent to the page along an axis, on either side of zero lag.
SHOWN_LAGS = 32
# Realizations and steps of a design: less than `matvae optimize` takes, since someone is waiting.
DESIGN_REALIZATIONS, DESIGN_STEPS = 2, 60


@dataclass(frozen=True)
class Shown:
    """What the page shows of a latent.

    Parameters
    ----------
    structures : ndarray of uint8 ``(realization, *space)``
    statistics : ndarray of float32 ``(*lag)``
        Autocorrelation of the last phase, in the plane of the last two axes, with zero lag at the centre.
    values : dict of str to float
        Properties by label.
    score : float
        Distance from the training latents: at most 1 within the distance of 95 % of these to their nearest neighbour.
    how : str
        Where the structures come from, in a few words.
    """

    structures: np.ndarray
    statistics: np.ndarray
    values: dict[str, float]
    score: float
    how: str


class Explorer:
    """A fitted model, with all that its page needs.

    Parameters
    ----------
    model : path
        Fitted on structures of two or more phases.
    data : path, optional
        Structures to show on the latent map, in any format that `open_structures` reads; by default the training
        windows that the model carries, if any.

    Raises
    ------
    InputError, StoreError
        If the model cannot be read, is one of continuous fields, or does not fit the data.
    """

    def __init__(self, model: str | Path, data: str | Path | None = None) -> None:
        self.name = Path(model).stem
        self.model = load(model)
        check_form(self.model, model)
        self.fitted = FittedModel.of(self.model)
        self.grid: Grid = self.model.grid_
        if self.grid.phases < 2:
            raise InputError(
                f"{model} is a model of continuous fields, and structures of phases are explored. Fit a model on "
                "segmented structures (matvae import --threshold otsu)."
            )
        structures = None if data is None else open_fitting(data, self.model, model)
        self.phase_names = (
            [f"phase {phase}" for phase in range(self.grid.phases)]
            if structures is None
            else phase_names(structures, self.grid.phases)
        )
        chosen = None if structures is None else spread_indices(len(structures), MOST_POINTS)
        given = None if structures is None else structures.data[chosen]
        self.windows = TrainingWindows.of(self.model, given)

    @property
    def n_components(self) -> int:
        """Number of components of a latent."""
        return self.model.module_.spec.n_components

    @cached_property
    def properties(self) -> dict[str, Property]:
        """Properties by the label under which the page shows them."""
        names = ["volume_fraction"]
        if len(set(self.grid.voxel_size or (1.0,))) == 1:
            names.append("specific_surface")
        return {
            f"{name.replace('_', ' ')} of {self.phase_names[phase]}": make_property(name, phase=phase)
            for name in names
            for phase in range(1, self.grid.phases)
        }

    @cached_property
    def measured(self) -> MeasuredWindows | None:
        """Windows of the map with the values of the properties."""
        if self.windows is None:
            return None
        some = spread_indices(len(self.windows.latents), MOST_POINTS)
        few = TrainingWindows(self.windows.latents[some], self.windows.structures[some])
        goals = [reach(property, 0.0) for property in self.properties.values()]
        task = Task(tuple(_labelled(goal, label) for goal, label in zip(goals, self.properties, strict=True)), ())
        return few.measured(task, self.grid, len(some))

    @cached_property
    def region(self) -> Region:
        """Latents near those of the training windows, or of the prior."""
        if self.windows is None or len(self.windows.latents) < 10:
            return Region.of_prior(self.n_components)
        return Region.of_data(self.windows.latents, self.n_components)

    @cached_property
    def decoder(self) -> LatentDecoder:
        """Structures and property values as functions of the latent."""
        if self.fitted.decodes_structures:
            return LatentDecoder(self.model)
        return TextureDecoder.of(self.model, self.properties, self.measured)

    def description(self) -> dict[str, Any]:
        """All that the page needs once, as JSON values: components, map, properties, grid."""
        grid, measured = self.grid, self.measured
        return {
            "name": self.name,
            "shape": list(grid.shape),
            "axes": list(grid.axes or ()),
            "voxel_size": None if grid.voxel_size is None else list(grid.voxel_size),
            "unit": grid.length_unit,
            "phases": self.phase_names,
            "components": self._components(),
            "properties": self._ranges(),
            "map": None
            if measured is None
            else {
                "latents": measured.latents.tolist(),
                "values": {label: measured.values[:, k].tolist() for k, label in enumerate(self.properties)},
            },
            "any_size": not self.fitted.decodes_structures,
            "most_realizations": MOST_REALIZATIONS,
        }

    def preview(self, latent: Sequence[float]) -> Shown:
        """Show a latent at once: decoded statistics and properties, with the structure that is quickest to have.

        For a decoder of statistics, this is the training window whose latent is nearest.
        """
        z = self._tensor(latent)
        if self.fitted.decodes_structures:
            return self._shown(z, self.fitted.labels(z.numpy()), "decoded")
        if self.windows is None:
            return self._shown(z, self.realized(z.numpy(), "retrieval", 1, None, 0), "realized from statistics alone")
        nearest = int((torch.from_numpy(self.windows.latents) - z).square().sum(1).argmin())
        return self._shown(z, self.windows.structures[nearest][None], "nearest training window")

    def realize(
        self, latent: Sequence[float], *, n: int = 1, shape: Sequence[int] | None = None, seed: int = 0
    ) -> Shown:
        """Realize structures of a latent.

        Parameters
        ----------
        latent : sequence of float
        n : int
            Number of different structures, at most 16.
        shape : sequence of int, optional
            Voxels along each axis; by default those of the training windows.
        seed : int

        Raises
        ------
        InputError
            If there are too many structures or voxels, or the decoder gives one shape only.
        """
        z = self._tensor(latent)
        if not 1 <= n <= MOST_REALIZATIONS:
            raise InputError(f"1 to {MOST_REALIZATIONS} structures are shown at a time, but {n} were asked for.")
        sides = self.grid.shape if shape is None else tuple(int(side) for side in shape)
        if n * int(np.prod(sides, dtype=np.int64)) > MOST_VOXELS:
            raise InputError(
                f"{n} structures of {' x '.join(map(str, sides))} voxels are too many for a page. Show fewer or "
                "smaller ones here, and make large ones by matvae inverse --shape."
            )
        structures = self.realized(z.numpy(), "auto", n, None if sides == self.grid.shape else sides, seed)
        how = "decoded" if self.fitted.decodes_structures else "realized with patches of training windows"
        return self._shown(z, structures, how)

    def realized(self, latents: np.ndarray, method: str, n: int, shape: Sequence[int] | None, seed: int) -> np.ndarray:
        """Labels ``(realization, *space)`` of one latent ``(1, component)``."""
        if self.fitted.decodes_structures:
            plan_inverse(self.fitted, realize="auto", shape=shape, as_fractions=False, refine=False, patch="auto")
            if n == 1:
                return self.fitted.labels(latents)
            return self.decoder.realizations(torch.from_numpy(latents), n, seed)[0]
        sides = self.grid.shape if shape is None else tuple(shape)
        return np.asarray(
            self.model.inverse_transform(latents, n_realizations=n, random_state=seed, shape=sides, realize=method)
        )[0]

    def encode(self, structure: np.ndarray) -> tuple[list[float], float, float]:
        """Encode one structure.

        Parameters
        ----------
        structure : ndarray ``(*space)``
            Labels.

        Returns
        -------
        latent : list of float
        error : float
            Relative error of the statistics decoded from it.
        usual : float
            Error that 95 % of the windows of the map do not exceed; NaN without any.
        """
        samples = self._as_passed(structure[None])
        latent = self.fitted.latents(samples)[0]
        return latent.tolist(), float(self.fitted.errors(samples)[0]), self.usual_error

    @cached_property
    def usual_error(self) -> float:
        """Relative error of decoded statistics that 95 % of the windows of the map do not exceed; NaN without any."""
        if self.windows is None:
            return float("nan")
        some = spread_indices(len(self.windows.structures), MOST_MEASURED)
        return float(np.quantile(self.fitted.errors(self._as_passed(self.windows.structures[some])), 0.95))

    def design(self, targets: Mapping[str, float], seed: int = 0) -> tuple[list[float], dict[str, float]]:
        """Search for a latent whose structures have target values of properties.

        Parameters
        ----------
        targets : mapping of str to float
            By the labels of `properties`.
        seed : int

        Returns
        -------
        latent : list of float
        achieved : dict of str to float
            Means over realizations.

        Raises
        ------
        InputError
            If there is no target, or one of another property.
        """
        if not targets or not set(targets) <= set(self.properties):
            raise InputError(
                f"Targets are expected for some of {', '.join(self.properties)}, but {', '.join(targets) or 'none'} "
                "were given."
            )
        goals = [_labelled(reach(self.properties[label], value), label) for label, value in targets.items()]
        found = optimize_latents(
            self.model,
            goals,
            n_candidates=1,
            n_realizations=DESIGN_REALIZATIONS,
            latents=None if self.windows is None or len(self.windows.latents) < 10 else self.windows.latents,
            max_iter=DESIGN_STEPS,
            random_state=seed,
        )
        return found.latents[0].tolist(), {label: float(values[0]) for label, values in found.achieved.items()}

    def _shown(self, z: torch.Tensor, structures: np.ndarray, how: str) -> Shown:
        statistics = self.fitted.decoded_statistics(z.numpy())[0]
        return Shown(
            np.ascontiguousarray(structures, dtype=np.uint8),
            _central_plane(statistics[..., self._shown_pair]),
            self._values(z),
            float(self.region.score(z)[0]),
            how,
        )

    @cached_property
    def _shown_pair(self) -> int:
        """Autocorrelation of the last phase for which there is one."""
        return max(k for k, (i, j) in enumerate(self.model.module_.spec.pairs) if i == j)

    def _values(self, z: torch.Tensor) -> dict[str, float]:
        if self.fitted.decodes_structures:
            values, _ = measure_all(self.properties.values(), self.fitted.labels(z.numpy()), self.grid)
        else:
            with torch.no_grad():
                values = self.decoder.soft_values(self.properties, z).cpu().numpy()
        return {label: float(value) for label, value in zip(self.properties, values[0], strict=True)}

    def _tensor(self, latent: Sequence[float]) -> torch.Tensor:
        z = np.asarray(latent, dtype=np.float32)
        if z.shape != (self.n_components,) or not np.isfinite(z).all():
            raise InputError(f"A latent of {self.n_components} finite numbers is expected, but {latent} was given.")
        return torch.from_numpy(z[None])

    def _as_passed(self, labels: np.ndarray) -> np.ndarray:
        return self.fitted.layout.restore(labels, self.grid.phases)

    def _components(self) -> list[dict[str, Any]]:
        if self.measured is None:
            plain = {"low": -PRIOR_RANGE, "high": PRIOR_RANGE, "start": 0.0, "counts": [], "meaning": []}
            return [plain for _ in range(self.n_components)]
        latents = self.measured.latents
        values = {label: self.measured.values[:, k] for k, label in enumerate(self.properties)}
        features = values | anisotropies(self.measured.structures, self.grid)
        components = []
        for column in latents.T:
            counts, edges = np.histogram(column, BINS)
            components.append(
                {
                    "low": float(edges[0]),
                    "high": float(edges[-1]),
                    "start": float(np.median(column)),
                    "counts": counts.tolist(),
                    "meaning": correlated(column, features),
                }
            )
        return components

    def _ranges(self) -> list[dict[str, Any]]:
        ranges = []
        for k, (label, property) in enumerate(self.properties.items()):
            column = np.array([np.nan]) if self.measured is None else self.measured.values[:, k]
            known = column[np.isfinite(column)]
            low, high = (float(known.min()), float(known.max())) if known.size else (None, None)
            ranges.append({"label": label, "unit": unit_on(property, self.grid), "low": low, "high": high})
        return ranges


def check_size(shape: Sequence[int], what: str) -> None:
    """Refuse an image that does not fit into memory."""
    check_memory(
        8 * int(np.prod(shape, dtype=np.int64)),
        device="cpu",
        what=what,
        remedy="Crop it, and drop the part of interest.",
    )


def _labelled(goal: Any, label: str) -> Any:
    return type(goal)(goal.property, goal.sense, goal.target, label)


def _central_plane(values: np.ndarray) -> np.ndarray:
    """Statistics ``(y, x)`` in the plane through zero lag, as far as they are shown."""
    lengths = lag_lengths(values.shape)
    centre = np.unravel_index(int(np.asarray(lengths).argmin()), values.shape)
    plane = values[tuple(centre[:-2])] if values.ndim > 2 else values
    part = (
        tuple(slice(max(0, c - SHOWN_LAGS), c + SHOWN_LAGS + 1) for c in centre[-2:])
        if values.ndim > 1
        else (slice(None),)
    )
    return np.ascontiguousarray(np.atleast_2d(plane[part]), dtype=np.float32)
