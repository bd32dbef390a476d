"""Lines are counted correctly in images of the data set, and in damaged ones as far as the element allows."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets.lines import Lines
from matvae.errors import InputError
from matvae.evaluate import LineErrors, count_lines, line_element
from matvae.evaluate.measure import RoundTrip


def image(*bars: tuple[slice, slice], size: int = 32) -> np.ndarray:
    labels = np.zeros((1, size, size), np.uint8)
    for y, x in bars:
        labels[0, y, x] = 1
    return labels


def draw(generator: Lines, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Images, and the numbers of lines drawn in them."""
    samples = [generator.sample(np.random.default_rng([0, k])) for k in range(n)]
    numbers = [[record["n_horizontal"], record["n_vertical"]] for _, record in samples]
    return np.stack([labels for labels, _ in samples]), np.array(numbers)


@pytest.mark.parametrize(("shape", "n"), [((224, 224), 100), ((64, 64), 300), ((32, 32), 500), ((16, 40), 300)])
def test_numbers_equal_those_of_the_generator_in_every_image(shape, n):
    generator = Lines(shape)
    images, expected = draw(generator, n)
    for element in (generator.thickness[1] + 1, line_element(shape)):
        np.testing.assert_array_equal(count_lines(images, element=element), expected)


@pytest.mark.parametrize("size", [224, 64, 32])
def test_any_element_between_the_thickest_and_the_shortest_line_counts_crowded_images_correctly(size):
    """Images of six lines that touch only where they cross, many of which are close to each other."""
    parameters = {"n_lines": 6, "length": (20, 120)}
    generator = Lines((size, size), **parameters)
    images, expected = draw(generator, 40)
    shortest = min(low for low, _ in generator.length)
    for element in (generator.thickness[1] + 1, line_element((size, size), **parameters), shortest):
        np.testing.assert_array_equal(count_lines(images, element=element), expected)


@pytest.mark.parametrize(
    ("shape", "element"), [((224, 224), 17), ((448, 448), 33), ((64, 64), 5), ((32, 32), 3), ((32, 448), 3)]
)
def test_the_element_lies_three_quarters_of_the_way_from_the_thickest_to_the_shortest_line(shape, element):
    assert line_element(shape) == element


def test_the_element_follows_the_lines_and_is_refused_for_images_too_small():
    assert line_element((224, 224), thickness=8, length=(40, 100)) == 32
    with pytest.raises(InputError, match="at least 16 pixels"):
        line_element((8, 8))


@pytest.mark.parametrize("size", [224, 64, 32])
def test_spots_and_thick_lines_are_not_counted_as_further_lines(size):
    thick, element = Lines((size, size)).thickness[1], line_element((size, size))
    end = size // 2
    bar, spot = (slice(4, 4 + 2 * thick), slice(2, end)), (slice(end, end + 2 * thick), slice(end, end + 2 * thick))
    assert count_lines(image(bar, spot, size=size), element=element).tolist() == [[1, 0]]


def test_only_lines_are_counted():
    assert count_lines(image(), element=4).tolist() == [[0, 0]]
    assert count_lines(image((slice(3, 6), slice(3, 6))), element=4).tolist() == [[0, 0]]
    assert count_lines(1 - image(), element=4).tolist() == [[1, 1]]


def test_crossing_lines_count_as_two_and_touching_parallel_lines_as_one():
    cross = image((slice(10, 12), slice(2, 20)), (slice(2, 25), slice(8, 10)))
    assert count_lines(cross, element=4).tolist() == [[1, 1]]
    corner = image((slice(10, 12), slice(2, 12)), (slice(12, 14), slice(12, 22)))
    assert count_lines(corner, element=4).tolist() == [[1, 0]]


@pytest.mark.parametrize("shift", [(0, 0), (15, 0), (0, 23), (21, 25)])
def test_counts_of_periodic_images_are_invariant_to_shifts(shift):
    lines = image((slice(10, 12), slice(2, 20)), (slice(2, 25), slice(26, 28)), (slice(20, 21), slice(2, 9)))
    assert count_lines(np.roll(lines, shift, (1, 2)), element=4).tolist() == [[2, 1]]


@pytest.mark.parametrize("element", [3, 4, 5, 6, 7])
def test_a_line_is_counted_down_to_the_length_of_the_element(element):
    short, long = (image((slice(4, 5), slice(6, 6 + n))) for n in (element - 1, element))
    assert count_lines(np.concatenate([short, long]), element=element).tolist() == [[0, 0], [1, 0]]


