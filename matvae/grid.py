"""The grid of a structure: its shape, axes, voxel size, boundary conditions and number of phases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from numbers import Integral, Real
from typing import Any

from .errors import InputError
from .shown import Shown

DEFAULT_AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}
# 255 is the fill value of a store: it marks a voxel that was never written and is never a phase.
MAX_PHASES = 255


@dataclass(frozen=True)
class Grid(Shown):
    """The voxel grid that all structures of a set share.

    Parameters
    ----------
    shape : sequence of int
        Number of voxels along each axis, in array order: ``(x,)``, ``(y, x)`` or ``(z, y, x)``.
    phases : int
        Number of local states H. Labels run from 0 to H-1; 1 means a continuous field in one local state.
    axes : sequence of str, optional
        Axis names, by default ``x``, ``y x`` or ``z y x``.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel along each axis, in `unit`.
    unit : str, optional
        Unit of `voxel_size` and `origin`, for example ``"micrometer"``.
    origin : sequence of float, optional
        Position of the outer corner of the first voxel along each axis, in `unit`. It says where a structure lies, not
        what it is: grids that differ in their origin alone are equal.
    periodic : bool
        Whether opposite sides of a structure join, as they often do in generated structures. False for a window
        cut from something larger.

    Raises
    ------
    InputError
        If the shape does not have one to three axes of at least one voxel, or another value does not fit it.
    """

    shape: tuple[int, ...]
    phases: int = field(default=2, kw_only=True)
    axes: tuple[str, ...] | None = field(default=None, kw_only=True)
    voxel_size: tuple[float, ...] | None = field(default=None, kw_only=True)
    unit: str | None = field(default=None, kw_only=True)
    origin: tuple[float, ...] | None = field(default=None, kw_only=True, compare=False)
    periodic: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        shape = (self.shape,) if isinstance(self.shape, int) else tuple(self.shape)
        if not 1 <= len(shape) <= 3 or not all(_is_integer(n) and n >= 1 for n in shape):
            raise InputError(
                f"A grid needs one to three axes of at least one voxel each, but shape={shape} was given. "
                "Pass the shape of one structure, without the sample axis."
            )
        if not _is_integer(self.phases) or not 1 <= self.phases <= MAX_PHASES:
            raise InputError(
                f"phases must lie between 1 (a continuous field) and {MAX_PHASES}, but {self.phases!r} was given. "
                "Merge local states, or segment the image first."
            )
        axes = DEFAULT_AXES[len(shape)] if self.axes is None else tuple(self.axes)
        if len(axes) != len(shape) or len(set(axes)) != len(axes):
            raise InputError(
                f"axes must name each of the {len(shape)} axes of shape {shape} once, but {axes} was given."
            )
        object.__setattr__(self, "shape", tuple(int(n) for n in shape))
        object.__setattr__(self, "phases", int(self.phases))
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "voxel_size", voxel_edges(self.voxel_size, len(shape)))
        object.__setattr__(self, "origin", _position(self.origin, len(shape)))
        if isinstance(self.periodic, str) or self.periodic not in (True, False):
            raise InputError(f"periodic must be True or False, but {self.periodic!r} was given.")
        object.__setattr__(self, "periodic", bool(self.periodic))

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.shape)

    @property
    def n_voxels(self) -> int:
        """Number of voxels in one structure."""
        return math.prod(self.shape)

    @property
    def length_unit(self) -> str:
        """Name of the unit of lengths: voxels if their size is unknown."""
        return "voxel" if self.voxel_size is None else self.unit or "length unit"

    def shown_rows(self) -> dict[str, str]:
        """What a notebook states of the grid."""
        unit = self.length_unit
        rows = {
            "voxels": f"{' x '.join(map(str, self.shape))} ({' '.join(self.axes or ())})",
            "local states": "one, a continuous field" if self.phases == 1 else f"{self.phases} phases",
            "boundaries": "periodic" if self.periodic else "not periodic",
            "voxel size": "unknown" if self.voxel_size is None else f"{_product(self.voxel_size)} {unit}",
        }
        if self.voxel_size is not None:
            lengths = (n * edge for n, edge in zip(self.shape, self.voxel_size, strict=True))
            rows["size"] = f"{_product(lengths)} {unit}"
        if self.origin is not None:
            rows["origin"] = f"({', '.join(f'{x:g}' for x in self.origin)}) {unit}"
        return rows

    def brief(self) -> str:
        """As `describe`."""
        return self.describe()

    def describe(self) -> str:
        """Describe the grid in one line: shape, phases, boundaries and voxel size."""
        parts = [
            f"{' x '.join(map(str, self.shape))} voxels ({' '.join(self.axes or ())})",
            "continuous field" if self.phases == 1 else f"{self.phases} phases",
            "periodic" if self.periodic else "not periodic",
        ]
        if self.voxel_size:
            sizes = self.voxel_size[:1] if len(set(self.voxel_size)) == 1 else self.voxel_size
            parts.append(f"voxel {' x '.join(f'{size:g}' for size in sizes)} {self.unit or ''}".rstrip())
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the values in a form that JSON can hold; `Grid.from_dict` is the inverse."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Grid:
        """Build a grid from the output of `to_dict`."""
        return cls(
            tuple(values["shape"]),
            phases=values["phases"],
            axes=None if values.get("axes") is None else tuple(values["axes"]),
            voxel_size=None if values.get("voxel_size") is None else tuple(values["voxel_size"]),
            unit=values.get("unit"),
            origin=None if values.get("origin") is None else tuple(values["origin"]),
            periodic=values["periodic"],
        )


def _product(lengths: Iterable[float]) -> str:
    return " x ".join(f"{length:g}" for length in lengths)


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def voxel_edges(voxel_size: Any, ndim: int) -> tuple[float, ...] | None:
    """Return the edge length of a voxel along each of `ndim` axes, or None where no voxel size is given.

    Raises
    ------
    InputError
        If the voxel size is neither one positive length nor one per axis.
    """
    if voxel_size is None:
        return None
    try:
        edges = (float(voxel_size),) * ndim if isinstance(voxel_size, Real) else tuple(map(float, voxel_size))
    except (TypeError, ValueError):
        edges = ()
    if len(edges) != ndim or not all(math.isfinite(edge) and edge > 0 for edge in edges):
        raise InputError(
            f"voxel_size must be one positive length, or one for each of the {ndim} axes, but {voxel_size!r} was given."
        )
    return edges


def _position(origin: Any, ndim: int) -> tuple[float, ...] | None:
    """Return the coordinates of the origin along each of `ndim` axes, or None where it is unknown."""
    if origin is None:
        return None
    try:
        position = tuple(map(float, origin))
    except (TypeError, ValueError):
        position = ()
    if len(position) != ndim or not all(map(math.isfinite, position)):
        raise InputError(f"origin must be one finite coordinate for each of the {ndim} axes, but {origin!r} was given.")
    return position
