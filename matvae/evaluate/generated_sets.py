"""Realizations of held-out latents, compared with the structures that were encoded and with a true region.

One structure is realized per latent, so that the generated set has the volume fractions and feature sizes of the
held-out one as far as the latents hold them; what remains is the fault of the model and of its realizations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..data import Structures
from ..data.subsets import select, spread_indices
from ..errors import InputError
from ..estimator import FittedModel, StatsVAETransformer
from ..estimator.textures import choose_method
from ..shown import Shown
from ..stats.independent_windows import independent_windows
from .material_measures import measure_structures
from .phase_errors import PhaseErrors, phase_errors
from .resemblance import Resemblance, resemblance
from .set_distances import SetComparison, compare_measured
from .verdict import distinct_rows, percent, verdict

# Structures realized by default: fewer where they are large, since a volume takes tens of seconds, and none where not
# even FEWEST would be realized in minutes.
MOST, FEWEST, VOXELS = 48, 4, 2**21
# Voxels of the training structures that each generated one is compared with, times the number of generated ones.
SEARCHED_VOXELS = 2**27
# Share of realizations that agree more with a training structure than any true one does, above which this is stated: of
# as many new structures, about one would.
MOST_COPIES = 0.1
# Voxels along each axis that measures need.
LEAST_SIDE = 4


@dataclass(frozen=True, repr=False)
class GeneratedSet(Shown):
    """A set of generated structures beside the true ones that it stands for.

    Parameters
    ----------
    comparison : SetComparison
        Of all measures, with the training structures as the other true region.
    resemblance : Resemblance or None
        To training structures and among each other; None where no training structures are known.
    phases : list of PhaseErrors
    names, axes : sequence of str
        Of phases and of spatial axes.
    method : str
        How the structures were realized.
    training : str
        Which structures are the other true region; empty without any.
    n_searched : int
        Training structures that each generated one was compared with.
    n_independent : float
        True structures without overlap that show as much material as the held-out ones.
    """

    comparison: SetComparison
    resemblance: Resemblance | None
    phases: list[PhaseErrors]
    names: Sequence[str]
    axes: Sequence[str]
    method: str
    training: str
    n_searched: int
    n_independent: float

    def shown_rows(self) -> dict[str, str]:
        """The verdict, then the errors of every phase."""
        phases = {
            phase.name: f"volume fraction {phase.volume_fraction:.4g}, generated {phase.volume_fraction_bias:+.2g}; "
            f"specific surface {phase.specific_surface:.4g}, generated {phase.generated_specific_surface:.4g}"
            for phase in self.phases
        }
        return {
            "verdict": self.verdict,
            **phases,
            "realized by": self.method,
            "beside": self.training or "no other set",
        }

    @property
    def verdict(self) -> str:
        """One sentence, see `matvae.evaluate.verdict`, and one more if there are copies."""
        sentence = verdict(self.comparison, self.names, self.axes)
        n = 0 if self.resemblance is None else self.resemblance.n_copies
        if n <= MOST_COPIES * self.comparison.n_generated:
            return sentence
        return (
            f"{sentence} {n} of {self.comparison.n_generated} realizations agree more with a training structure than "
            "any held-out structure does: they copy in part."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold."""
        rows = self.comparison.to_dict()["rows"]
        for values, row in zip(rows, self.comparison.rows, strict=True):
            values["phase_name"] = self.names[row.phase]
            values["axis_name"] = None if row.axis is None else self.axes[row.axis]
            values["percent"] = percent(row)
        return {
            **self.comparison.to_dict(),
            "rows": rows,
            "verdict": self.verdict,
            "n_distinct": len(distinct_rows(self.comparison)),
            "method": self.method,
            "other_true": self.training or None,
            "n_searched": self.n_searched,
            "n_independent": self.n_independent,
            "phases": [asdict(phase) for phase in self.phases],
            "resemblance": None if self.resemblance is None else self.resemblance.to_dict(),
        }