def test_lines_end_at_the_borders_of_an_image_that_is_not_periodic():
    across = np.roll(image((slice(10, 12), slice(2, 22))), 20, 2)  # 10 voxels at the right, 10 at the left
    assert count_lines(across, element=5).tolist() == [[1, 0]]
    assert count_lines(across, element=5, periodic=False).tolist() == [[2, 0]]
    assert count_lines(across, element=11, periodic=False).tolist() == [[0, 0]]


def row(y: int) -> tuple[slice, slice]:
    return slice(y, y + 1), slice(2, 20)


def column(x: int) -> tuple[slice, slice]:
    return slice(2, 20), slice(x, x + 1)


PAIRS = [  # original, reconstruction: what is correct
    (image(row(5)), image(row(9))),  # everything
    (image(row(5), row(9)), image(row(9))),  # the orientation
    (image(row(5), row(9)), image(row(5), column(7))),  # the number
    (image(row(5), row(9), column(7)), image(row(5), column(7), column(12))),  # orientation and number
    (image(row(5), column(7)), image()),  # nothing
]


def test_percentages_of_correct_lines():
    originals, reconstructions = (np.concatenate(images) for images in zip(*PAIRS, strict=True))
    errors = LineErrors(4)
    errors.add(originals[:2], reconstructions[:2])
    errors.add(originals[2:], reconstructions[2:])
    assert errors.summary() == {
        "n_samples": 5,
        "orientation": 60.0,
        "number": 60.0,
        "number_each": 20.0,
        "by_number": {
            1: {"n": 1, "right": 100.0},
            2: {"n": 3, "right": pytest.approx(100 / 3)},
            3: {"n": 1, "right": 100.0},
        },
        "originals": 100.0,
        "element": 4,
    }
    true, counted = errors.numbers
    assert true.tolist() == [[1, 0], [2, 0], [2, 0], [2, 1], [1, 1]]
    assert counted.tolist() == [[1, 0], [1, 0], [1, 1], [1, 2], [0, 0]]


def test_given_numbers_of_lines_are_taken_as_the_true_ones():
    errors = LineErrors(4)
    errors.add(image(row(5)), image(row(5)), np.array([[2.0, 0.0]]))
    assert errors.summary()["number"] == 0.0
    assert errors.summary()["by_number"] == {2: {"n": 1, "right": 0.0}}
    assert errors.summary()["originals"] == 0.0


def test_originals_are_correct_reconstructions_of_themselves():
    images, numbers = draw(Lines((32, 32)), 50)
    errors = LineErrors(line_element((32, 32)))
    errors.add(images, images, numbers)
    summary = errors.summary()
    assert [summary[name] for name in ("orientation", "number", "number_each", "originals")] == [100.0] * 4
    assert {n: row["right"] for n, row in summary["by_number"].items()} == dict.fromkeys((1, 2, 3, 4), 100.0)
    assert sum(row["n"] for row in summary["by_number"].values()) == 50


def test_an_observer_selects_the_numbers_of_each_block():
    images, numbers = draw(Lines((32, 32)), 6)
    expected, observed = LineErrors(3), LineErrors(3)
    expected.add(images, images[::-1], numbers)
    observe = observed.observer(numbers)
    for start in (0, 4):
        block = slice(start, start + 4)
        nothing = np.empty(0)
        observe(RoundTrip(start, images[block], nothing, nothing, None, images[::-1][block], None))
    assert observed.summary() == expected.summary()


def test_without_structures_there_are_no_percentages():
    summary = LineErrors(4).summary()
    assert (summary["n_samples"], summary["number"], summary["by_number"]) == (0, None, {})


def test_reconstructions_and_numbers_that_do_not_fit_are_refused():
    errors = LineErrors(4)
    with pytest.raises(InputError, match="equal shape"):
        errors.add(image(), image(size=16))
    for numbers in ([[1, 0], [1, 0]], [[np.nan, 1]], [[0.5, 1]], [[-1, 1]]):
        with pytest.raises(InputError, match="Whole numbers of horizontal and vertical lines of 1 images"):
            errors.add(image(), image(), np.array(numbers))
    assert errors.summary()["n_samples"] == 0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"\(sample, y, x\) are expected, but an array of shape \(32, 32\)"):
        count_lines(image()[0], element=4)
    for element in (1, 33):
        with pytest.raises(InputError, match=f"element must be 2 voxels .* but {element} was given"):
            count_lines(image(), element=element)
