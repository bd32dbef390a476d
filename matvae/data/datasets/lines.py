"""Lines: a few straight lines on an empty background, the simplest structures with something to count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import prod
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...grid import Grid
from .parameters import integer_range

# The size at which thickness and length are given in pixels; both scale with the image.
REFERENCE_SIZE = 224
MIN_SIZE = 16
# With a chance of at least 1 % a placement (checked when the generator is made), this many fail never.
MIN_ACCEPTANCE = 0.01
MAX_PLACEMENTS = 10_000


class Line(NamedTuple):
    """A horizontal or vertical bar, in pixels: its first corner and its extent, each as (y, x)."""

    corner: tuple[int, int]
    extent: tuple[int, int]
    along: int
    """Axis the line runs along: 0 for a vertical line, 1 for a horizontal one."""


class Lines:
    """Straight lines, horizontal or vertical with equal chance, each number of lines equally often.

    Lines lie wholly inside the image. Two lines of one orientation never touch, not even at a corner or
    across the periodic border, and where they lie one behind the other the gap is wider than any line is
    thick. No crossing line can therefore bridge it, and the number of lines of each orientation can be read
    off the image without doubt. Lines of different orientation may cross.

    The number of lines, their orientations and sizes are drawn first; only their places are drawn again when
    two lines come too close. So all allowed placements are equally likely and no number of lines is favoured.

    Parameters
    ----------
    shape : (int, int)
        Pixels along y and x, at least 16 each.
    n_lines : int or (int, int)
        Fewest and most lines.
    thickness : int or (int, int)
        Thinnest and thickest line in pixels of a 224 x 224 image; scales with the shorter side, at least 1.
    length : int or (int, int)
        Shortest and longest line in pixels of a 224 x 224 image; scales with the side the line runs along. A
        line is always longer than twice its largest possible thickness.

    Raises
    ------
    InputError
        If a value is out of range, or if so many lines do not fit into an image of that size.
    """

    property_names = ("n_horizontal", "n_vertical", "n_lines")
    units: Mapping[str, str] = {}

    def __init__(
        self,
        shape: Sequence[int] = (REFERENCE_SIZE, REFERENCE_SIZE),
        *,
        n_lines: int | tuple[int, int] = (1, 4),
        thickness: int | tuple[int, int] = (3, 5),
        length: int | tuple[int, int] = (20, 180),
    ) -> None:
        if len(shape) != 2 or min(shape) < MIN_SIZE:
            raise InputError(
                f"Lines need a 2-D image of at least {MIN_SIZE} pixels along each side, "
                f"but size {'x'.join(str(n) for n in shape)} was given."
            )
        self.grid = Grid(tuple(shape), phases=2, periodic=True)
        self.n_lines = integer_range("n_lines", n_lines, low=1)
        thin, thick = integer_range("thickness", thickness, low=1)
        short, long = integer_range("length", length, low=1)

        scale = min(shape) / REFERENCE_SIZE
        self.thickness = max(1, round(thin * scale)), max(1, round(thick * scale))
        least = 2 * self.thickness[1] + 1
        # (shortest, longest) for lines along y and along x
        self.length = tuple(
            (max(least, round(short * n / REFERENCE_SIZE)), max(least, round(long * n / REFERENCE_SIZE))) for n in shape
        )
        self._check_that_lines_fit()

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, float]]:
        """Draw one image ``(y, x)`` and its numbers of lines."""
        lines = self.place(rng)
        labels = np.zeros(self.grid.shape, np.uint8)
        for (y, x), (height, width), _ in lines:
            labels[y : y + height, x : x + width] = 1
        horizontal = sum(line.along for line in lines)
        numbers = (horizontal, len(lines) - horizontal, len(lines))
        return labels, dict(zip(self.property_names, map(float, numbers), strict=True))

    def place(self, rng: np.random.Generator) -> list[Line]:
        """Draw the lines of one image."""
        n = int(rng.integers(*self.n_lines, endpoint=True))
        kinds = [self._kind(*draws) for draws in rng.random((n, 3)).tolist()]
        for _ in range(MAX_PLACEMENTS):
            lines = [
                Line(self._corner(extent, *draws), extent, along)
                for (extent, along), draws in zip(kinds, rng.random((n, 2)).tolist(), strict=True)
            ]
            if not any(self._too_close(a, b) for a, b in combinations(lines, 2)):
                return lines
        raise InputError(
            f"{n} lines found no place in an image of size {self.grid.shape} in {MAX_PLACEMENTS} tries. "
            "Ask for fewer or thinner lines, or for a larger image."
        )

    def _kind(self, which: float, thick: float, long: float) -> tuple[tuple[int, int], int]:
        along = int(which < 0.5)
        across = _uniform(self.thickness, thick)
        length = _uniform(self.length[along], long)
        return ((across, length) if along else (length, across)), along

    def _corner(self, extent: tuple[int, int], y: float, x: float) -> tuple[int, int]:
        height, width = self.grid.shape
        return int(y * (height - extent[0] + 1)), int(x * (width - extent[1] + 1))

    def _too_close(self, a: Line, b: Line) -> bool:
        if a.along != b.along:
            return False
        for axis, n in enumerate(self.grid.shape):
            gap = self.thickness[1] + 1 if axis == a.along else 1
            ahead = (b.corner[axis] - a.corner[axis]) % n
            if gap + a.extent[axis] <= ahead <= n - gap - b.extent[axis]:
                return False
        return True

    def _check_that_lines_fit(self) -> None:
        thick, most = self.thickness[1], self.n_lines[1]
        size = "x".join(str(n) for n in self.grid.shape)
        for n, (_, longest) in zip(self.grid.shape, self.length, strict=True):
            if longest > n - thick - 1:
                raise InputError(
                    f"Lines of up to {longest} pixels, {thick} thick, do not lie inside an image of size "
                    f"{size} with a gap at the border. Ask for shorter or thinner lines."
                )
            # Worst case: parallel lines side by side, each of which denies the next 2 * thick + 1 places.
            places = n - thick + 1
            if prod(max(0.0, 1 - k * (2 * thick + 1) / places) for k in range(most)) < MIN_ACCEPTANCE:
                raise InputError(
                    f"{most} lines of up to {thick} pixels are too many to keep apart in an image of size "
                    f"{size}. Ask for fewer or thinner lines, or for a larger image."
                )


def _uniform(bounds: tuple[int, int], draw: float) -> int:
    low, high = bounds
    return low + int(draw * (high - low + 1))
