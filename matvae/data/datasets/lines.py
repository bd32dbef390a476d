"""Lines: a few straight lines on an empty background, the simplest structures with countable features."""

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
# A placement succeeds with a probability of at least 1 % (checked by the constructor); so many in a row never all fail.
MIN_ACCEPTANCE = 0.01
MAX_PLACEMENTS = 10_000


class Line(NamedTuple):
    """A horizontal or vertical bar: its first corner and its extent in pixels, each as (y, x)."""

    corner: tuple[int, int]
    extent: tuple[int, int]
    along: int
    """Axis parallel to the line: 0 for a vertical line, 1 for a horizontal one."""


class Lines:
    """Straight lines, horizontal or vertical with equal probability, and each number of lines equally often.

    Lines lie entirely inside the image. Two lines of the same orientation never touch, not even at a corner or across
    the periodic boundary, and where one continues the other, the gap is wider than the thickness of any line. Hence no
    crossing line can bridge it, and the number of lines of each orientation can be determined from the image without
    ambiguity. Lines of different orientation may cross.

    The number of lines, their orientations and their sizes are drawn first; only their positions are drawn again if two
    lines are too close. Thus all allowed placements are equally likely, and no number of lines is favoured.

    Parameters
    ----------
    shape : (int, int)
        Pixels along y and x, at least 16 each.
    n_lines : int or (int, int)
        Smallest and largest number of lines.
    thickness : int or (int, int)
        Smallest and largest thickness in pixels of a 224 x 224 image; scales with the shorter side, and is at least 1.
    length : int or (int, int)
        Smallest and largest length in pixels of a 224 x 224 image; scales with the side parallel to the line. A line is
        always longer than twice the largest possible thickness.

    Raises
    ------
    InputError
        If a value is out of range, or if the lines do not fit into an image of this size.
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
                f"but size {'x'.join(str(n) for n in shape)} was given. Choose a larger size."
            )
        self.grid = Grid(tuple(shape), phases=2, periodic=True)
        self.n_lines = integer_range("n_lines", n_lines, low=1)
        thinnest, thickest = integer_range("thickness", thickness, low=1)
        shortest, longest = integer_range("length", length, low=1)

        scale = min(shape) / REFERENCE_SIZE
        self.thickness = max(1, round(thinnest * scale)), max(1, round(thickest * scale))
        min_length = 2 * self.thickness[1] + 1
        # (shortest, longest) for lines along y and along x
        self.length = tuple(
            (
                max(min_length, round(shortest * n / REFERENCE_SIZE)),
                max(min_length, round(longest * n / REFERENCE_SIZE)),
            )
            for n in shape
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
        bars = [self._bar(*draws) for draws in rng.random((n, 3)).tolist()]
        for _ in range(MAX_PLACEMENTS):
            lines = [
                Line(self._corner(extent, *draws), extent, along)
                for (extent, along), draws in zip(bars, rng.random((n, 2)).tolist(), strict=True)
            ]
            if not any(self._too_close(a, b) for a, b in combinations(lines, 2)):
                return lines
        raise InputError(
            f"{n} lines could not be placed in an image of size {self.grid.shape} in {MAX_PLACEMENTS} attempts. "
            "Choose fewer or thinner lines, or a larger image."
        )

    def _bar(self, orientation: float, thickness: float, length: float) -> tuple[tuple[int, int], int]:
        """Return the extent and the axis of a line for three draws from [0, 1)."""
        along = int(orientation < 0.5)
        across_pixels = _uniform(self.thickness, thickness)
        along_pixels = _uniform(self.length[along], length)
        return ((across_pixels, along_pixels) if along else (along_pixels, across_pixels)), along

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
        thickness, n_lines = self.thickness[1], self.n_lines[1]
        size = "x".join(str(n) for n in self.grid.shape)
        for n, (_, longest) in zip(self.grid.shape, self.length, strict=True):
            if longest > n - thickness - 1:
                raise InputError(
                    f"Lines with a length of up to {longest} and a thickness of up to {thickness} pixels do not fit "
                    f"into an image of size {size} with a gap at the border. Choose shorter or thinner lines."
                )
            # Worst case: parallel lines side by side, each of which excludes 2 * thickness + 1 positions of the next.
            n_positions = n - thickness + 1
            acceptance = prod(max(0.0, 1 - k * (2 * thickness + 1) / n_positions) for k in range(n_lines))
            if acceptance < MIN_ACCEPTANCE:
                raise InputError(
                    f"{n_lines} lines with a thickness of up to {thickness} pixels are too many to keep apart in an "
                    f"image of size {size}. Choose fewer or thinner lines, or a larger image."
                )


def _uniform(bounds: tuple[int, int], draw: float) -> int:
    low, high = bounds
    return low + int(draw * (high - low + 1))
