"""ModelSpec: everything needed to rebuild a model, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..stats import lag_shape
from ..stats.metric import PLAIN


@dataclass(frozen=True)
class ModelSpec:
    """Sizes and names from which a `StatsVAE` is built.

    Parameters
    ----------
    shape : tuple of int
        Voxels of a structure along each axis.
    phases : int
        Number of local states; 1 for a continuous field.
    pairs : tuple of (int, int)
        Correlations, as pairs of states.
    periodic, cutoff
        As in `two_point_stats`.
    n_components : int
        Size of the latent.
    encoder, decoder : str
        Registered names; the decoder ``"auto"`` is resolved by `plan_model`.
    width : int
        Hidden units per layer.
    coarse : tuple of int, optional
        Voxels along each axis per voxel of the coarsest grid, on which training starts and whose statistics the encoder
        reads; None without a coarse grid.
    metric : ``"plain"`` or ``"lags"``
        How much a difference of statistics counts at each lag, see `matvae.stats.metric`; ``"auto"`` is resolved by
        `plan_model`.
    decoder_options : mapping of str to JSON values
        Options that the decoder chose in its `plan`.
    reason : str
        Reason for the choice of the decoder; empty if it was not automatic.
    """

    shape: tuple[int, ...]
    phases: int
    pairs: tuple[tuple[int, int], ...]
    periodic: bool
    cutoff: tuple[int, ...] | None
    n_components: int
    encoder: str
    decoder: str
    width: int
    coarse: tuple[int, ...] | None = None
    metric: str = PLAIN
    decoder_options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = field(default="", compare=False)

    @property
    def channels(self) -> int:
        """Independent values per voxel: H-1 fractions, or the field itself."""
        return max(1, self.phases - 1)

    @property
    def lag_shape(self) -> tuple[int, ...]:
        """Number of lags along each axis."""
        return lag_shape(self.shape, self.periodic, self.cutoff)

    @property
    def all_lags(self) -> bool:
        """True if statistics cover every lag of the torus."""
        return self.periodic and self.cutoff is None

    @property
    def states(self) -> tuple[int, ...]:
        """States that occur in a pair."""
        return tuple(sorted({state for pair in self.pairs for state in pair}))

    @property
    def only_autocorrelations(self) -> bool:
        """Whether no two different states are correlated, so that statistics are symmetric in the lag."""
        return all(first == second for first, second in self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSpec:
        """Build a spec from the result of `to_dict`, including that of earlier versions."""
        arguments = dict(values)
        if "decoder_options" not in arguments:
            # Version 0.1.0 stored the options of a decoder among the fields, and None where the decoder had none.
            options = {name: arguments.pop(name) for name in arguments.keys() - {field.name for field in fields(cls)}}
            arguments["decoder_options"] = {name: value for name, value in options.items() if value is not None}
        arguments["shape"] = tuple(arguments["shape"])
        arguments["pairs"] = tuple((int(i), int(j)) for i, j in arguments["pairs"])
        coarse = arguments.get("coarse")
        arguments["coarse"] = None if coarse is None else tuple(coarse)
        arguments["cutoff"] = None if arguments["cutoff"] is None else tuple(arguments["cutoff"])
        return cls(**arguments)
