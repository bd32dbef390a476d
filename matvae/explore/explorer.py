"""Explorer: what a page asks of a fitted model, from plain values to plain values.

It remembers no visitor: each request carries its whole state, so that tabs do not disturb one another, and a page goes
on after its server was started again. The exception is a thorough search, which takes minutes; see `searching`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np

from ..data import Structures
from ..errors import InputError
from ..estimator import FittedModel
from ..grid import Grid
from ..stats import relative_error
from ..stats.map_samples import as_tensor
from .design import Designer, read_targets
from .dropped import Encoder
from .exported import export, formats
from .known import Known, central
from .measures import measured
from .packed import describe_grid, finite, pack, pack_statistics
from .preview import Previewer
from .searching import MOST_CANDIDATES, Searches, Wanted, read_number
from .state import MOST_REALIZATIONS, MOST_VOXELS, State, mapping_of, read_latent

# Realizations that are kept, so that what is shown is exported without being realized again.
MOST_KEPT = 8


class Explorer:
    """Answers the questions of a page about one model.

    Parameters
    ----------
    model : StatsVAETransformer
        Fitted on structures.
    data : Structures, optional
        Shown on the map instead of the windows that the model carries.
    name : str
        Of the model, for the title.
    materials : sequence of str, optional
        Material of each structure of the data, if there are several.
    location : str
        Where the model is, for the commands that the page shows.
    """

    def __init__(
        self,
        model: Any,
        data: Structures | None = None,
        name: str = "model",
        materials: Sequence[str] = (),
        *,
        location: str = "MODEL",
    ) -> None:
        self.model, self.name, self.location = model, name, location
        self.fitted = FittedModel.of(model)
        self.grid: Grid = model.grid_
        self.n_components = int(model.module_.spec.n_components)
        self.known = Known.of(model, data, materials)
        self.previewer = Previewer(model, self.known)
        self.designer = Designer(model, self.known, self.previewer)
        self.encoder = Encoder(model, self.known)
        self.searches = Searches()
        self._kept: OrderedDict[State, np.ndarray] = OrderedDict()
        # One realization at a time: two would both be slow.
        self._realizing = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """Everything about the model that a page shows from the start."""
        known = self.known
        named = known.named_values()
        return {
            "name": self.name,
            "grid": describe_grid(self.grid, self.model.card_.phase_names),
            "texture": not self.fitted.decodes_structures,
            "start": central(self.model, known).tolist(),
            "components": known.components(self.n_components),
            "measures": [
                {
                    "name": measure.name,
                    "text": measure.text,
                    "unit": measure.unit,
                    "low": finite(np.nanmin(known.values[:, k])) if measure.text in named else None,
                    "high": finite(np.nanmax(known.values[:, k])) if measure.text in named else None,
                }
                for k, measure in enumerate(known.measures)
            ],
            "origin": known.origin,
            "latents": known.latents.tolist(),
            "colours": [
                {"name": name, "unit": unit, "values": [finite(value) for value in values]}
                for name, (values, unit) in named.items()
            ],
            "materials": list(known.materials),
            "formats": formats(),
            "most_realizations": MOST_REALIZATIONS,
            "most_voxels": MOST_VOXELS,
            "most_candidates": MOST_CANDIDATES,
        }

    def preview(self, given: Any) -> dict[str, Any]:
        """Structure, decoded statistics and predicted measures of the latent of a state."""
        latent = np.array(read_latent(mapping_of(given).get("latent"), self.n_components), np.float32)
        shown = self.previewer.of(latent)
        return {
            "structure": pack(shown.structure),
            "statistics": pack_statistics(shown.statistics, self.fitted.module.spec.pairs),
            "values": [finite(value) for value in shown.values],
            "nearest": self.previewer.nearest(latent),
            # Above 1 where the model is not to be trusted.
            "distance": float(self.known.region.score(as_tensor(latent[None]))[0]),
        }

    def realize(self, given: Any) -> dict[str, Any]:
        """Realizations of a state, their measures, and how far their statistics are from the decoded ones."""
        state = State.read(given, self.n_components, self.grid)
        structures = self._realized(state)
        grid = replace(self.grid, shape=state.shape)
        values = measured(self.known.measures, structures, grid)
        return {
            "structures": [pack(structure) for structure in structures],
            "values": [[finite(value) for value in row] for row in values],
            "errors": None if state.shape != self.grid.shape else self._errors(state, structures),
        }

    def export(self, given: Any) -> tuple[str, bytes, list[str]]:
        """File with the realizations of a state: its name, its content, and what its reader should know.

        ``format`` of the request is the name of a writer.
        """
        state = State.read(given, self.n_components, self.grid)
        structures = self._realized(state)
        grid = replace(self.grid, shape=state.shape, origin=None)
        return export(Structures(structures, grid), str(mapping_of(given).get("format")), "structures")

    def encode(
        self, name: str, content: bytes, *, corner: Sequence[int] | None = None, swap: bool = False
    ) -> dict[str, Any]:
        """Window of a dropped file, where it was cut, its latent, and how far it lies outside of what is known."""
        dropped = self.encoder.of(name, content, corner=corner, swap=swap)
        if not np.isfinite(dropped.latent).all():
            raise InputError("The model has no latent for this image. Drop one with more of the material.")
        return {
            "window": pack(dropped.window),
            "corner": list(dropped.corner),
            "shape": list(dropped.shape),
            "small": pack(dropped.small),
            "latent": dropped.latent.tolist(),
            "error": finite(dropped.error),
            "score": None if dropped.score is None else finite(dropped.score),
            "values": [finite(v) for v in measured(self.known.measures, dropped.window[None], self.grid)[0]],
            "notes": dropped.notes,
        }

    def design(self, given: Any) -> dict[str, Any]:
        """Latent whose predicted measures are closest to ``targets``, numbers by the names of measures."""
        wanted = self._wanted(given)
        found = self.designer.reach(wanted.targets)
        return {
            "latent": found.latent.tolist(),
            "predicted": {name: finite(value) for name, value in found.predicted.items()},
            "miss": finite(found.miss),
            "command": wanted.command(self.location),
        }

    def search(self, given: Any) -> dict[str, Any]:
        """Start the search of `matvae optimize` for ``targets``, and return its identifier and its command."""
        wanted = self._wanted(given)
        return {"id": self.searches.start(wanted), "command": wanted.command(self.location)}

    def searched(self, identifier: str) -> dict[str, Any]:
        """How far a search is, or its candidates."""
        return self.searches.describe(identifier)

    def cancel(self, identifier: str) -> dict[str, Any]:
        """End a search, and return what it is then."""
        return self.searches.cancel(identifier)

    def _wanted(self, given: Any) -> Wanted:
        targets = read_targets(given, self.known.measures)
        return Wanted(self.model, self.designer, targets, read_number(given))

    def _realized(self, state: State) -> np.ndarray:
        """Structures ``(realization, *space)`` of a state."""
        with self._realizing:
            if state in self._kept:
                self._kept.move_to_end(state)
                return self._kept[state]
            n = None if state.n_realizations == 1 else state.n_realizations
            # A decoder of structures has one shape; others are realized from its statistics.
            other = state.shape != self.grid.shape
            realize = "retrieval" if other and self.fitted.decodes_structures else "auto"
            # Of these latents, the one with the number of the sample is realized.
            latents = da.from_array(np.repeat(state.array[None], state.sample + 1, axis=0), chunks=(1, -1), name=False)
            lazy = self.model.inverse_transform(
                latents,
                n_realizations=n,
                random_state=state.seed,
                shape=state.shape if other else None,
                realize=realize,
            )
            found = lazy[state.sample].compute(scheduler="synchronous")
            structures = np.asarray(found).reshape(state.n_realizations, *state.shape)
            self._kept[state] = structures
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return structures

    def _errors(self, state: State, structures: np.ndarray) -> list[float | None]:
        decoded = self.fitted.decoded_statistics(state.array[None])
        own = self.fitted.statistics(self.fitted.restore(structures))
        errors = relative_error(as_tensor(np.repeat(decoded, len(own), axis=0)), as_tensor(own))
        return [finite(float(error)) for error in errors]
