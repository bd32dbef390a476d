"""Descriptions of files: axes, values, voxel size, and options with which each file can be imported."""

from __future__ import annotations

import json
import warnings

import h5py
import numpy as np
import pytest
import tifffile

from matvae.data import Segmentation, description, open_structures
from matvae.data.description import describe_file
from matvae.errors import DamagedFileError, InputError

LABELS = np.random.default_rng(0).integers(0, 3, (6, 9, 12)).astype(np.uint8)


def check_choices(path, described, name=None):
    """Every choice opens without a warning as the structures that it promises."""
    assert described.choices
    for choice in described.choices:
        listed = choice.phase_values
        values = listed if listed in (None, "auto") else [float(value) for value in listed.split(",")]
        with warnings.catch_warnings():
            if choice.grid.phases > 1:
                warnings.simplefilter("error")
            segmentation = None if choice.threshold is None else Segmentation(choice.threshold)
            opened = open_structures(path, name=name, axes=choice.axes, phase_values=values, segmentation=segmentation)
        assert (len(opened), opened.grid) == (choice.n_samples, choice.grid)
        opened.data.compute()


def test_a_volume_with_its_own_axes_and_voxel_size(tmp_path):
    path = tmp_path / "v.tif"
    words = {"spacing": 2.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(path, LABELS * 100, imagej=True, resolution=(2, 2), metadata=words)
    described = describe_file(path)
    assert (described.format, described.arranged.taken, described.advice) == ("tiff", "zyx, as the file states", ())
    assert (described.arranged.voxel_size, described.source.unit) == ((2, 0.5, 0.5), "micrometer")
    assert described.values == description.Values((0, 100, 200), 0, 200, 0, LABELS.size, LABELS.size)
    assert [(choice.axes, choice.phase_values) for choice in described.choices] == [(None, "0,100,200")]
    check_choices(path, described)


def test_axes_that_are_a_guess_leave_a_choice_without_a_warning(tmp_path, recwarn):
    np.save(tmp_path / "a.npy", LABELS)
    described = describe_file(tmp_path / "a.npy")
    assert [(choice.axes, choice.n_samples) for choice in described.choices] == [("syx", 6), ("zyx", 1)]
    assert described.advice == ()
    assert not recwarn.list
    check_choices(tmp_path / "a.npy", described)


@pytest.mark.parametrize(
    ("values", "phase_values", "n_phases"),
    [
        ([0, 1], [None], [2]),
        ([3, 7], ["3,7"], [2]),
        ([0.0, 0.5, 1.0], [None, "0,0.5,1"], [1, 3]),
        ([0.0, 1.0, np.nan], ["0,1,nan"], [3]),
        ([-1, 1], ["-1,1"], [2]),
    ],
)
def test_values_are_labels_a_field_or_to_be_listed(tmp_path, values, phase_values, n_phases):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).choice(values, (9, 12)))
    described = describe_file(tmp_path / "a.npy")
    assert [choice.phase_values for choice in described.choices] == phase_values
    assert [choice.grid.phases for choice in described.choices] == n_phases
    check_choices(tmp_path / "a.npy", described)


def test_missing_values_are_counted(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0, 1, np.nan], [np.inf, 1, np.nan]]))
    described = describe_file(tmp_path / "a.npy")
    assert (described.values.low, described.values.high, described.values.n_not_finite) == (0, 1, 3)
    assert "finite numbers" in described.advice[0]


def test_grey_images_are_described_with_what_to_do(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(20 * 30 * 2, dtype=np.uint16).reshape(2, 20, 30))
    described = describe_file(tmp_path / "a.npy")
    assert (described.values.distinct, described.values.low, described.values.high) == (None, 0, 1199)
    (segment,) = described.advice
    assert "unsegmented grey image" in segment
    assert [(choice.axes, choice.phase_values, choice.threshold, choice.n_samples) for choice in described.choices] == [
        ("syx", None, "otsu", 2),
        ("zyx", None, "otsu", 1),
    ]
    pytest.importorskip("skimage")
    check_choices(tmp_path / "a.npy", described)


def test_a_data_bar_is_left_out_of_grey_images_but_not_of_volumes(tmp_path):
    image = np.random.default_rng(0).integers(20, 200, (90, 70)).astype(np.uint8)
    image[75:] = 0
    np.save(tmp_path / "a.npy", image)
    (choice,) = describe_file(tmp_path / "a.npy").choices
    assert (choice.region, choice.grid.shape, choice.threshold) == ("0:75,:", (75, 70), "otsu")
    np.save(tmp_path / "b.npy", np.stack([image, image]))
    stack, volume = describe_file(tmp_path / "b.npy").choices
    assert (stack.axes, stack.region, stack.grid.shape) == ("syx", "0:75,:", (75, 70))
    assert (volume.axes, volume.region, volume.grid.shape) == ("zyx", None, (2, 90, 70))
    np.save(tmp_path / "c.npy", image[:75])
    assert describe_file(tmp_path / "c.npy").choices[0].region is None


