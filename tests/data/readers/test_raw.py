from __future__ import annotations

import json

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.readers.raw import RawLayout, open_raw
from matvae.errors import InputError
from matvae.testing import Example, reader_checks
from matvae.testing.reader import CHECKS

LABELS = np.random.default_rng(0).integers(0, 3, (18, 210, 311)).astype(np.uint8)
HEADER = {"shape": [18, 210, 311], "dtype": "uint8"}


def written(folder, values=LABELS, header=HEADER, before=b"", name="a.raw"):
    path = folder / name
    path.write_bytes(before + values.tobytes())
    if header is not None:
        path.with_suffix(".json").write_text(json.dumps(header))
    return path


def big_endian_example(folder):
    values = LABELS.astype(np.uint16) * 300
    header = {
        **HEADER,
        "dtype": "uint16",
        "byteorder": "big",
        "offset": 7,
        "voxel_size": [2.0, 0.5, 0.25],
        "unit": "um",
        "origin": [1, 2, 3],
    }
    path = written(folder, values.astype(">u2"), header, before=b"1234567")
    return Example(path, values, voxel_size=(2.0, 0.5, 0.25), unit="micrometer", axes="zyx", origin=(1.0, 2.0, 3.0))


@pytest.mark.parametrize("number", range(len(CHECKS)), ids=[check.__name__ for check in CHECKS])
def test_the_reader_conforms(number, tmp_path):
    reader_checks("raw", big_endian_example(tmp_path))[number]()


def test_a_json_header_states_shape_voxel_size_and_origin(tmp_path):
    opened = open_structures(big_endian_example(tmp_path).path, phase_values=(0, 300, 600))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None])
    assert opened.grid.voxel_size == (2.0, 0.5, 0.25)
    assert opened.grid.unit == "micrometer"
    assert opened.grid.origin == (1.0, 2.0, 3.0)


def test_axes_in_the_header_reorder_the_voxels(tmp_path):
    path = written(tmp_path, header={**HEADER, "axes": "xyz", "voxel_size": [0.25, 0.5, 2.0]})
    opened = open_structures(path)
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS.transpose(2, 1, 0))
    assert opened.grid.voxel_size == (2.0, 0.5, 0.25)


def test_slices_may_be_samples_with_a_voxel_size_in_the_plane(tmp_path):
    opened = open_structures(written(tmp_path, header={**HEADER, "axes": "syx", "voxel_size": [0.5, 0.25]}))
    np.testing.assert_array_equal(opened.data.compute(), LABELS)
    assert opened.grid.voxel_size == (0.5, 0.25)


def test_a_layout_is_given_for_a_file_without_header(tmp_path):
    values = LABELS.astype("<i4")
    path = written(tmp_path, values, None, before=b"abcd", name="a.dat")
    source = open_raw(path, RawLayout(LABELS.shape, "int32", "little", 4))
    assert source.array.dtype == np.int32
    np.testing.assert_array_equal(source.array[3:5, ::2, 7], values[3:5, ::2, 7])


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (
            RawLayout((18, 210, 312), "uint8"),
            r"should have 1179360 bytes, 18 x 210 x 312 voxels of uint8, but has 1175580",
        ),
        (RawLayout((18, 210, 311), "uint8", offset=1), r"1175581 bytes, .* after 1 bytes, but has 1175580"),
        (RawLayout((10**6, 10**6, 10**6), "float64", "little"), "should have 8000000000000000000 bytes"),
    ],
)
def test_a_size_that_does_not_match_is_refused_with_both_sizes(tmp_path, layout, message):
    with pytest.raises(InputError, match=message):
        open_raw(written(tmp_path), layout)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shape": (4, 0), "dtype": "uint8"}, "shape must be an integer of at least 1, but 0"),
        ({"shape": (4, 4), "dtype": "uint9"}, "dtype must be the type of a voxel"),
        ({"shape": (4, 4), "dtype": "U3"}, "dtype must be the type of a voxel"),
        ({"shape": (4, 4), "dtype": "uint16"}, "byteorder must be given, since a voxel takes 2 bytes"),
        ({"shape": (4, 4), "dtype": "uint16", "byteorder": "middle"}, "must be 'little' or 'big', but 'middle'"),
        ({"shape": (4, 4), "dtype": "uint8", "offset": -1}, "offset must be an integer of at least 0"),
    ],
)
def test_invalid_layouts_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        RawLayout(**values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "at least the shape and dtype of a.raw"),
        ('{"shape": [18, 210, 311]}', "at least the shape and dtype of a.raw"),
        ('{"shape": null, "dtype": "uint8"}', r"a\.json does not describe a\.raw"),
        ('{"shape": [18, 210, 311], "dtype": "uint16"}', r"a\.json does not describe a\.raw: byteorder must be given"),
        ('{"shape": [18, 210, 311], "dtype": "uint8", "voxel_size": 1}', "voxel_size must list one length per"),
        (
            '{"shape": [18, 210, 311], "dtype": "uint8", "voxel_size": [1, 1, -1]}',
            "voxel_size must be one positive length",
        ),
        ('{"shape": [18, 210, 311], "dtype": "uint8", "origin": ["a", 1, 1]}', "origin must be a number"),
        ('{"shape": [18, 210, 311], "dtype": "uint8", "origin": [1, 1]}', "axes must give each of the 3 axes a letter"),
        ('{"shape": [18, 210, 311], "dtype": "uint8", "axes": "yx"}', "axes must give each of the 3 axes a letter"),
        ('{"shape": [18, 210, 311], "dtype": "uint8", "axes": "syx", "origin": [1, 1, 1]}', "they have 3 entries"),
    ],
)
def test_headers_that_do_not_describe_the_file_are_named(tmp_path, content, message):
    path = written(tmp_path)
    path.with_suffix(".json").write_text(content)
    with pytest.raises(InputError, match=message):
        open_structures(path)


def test_the_header_in_the_advice_for_a_file_without_one_works(tmp_path):
    path = written(tmp_path, np.zeros((100, 200, 300), np.uint16), None)
    with pytest.raises(InputError, match=r"there is neither a\.json nor a\.mhd beside it") as refusal:
        open_structures(path)
    advice = str(refusal.value)
    path.with_suffix(".json").write_text(advice[advice.index("{") : advice.index("}") + 1])
    assert open_structures(path, axes="zyx").grid.shape == (100, 200, 300)


def test_a_given_layout_overrules_headers_and_suffixes(tmp_path):
    layout = RawLayout(LABELS.shape, "uint8")
    for name in ("a.dat", "a.raw", "a.tif"):
        path = written(tmp_path, header={"shape": [1], "dtype": "uint8"}, name=name)
        opened = open_structures(path, raw=layout, axes="zyx", voxel_size=2.5)
        np.testing.assert_array_equal(opened.data[0].compute(), LABELS)
        assert opened.grid.voxel_size == (2.5, 2.5, 2.5)


def test_a_layout_for_something_else_than_a_file_is_refused(tmp_path):
    layout = RawLayout(LABELS.shape, "uint8")
    with pytest.raises(InputError, match=r"should be a raw file, .* but it is a folder"):
        open_structures(tmp_path, raw=layout)
    with pytest.raises(InputError, match="but an array or structures were given"):
        open_structures(LABELS, raw=layout)
    with pytest.raises(InputError, match="Raw files have no names"):
        open_structures(written(tmp_path), raw=layout, name="x")
