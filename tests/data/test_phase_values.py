from __future__ import annotations

import re
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matvae.cli import options
from matvae.data.lazy_array import LazyArray
from matvae.data.phase_values import distinct_values, label_phases, refuse_missing
from matvae.errors import InputError


def take(values, box):
    return values[box]


def lazy(values):
    values = np.asarray(values)
    chunks = tuple((1,) * n if axis == 0 else (n,) for axis, n in enumerate(values.shape))
    return LazyArray("image.tif", values.shape, values.dtype, chunks, partial(take, values))


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.integers(-300, 300), min_size=1, max_size=16, unique=True),
    dtype=st.sampled_from([np.int16, np.int64, np.float32]),
    seed=st.integers(0, 100),
)
def test_values_are_mapped_in_the_listed_order_and_auto_sorts_them(values, dtype, seed):
    labels = np.random.default_rng(seed).permutation(np.arange(60) % len(values)).reshape(3, 20)
    image = np.asarray(values, dtype=dtype)[labels]
    mapped, phases, chosen = label_phases(lazy(image), values)
    np.testing.assert_array_equal(mapped[:], labels)
    assert mapped[:].dtype == np.uint8
    assert (phases, chosen) == (max(2, len(values)), values)
    mapped, _, chosen = label_phases(lazy(image), "auto")
    assert chosen == sorted(values)
    np.testing.assert_array_equal(np.asarray(chosen)[mapped[:]], image)


def test_eight_bit_images_are_mapped_in_the_listed_order():
    image = np.array([[0, 255, 128]], dtype=np.uint8)
    mapped, phases, _ = label_phases(lazy(image), (255, 0, 128))
    np.testing.assert_array_equal(mapped[:], [[1, 0, 2]])
    assert phases == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64])
def test_an_unlisted_value_is_named_when_it_is_read(dtype):
    mapped, _, _ = label_phases(lazy(np.array([[0, 255], [0, 7]], dtype=dtype)), (0, 255))
    np.testing.assert_array_equal(mapped[:1], [[0, 1]])
    with pytest.raises(InputError, match=r"only the phase values \[0, 255\], but also holds 7"):
        mapped[:]


def test_a_listed_value_outside_the_range_of_the_type_matches_nothing():
    with pytest.raises(InputError, match="also holds 0"):
        label_phases(lazy(np.zeros((1, 3), dtype=np.uint8)), (256, 1))[0][:]


@pytest.mark.parametrize(("labels", "phases"), [([[0, 1, 2]], 3), ([[0, 0]], 2), ([[True, False]], 2)])
def test_consecutive_labels_from_zero_are_phases(labels, phases):
    mapped, n_phases, values = label_phases(lazy(labels), None)
    assert (n_phases, values) == (phases, None)
    np.testing.assert_array_equal(mapped[:], np.asarray(labels, dtype=np.uint8))
    assert mapped.dtype == np.uint8


@pytest.mark.parametrize("values", [[[0, 255]], [[1, 2]], [[-1, 0]], [[1, 1]]])
def test_other_integers_require_phase_values(values):
    shown = ", ".join(map(str, np.unique(values)))
    with pytest.raises(InputError, match=rf"but holds {shown}\. .*phase_values=\({shown}\)"):
        label_phases(lazy(values), None)


@pytest.mark.parametrize("phase_values", [None, "auto"])
def test_a_grey_image_must_be_segmented_first(phase_values):
    grey = np.arange(200, dtype=np.uint8)[None]
    with pytest.raises(InputError, match=r"holds 200 different values \(0, 1, 2.*Segment it with"):
        label_phases(lazy(grey), phase_values)
    mapped, phases, _ = label_phases(lazy(grey), range(200))
    assert phases == 200
    np.testing.assert_array_equal(mapped[:], grey)


def test_real_numbers_are_a_continuous_field():
    field, phases, _ = label_phases(lazy(np.array([[0.25, -1.5]], dtype=np.float64)), None)
    assert (phases, field.dtype) == (1, np.float64)
    assert label_phases(lazy(np.zeros((1, 2), dtype=np.float16)), None)[0][:].dtype == np.float32
    broken, _, _ = label_phases(lazy(np.array([[0.0], [np.nan]])), None)
    np.testing.assert_array_equal(broken[:1], [[0.0]])
    with pytest.raises(InputError, match="finite numbers, but 1 voxel of sample 1"):
        broken[1:]


def test_missing_voxels_may_be_a_phase():
    image = np.array([[0.5, np.nan, 1.0, 0.5]])
    for values in ((0.5, 1, np.nan), (0.5, 1, "nan")):
        mapped, phases, chosen = label_phases(lazy(image), values)
        np.testing.assert_array_equal(mapped[:], [[0, 2, 1, 0]])
        assert (phases, chosen) == (3, [0.5, 1, "nan"])
    np.testing.assert_array_equal(label_phases(lazy(image), ("nan", 1, 0.5))[0][:], [[2, 0, 1, 2]])
    np.testing.assert_array_equal(label_phases(lazy(np.array([[0, 7]], np.uint8)), (7, "nan", 0))[0][:], [[2, 0]])
    with pytest.raises(InputError, match=r"also holds 2\.0"):
        label_phases(lazy(np.array([[0.5, 2.0]])), (0.5, "nan"))[0][:]