def test_real_numbers_are_a_field_or_grey_values(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    described = describe_file(tmp_path / "a.npy")
    assert [(choice.threshold, choice.grid.phases) for choice in described.choices] == [(None, 1), ("otsu", 2)]
    pytest.importorskip("skimage")
    check_choices(tmp_path / "a.npy", described)
    values[3, 4] = np.nan
    np.save(tmp_path / "a.npy", values)
    assert describe_file(tmp_path / "a.npy").choices == ()


def test_channels_are_described_and_may_be_something_else(tmp_path):
    np.save(tmp_path / "a.npy", np.repeat(LABELS[0, :, :, None] > 0, 3, axis=-1))
    described = describe_file(tmp_path / "a.npy")
    assert described.arranged is None
    assert "colours" in described.advice[0]
    assert [choice.axes for choice in described.choices] == ["syx", "zyx"]
    check_choices(tmp_path / "a.npy", described)


def test_several_arrays_are_listed_and_chosen_by_name(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["labels"], file["grey/scan"], file["text"] = LABELS, np.zeros((3, 4), "f4"), "no numbers"
    described = describe_file(path)
    assert [(a.name, a.shape, a.dtype, a.problem) for a in described.arrays] == [
        ("grey/scan", (3, 4), "float32", None),
        ("labels", (6, 9, 12), "uint8", None),
    ]
    assert "matvae info FILE --name grey/scan" in described.advice[0]
    chosen = describe_file(path, "labels")
    assert chosen.values.distinct == (0, 1, 2)
    check_choices(path, chosen, "labels")
    with pytest.raises(InputError, match="no data sets called 'lab'"):
        describe_file(path, "lab")


def ang(path, *, hexagonal=False, missing=()):
    """Write a map of 4 x 6 points in EDAX's format; points of the phase 0 were not indexed."""
    phases = np.ones((4, 6), int)
    phases[1:3, 2:4] = 2
    for row, column in missing:
        phases[row, column] = 0
    names = "".join(
        f"# Phase {n}\n# MaterialName  {name}\n# Formula  {name}\n# Symmetry  43\n"
        "# LatticeConstants  2.8 2.8 2.8 90 90 90\n"
        for n, name in ((1, "Fe"), (2, "Ni"))
    )
    kind = "HexGrid" if hexagonal else "SqrGrid"
    header = f"{names}# GRID: {kind}\n# XSTEP: 0.5\n# YSTEP: 0.5\n# NCOLS_ODD: 6\n# NCOLS_EVEN: 6\n# NROWS: 4\n#\n"
    lines = [
        f"1.0 1.0 1.0 {0.5 * (column + (row % 2) * 0.5 * hexagonal):.4f} {0.5 * row:.4f} 50 "
        f"{-1 if not phases[row, column] else 0.9} {phases[row, column]} 1 1"
        for row in range(4)
        for column in range(6)
    ]
    path.write_text(header + "\n".join(lines) + "\n")
    return path


def test_ebsd_maps_with_points_that_were_not_indexed(tmp_path):
    pytest.importorskip("orix")
    path = ang(tmp_path / "a.ang", missing=[(0, 0), (3, 5)])
    described = describe_file(path)
    assert described.values.distinct == (-1, 1, 2)
    assert "2 of 24 points" in described.advice[0]
    assert [choice.phase_values for choice in described.choices] == ["-1,1,2"]
    check_choices(path, described)


def test_files_that_hold_no_voxels_are_described_and_damaged_ones_refused(tmp_path):
    pytest.importorskip("orix")
    described = describe_file(ang(tmp_path / "h.ang", hexagonal=True))
    assert (described.format, described.source, described.choices) == ("ebsd", None, ())
    assert "hexagonal" in described.advice[0]
    (tmp_path / "a.raw").write_bytes(bytes(100))
    assert "--shape 100,200,300" in describe_file(tmp_path / "a.raw").advice[0]
    (tmp_path / "a.tif").write_bytes(b"II*\0")
    with pytest.raises(DamagedFileError, match="damaged"):
        describe_file(tmp_path / "a.tif")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match="not a file or folder that matvae can read"):
        describe_file(tmp_path / "a.txt")


def test_a_part_of_a_large_array_is_read_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(description, "_MOST_READ", 2**12)
    array = np.zeros((40, 50, 60), np.uint8)
    array[-1, -1, -1] = 7
    np.save(tmp_path / "a.npy", array)
    values = describe_file(tmp_path / "a.npy").values
    assert 2**11 < values.n_read <= 2**12
    assert (values.n_total, values.distinct) == (array.size, (0, 7))
    # Values that were not seen may exist, so that they are not listed.
    assert {choice.phase_values for choice in describe_file(tmp_path / "a.npy").choices} == {"auto"}


def test_boxes_cover_the_diagonal_and_no_more_than_their_share():
    for shape in ((10**5, 3, 4), (2, 10**4, 10**4), (10**10,), (3000, 3000, 3000)):
        boxes = description._boxes(shape)
        sizes = [np.prod([part.stop - part.start for part in box]) for box in boxes]
        assert 0.1 * description._MOST_READ < sum(sizes) <= description._MOST_READ or len(boxes) == 1
        assert [part.start for part in boxes[0]] == [0] * len(shape)
        assert [part.stop for part in boxes[-1]] == list(shape)


def test_descriptions_say_what_the_reader_warns_of(tmp_path, recwarn):
    image = pytest.importorskip("PIL.Image")
    image.fromarray(LABELS[0] * 100).save(tmp_path / "a.jpg")
    described = describe_file(tmp_path / "a.jpg")
    assert "compressed with loss" in json.dumps(described.advice)
    assert not recwarn.list


def test_a_grey_image_saved_in_colour_is_described_as_grey(tmp_path):
    grey = LABELS[0] * 100
    channels = np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", channels, photometric="rgb", extrasamples=["unassalpha"])
    described = describe_file(tmp_path / "a.tif")
    assert described.arranged.channels.startswith("its 3 channels are equal, and its alpha is opaque")
    # 255, the opacity, is no value of the image.
    assert (described.values.distinct, described.values.n_total) == ((0, 100, 200), grey.size)
    assert described.advice == ()
    check_choices(tmp_path / "a.tif", described)
