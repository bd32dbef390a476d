"""ModelSpec: all that is needed to build a model again, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..stats import lag_shape


@dataclass(frozen=True)
class ModelSpec:
    """Sizes and names from which a `StatsVAE` is built.

    Parameters
    ----------
    shape : tuple of int
        One structure's voxels along each axis.
    phases : int
        Number of local states; 1 for a continuous field.
    pairs : tuple of (int, int)
        Correlations, as states.
    periodic, cutoff
        As in `two_point_stats`.
    n_components : int
        Size of the latent.
    encoder, decoder : str
        Registered names; the decoder ``"auto"`` is resolved by `plan_model`.
    width : int
        Hidden units of a layer.
    coarse : tuple of int, optional
        Voxels along each axis that are one on the coarse grid, on which training starts and of which the encoder reads
        the statistics; None where there is no coarse grid.
    decoder_options : mapping of str to JSON values
        What the decoder chose for itself by its `plan`.
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
    decoder_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Independent values a voxel: H-1 fractions, or the field itself."""
        return max(1, self.phases - 1)

    @property
    def lag_shape(self) -> tuple[int, ...]:
        """Number of lags along each axis."""
        return lag_shape(self.shape, self.periodic, self.cutoff)

    @property
    def all_lags(self) -> bool:
        """Whether statistics cover every lag of the torus."""
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
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSpec:
        """Build a spec from what `to_dict` gave, also from that of earlier versions."""
        known = dict(values)
        if "decoder_options" not in known:
            # Version 0.1.0 stored the options of a decoder among the fields, and None where the decoder had none.
            options = {name: known.pop(name) for name in known.keys() - {field.name for field in fields(cls)}}
            known["decoder_options"] = {name: value for name, value in options.items() if value is not None}
        known["shape"] = tuple(known["shape"])
        known["pairs"] = tuple((int(i), int(j)) for i, j in known["pairs"])
        coarse = known.get("coarse")
        known["coarse"] = None if coarse is None else tuple(coarse)
        known["cutoff"] = None if known["cutoff"] is None else tuple(known["cutoff"])
        return cls(**known)