@pytest.mark.parametrize(
    ("image", "given"), [([[0, 7, 255]], None), ([[0.0, 0.5, 7.0]], "auto"), ([[0.0, 1.0, np.nan]], (0, 1))]
)
def test_advice_works_as_it_is_printed(image, given):
    image = np.array(image)
    with pytest.raises(InputError) as raised:
        label_phases(lazy(image), given)[0][:]
    listed = re.search(r"phase_values=\(([^=]*)\) (?:or|of|\()", str(raised.value))[1]
    in_python = eval(f"({listed})")
    typed = re.search(r"matvae import FILE OUT\.zarr --phase-values (\S+?)[ )]", str(raised.value))[1]
    for values in (in_python, options.phase_values(typed)):
        mapped, phases, _ = label_phases(lazy(image), values)
        np.testing.assert_array_equal(mapped[:], [[0, 1, 2]])
        assert phases == 3


def test_real_numbers_that_look_like_labels_are_said():
    with pytest.warns(UserWarning, match=r"look like labels \(0\.0, 1\.0\).*phase_values=\(0, 1\)"):
        assert label_phases(lazy(np.array([[0.0, 1.0]])), None)[1] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        label_phases(lazy(np.random.default_rng(0).normal(size=(2, 9))), None)


def test_auto_requires_integer_values():
    with pytest.raises(InputError, match=r"not whole \(0\.0, 0\.5\)"):
        label_phases(lazy(np.array([[0.0, 0.5]])), "auto")


@pytest.mark.parametrize("phase_values", [(), (0, 0), (np.nan, np.nan), (0, np.inf), range(256), (0, "1")])
def test_invalid_lists_are_refused(phase_values):
    with pytest.raises(InputError, match="must list 1 to 255 different numbers"):
        label_phases(lazy(np.zeros((1, 2), dtype=np.uint8)), phase_values)


def test_other_strings_and_types_are_refused():
    with pytest.raises(InputError, match="must be 'auto' or a list"):
        label_phases(lazy(np.zeros((1, 2), dtype=np.uint8)), "otsu")
    with pytest.raises(InputError, match="integers or real numbers, but its values are complex128"):
        label_phases(lazy(np.zeros((1, 2), dtype=complex)), None)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i8", "f4", "?"])
@pytest.mark.parametrize("values", [(0,), (1,), (0, 1), (1, 3), (0, 15), (0, 16), (0, 1, 100), (-1, 0, 1)])
def test_few_labels_are_found_as_numpy_finds_them(values, dtype):
    drawn = np.random.default_rng(0).choice(values, (3, 4, 5))
    drawn.flat[: len(values)] = values
    block = drawn.astype(dtype)
    found = distinct_values(LazyArray("x", block.shape, block.dtype, ((2, 1), (4,), (5,)), block.__getitem__))
    np.testing.assert_array_equal(found, np.unique(block))
    assert found.dtype == block.dtype


@pytest.mark.parametrize("rare", [np.nan, 2.0])
def test_a_rare_value_between_others_is_found(rare):
    block = np.zeros((1, 300, 101), np.float32)
    block[0, ::2] = 5
    block[0, 150, 7] = rare
    expected = [0, 5, np.nan] if np.isnan(rare) else [0, 2, 5]
    np.testing.assert_array_equal(distinct_values(lazy(block)), expected)
    if rare == 2:
        np.testing.assert_array_equal(distinct_values(lazy(block.astype(np.uint8) * 51)), [0, 102, 255])


@pytest.mark.parametrize("shape", [(1, 0), (1, 1), (1, 7, 9), (3, 400, 301)])
def test_bytes_are_looked_up_as_numpy_does(shape):
    rng = np.random.default_rng(0)
    image, phase_values = rng.integers(0, 200, shape, dtype=np.uint8), rng.permutation(200)
    labels, _, _ = label_phases(lazy(image), phase_values)
    np.testing.assert_array_equal(labels[:], np.argsort(phase_values)[image])
    # A part that is not contiguous.
    np.testing.assert_array_equal(labels[..., ::-2], np.argsort(phase_values)[image][..., ::-2])
    across = labels.transpose((0, *reversed(range(1, image.ndim))))[:]
    np.testing.assert_array_equal(across, np.argsort(phase_values)[image].transpose(0, *reversed(range(1, image.ndim))))


def test_distinct_values_of_all_chunks_up_to_a_limit():
    values = np.random.default_rng(0).integers(0, 50, (7, 30))
    np.testing.assert_array_equal(distinct_values(lazy(values)), np.unique(values))
    np.testing.assert_array_equal(distinct_values(lazy(values), limit=5), np.unique(values)[:5])


@pytest.mark.parametrize("phase_values", [None, "auto", (1, 2), np.array([1, 2])])
def test_voxels_without_a_measurement_are_counted_and_refused(phase_values):
    values = lazy([[1, -1, 2], [-1, 2, -1]])
    with pytest.raises(InputError, match=r"but 3 of 6 points \(50 %\) were not indexed.*phase_values=\(-1, 1, 2\)"):
        refuse_missing(values, -1, phase_values)


@pytest.mark.parametrize(("missing", "phase_values"), [(-1, (2, -1, 1)), (-1, np.array([-1, 1, 2])), (7, None)])
def test_missing_voxels_may_be_a_phase_of_their_own_or_not_occur(missing, phase_values):
    refuse_missing(lazy([[1, -1, 2], [-1, 2, -1]]), missing, phase_values)
