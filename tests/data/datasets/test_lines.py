from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from matvae.data.datasets.lines import Line, Lines
from matvae.errors import InputError


def draw(generator: Lines, n: int, seed: int = 0) -> tuple[np.ndarray, list[dict[str, float]]]:
    samples = [generator.sample(np.random.default_rng([seed, index])) for index in range(n)]
    return np.stack([labels for labels, _ in samples]), [properties for _, properties in samples]


def count_on_torus(image: np.ndarray) -> int:
    """Count 8-connected components with periodic boundaries."""
    labels, n = ndimage.label(np.pad(image, 1, mode="wrap"), np.ones((3, 3)))
    parent = list(range(n + 1))

    def root(piece: int) -> int:
        while parent[piece] != piece:
            piece = parent[piece]
        return piece

    seen: dict[tuple[int, int], int] = {}
    height, width = image.shape
    for (y, x), piece in np.ndenumerate(labels):
        if piece:
            first = seen.setdefault(((y - 1) % height, (x - 1) % width), piece)
            parent[root(first)] = root(piece)
    return len({root(piece) for piece in range(1, n + 1)})


def open_along(image: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Periodic morphological opening with a straight element."""
    tiled = np.pad(image, length, mode="wrap")
    element = np.ones((length, 1) if axis == 0 else (1, length), bool)
    return ndimage.binary_opening(tiled, element)[length:-length, length:-length]


@pytest.mark.parametrize(("shape", "n"), [((224, 224), 120), ((64, 64), 500), ((32, 32), 700), ((16, 40), 400)])
def test_numbers_of_lines_equal_those_counted_in_the_images(shape, n):
    generator = Lines(shape)
    images, properties = draw(generator, n)
    longer_than_thick = generator.thickness[1] + 1
    for image, numbers in zip(images, properties, strict=True):
        assert count_on_torus(open_along(image, 1, longer_than_thick)) == numbers["n_horizontal"]
        assert count_on_torus(open_along(image, 0, longer_than_thick)) == numbers["n_vertical"]
        assert numbers["n_lines"] == numbers["n_horizontal"] + numbers["n_vertical"]


def test_images_of_one_orientation_have_as_many_pieces_as_lines():
    images, properties = draw(Lines((64, 64)), 1500, seed=1)
    pure = [i for i, numbers in enumerate(properties) if not (numbers["n_horizontal"] and numbers["n_vertical"])]
    assert len(pure) > 500
    assert [count_on_torus(images[i]) for i in pure] == [properties[i]["n_lines"] for i in pure]


@pytest.mark.parametrize("size", [16, 32, 224])
def test_numbers_and_orientations_are_equally_frequent(size):
    """At 16 px most placements of four parallel lines are rejected, which must not make them less frequent."""
    n = 4000
    lines = [Lines((size, size)).place(np.random.default_rng([3, index])) for index in range(n)]
    counts = np.bincount([len(placed) for placed in lines], minlength=5)[1:]
    assert np.abs(counts - n / 4).max() < 4 * np.sqrt(n * 0.25 * 0.75)
    along = np.array([line.along for placed in lines for line in placed])
    assert abs(along.mean() - 0.5) < 4 * 0.5 / np.sqrt(along.size)
    of_four = np.bincount([sum(line.along for line in placed) for placed in lines if len(placed) == 4], minlength=5)
    expected = np.array([1, 4, 6, 4, 1]) / 16
    scatter = np.sqrt(of_four.sum() * expected * (1 - expected))
    assert (np.abs(of_four - of_four.sum() * expected) < 4 * scatter).all()


def test_sizes_and_positions_cover_the_documented_range():
    lines = [line for i in range(3000) for line in Lines().place(np.random.default_rng([5, i]))]
    across = [line.extent[1 - line.along] for line in lines]
    lengths = [line.extent[line.along] for line in lines]
    assert set(across) == {3, 4, 5}
    assert (min(lengths), max(lengths)) == (20, 180)
    assert abs(np.mean(lengths) - 100) < 3
    for axis in (0, 1):
        assert min(line.corner[axis] for line in lines) == 0
        assert max(line.corner[axis] + line.extent[axis] for line in lines) == 224


@pytest.mark.parametrize(
    ("shape", "thickness", "length"),
    [
        ((224, 224), (3, 5), ((20, 180), (20, 180))),
        ((448, 448), (6, 10), ((40, 360), (40, 360))),
        ((64, 64), (1, 1), ((6, 51), (6, 51))),
        ((32, 32), (1, 1), ((3, 26), (3, 26))),
        ((32, 448), (1, 1), ((3, 26), (40, 360))),
    ],
)
def test_sizes_scale_with_the_image(shape, thickness, length):
    generator = Lines(shape)
    assert generator.thickness == thickness
    assert generator.length == length


def test_lines_are_too_close_if_they_touch_or_could_be_bridged():
    generator = Lines((64, 64))  # thickness 1: at least one free row next to a line, and two free pixels at its ends
    a = Line((10, 10), (1, 20), along=1)
    apart = [Line((12, 10), (1, 20), 1), Line((10, 32), (1, 20), 1), Line((10, 15), (20, 1), 0)]
    close = [Line((11, 10), (1, 20), 1), Line((11, 30), (1, 9), 1), Line((10, 31), (1, 20), 1)]
    assert not any(generator._too_close(a, line) or generator._too_close(line, a) for line in apart)
    assert all(generator._too_close(a, line) and generator._too_close(line, a) for line in close)
    across_boundary = Line((0, 10), (1, 20), 1), Line((63, 25), (1, 20), 1)
    assert generator._too_close(*across_boundary)
    assert generator._too_close(*across_boundary[::-1])
    assert generator._too_close(Line((5, 0), (1, 20), 1), Line((5, 44), (1, 20), 1))


@pytest.mark.parametrize(
    ("shape", "parameters", "message"),
    [
        ((12, 64), {}, "at least 16 pixels along each side, but size 12x64"),
        ((64,), {}, "Lines need a 2-D image"),
        ((64, 64, 64), {}, "Lines need a 2-D image"),
        ((64, 64), {"n_lines": (4, 1)}, "n_lines must be an integer"),
        ((64, 64), {"n_lines": 0}, "n_lines must be an integer of at least 1"),
        ((64, 64), {"n_lines": (1, 40)}, "40 lines with a thickness of up to 1 pixels are too many"),
        ((64, 64), {"length": 240}, "do not fit into an image of size 64x64"),
        ((64, 64), {"thickness": 2.5}, "thickness must be an integer"),
    ],
)
def test_invalid_parameters_are_refused_at_once(shape, parameters, message):
    with pytest.raises(InputError, match=message):
        Lines(shape, **parameters)


def test_the_number_of_lines_can_be_fixed():
    _, properties = draw(Lines((64, 64), n_lines=3), 50)
    assert {numbers["n_lines"] for numbers in properties} == {3.0}
