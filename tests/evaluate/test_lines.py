from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets.lines import Lines
from matvae.errors import InputError
from matvae.evaluate import count_lines


def image(*bars: tuple[slice, slice], size: int = 32) -> np.ndarray:
    labels = np.zeros((1, size, size), np.uint8)
    for y, x in bars:
        labels[0, y, x] = 1
    return labels


@pytest.mark.parametrize(("shape", "n"), [((224, 224), 100), ((64, 64), 300), ((32, 32), 500), ((16, 40), 300)])
def test_numbers_are_those_of_the_generator_in_every_image(shape, n):
    generator = Lines(shape)
    samples = [generator.sample(np.random.default_rng([0, k])) for k in range(n)]
    expected = [[numbers["n_horizontal"], numbers["n_vertical"]] for _, numbers in samples]
    images = np.stack([labels for labels, _ in samples])
    assert count_lines(images, element=generator.thickness[1] + 1).tolist() == expected


def test_what_is_no_line_is_not_counted():
    assert count_lines(image(), element=4).tolist() == [[0, 0]]
    assert count_lines(image((slice(3, 6), slice(3, 6))), element=4).tolist() == [[0, 0]]
    assert count_lines(1 - image(), element=4).tolist() == [[1, 1]]


def test_crossing_lines_are_two_and_touching_ones_are_one():
    cross = image((slice(10, 12), slice(2, 20)), (slice(2, 25), slice(8, 10)))
    assert count_lines(cross, element=4).tolist() == [[1, 1]]
    corner = image((slice(10, 12), slice(2, 12)), (slice(12, 14), slice(12, 22)))
    assert count_lines(corner, element=4).tolist() == [[1, 0]]


@pytest.mark.parametrize("shift", [(0, 0), (15, 0), (0, 23), (21, 25)])
def test_borders_do_not_matter(shift):
    lines = image((slice(10, 12), slice(2, 20)), (slice(2, 25), slice(26, 28)), (slice(20, 21), slice(2, 9)))
    assert count_lines(np.roll(lines, shift, (1, 2)), element=4).tolist() == [[2, 1]]


@pytest.mark.parametrize("element", [3, 4, 5, 6, 7])
def test_a_line_is_counted_down_to_the_length_of_the_element(element):
    short, long = (image((slice(4, 5), slice(6, 6 + n))) for n in (element - 1, element))
    assert count_lines(np.concatenate([short, long]), element=element).tolist() == [[0, 0], [1, 0]]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"\(sample, y, x\) are expected, but an array of shape \(32, 32\)"):
        count_lines(image()[0], element=4)
    for element in (1, 33):
        with pytest.raises(InputError, match=f"element must be 2 voxels .* but {element} was given"):
            count_lines(image(), element=element)