def default_number(structures: Structures, most: int = MOST) -> int:
    """Number of structures to realize: `most`, fewer where they are large, and 0 where realizations would take long."""
    affordable = VOXELS // structures.grid.n_voxels
    return min(len(structures), most, affordable) if affordable >= FEWEST else 0


def reason_against(structures: Structures, n: int) -> str | None:
    """Reason why no set of `n` structures can be compared, or None."""
    if structures.grid.phases == 1:
        return "measures of a material concern phases, but these are continuous fields"
    if min(structures.grid.shape) < LEAST_SIDE:
        return f"measures need at least {LEAST_SIDE} voxels along every axis, but the shape is {structures.grid.shape}"
    if n == 0:
        return "no structures were to be realized (by default none are where they are large; see --n-realized)"
    if n == 1:
        return "a distribution needs two or more structures, but one was to be realized"
    return None


def realization_method(estimator: Any) -> str:
    """The model's default way to structures: ``"decoder"``, ``"examples"`` or ``"retrieval"``.

    Raises
    ------
    InputError
        If the estimator is not a `StatsVAETransformer`.
    """
    if not isinstance(estimator, StatsVAETransformer):
        raise InputError(
            f"A fitted StatsVAETransformer is expected, but a {type(estimator).__name__} was given. Sets of other "
            "structures are compared by matvae.evaluate.set_distances.compare_sets."
        )
    return choose_method(FittedModel.of(estimator).module, "auto")


def training_structures(estimator: Any, training: Structures | None, n: int) -> tuple[Any, Any, str]:
    """True structures of another region, and structures that may have been copied, with a phrase on their source.

    Parameters
    ----------
    estimator : StatsVAETransformer
    training : Structures, optional
        Structures that the model was fitted on; without them, the windows that a model of textures carries.
    n : int
        Number of generated structures.

    Returns
    -------
    (array or None, array or None, str)
        At most `n` structures, evenly spaced; as many as can be searched for copies; and the phrase, empty if none
        are known.
    """
    if training is not None:
        structures, source = training, "training structures"
    else:
        examples = FittedModel.of(estimator).module.examples.cpu().numpy()
        if not len(examples):
            return None, None, ""
        structures, source = Structures(examples, estimator.grid_), "windows that the model carries as examples"
    searched = max(n, SEARCHED_VOXELS // (n * structures.grid.n_voxels))
    region, candidates = (
        select(structures, spread_indices(len(structures), most)).data.compute() for most in (n, searched)
    )
    # A distribution cannot be estimated from a single structure.
    return (region if len(region) > 1 else None), candidates, source


def compare_generated(
    estimator: Any,
    generated: np.ndarray,
    true: np.ndarray,
    training: Structures | None,
    *,
    names: Sequence[str],
    axes: Sequence[str],
    random_state: int = 0,
) -> GeneratedSet:
    """Compare realizations of latents with the structures that were encoded.

    Parameters
    ----------
    estimator : StatsVAETransformer
        Fitted; its `periodic` decides whether structures continue on their opposite side.
    generated, true : array ``(sample, *space)``
        Labels: realizations by the model's default method, and the originals in the same order.
    training : Structures, optional
        As in `training_structures`.
    names, axes : sequence of str
        Of phases and of spatial axes.
    random_state : int
        Seed of the bootstrap.

    Returns
    -------
    GeneratedSet

    Raises
    ------
    InputError
        As in `compare_sets` and `resemblance`.
    """
    phases = len(names)
    other, candidates, source = training_structures(estimator, training, len(generated))
    measured = [
        measure_structures(labels, phases=phases, periodic=bool(estimator.periodic))
        for labels in (generated, true, other)
        if labels is not None
    ]
    return GeneratedSet(
        comparison=compare_measured(*measured, random_state=random_state),
        resemblance=None if candidates is None else resemblance(generated, true, candidates, phases=phases),
        phases=phase_errors(measured[0], measured[1], names),
        names=names,
        axes=axes,
        method=realization_method(estimator),
        training=source if other is not None else "",
        n_searched=0 if candidates is None else len(candidates),
        n_independent=independent_windows(np.asarray(true)),
    )
