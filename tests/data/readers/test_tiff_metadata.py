"""Voxel size, unit and origin that TIFF files state, and resolutions that mean nothing for the sample."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from matvae.data import open_structures

LABELS = (np.random.default_rng(0).random((10, 24, 32)) < 0.3).astype(np.uint8)


def grid_of(path, **options):
    opened = open_structures(path, **options)
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS)
    return opened.grid


@pytest.mark.parametrize("unit", ["um", "micron", "µm", "\\u00B5m"])
def test_imagej_states_pixels_per_unit_and_the_spacing_of_slices(tmp_path, unit):
    metadata = {"axes": "ZYX", "spacing": 2.0, "unit": unit.replace("µ", "\\u00B5"), "yorigin": 4, "zorigin": 3}
    tifffile.imwrite(tmp_path / "a.tif", LABELS, imagej=True, resolution=(2, 4), metadata=metadata)
    grid = grid_of(tmp_path / "a.tif")
    assert (grid.shape, grid.voxel_size, grid.unit) == ((10, 24, 32), (2, 0.25, 0.5), "micrometer")
    assert grid.origin == (-6, -1, 0)


@pytest.mark.parametrize("metadata", [{}, {"unit": "pixel"}, {"unit": "inch"}])
def test_imagej_without_a_unit_of_the_sample_states_no_size(tmp_path, metadata):
    tifffile.imwrite(
        tmp_path / "a.tif",
        LABELS,
        imagej=True,
        resolution=(72, 72),
        metadata={"axes": "ZYX", "spacing": 1.0, **metadata},
    )
    assert grid_of(tmp_path / "a.tif").voxel_size is None


def test_imagej_slices_that_are_called_channels_keep_their_spacing(tmp_path):
    metadata = {"axes": "CYX", "spacing": 2.0, "unit": "nm"}
    tifffile.imwrite(tmp_path / "a.tif", LABELS, imagej=True, resolution=(2, 2), metadata=metadata)
    grid = grid_of(tmp_path / "a.tif", axes="zyx")
    assert (grid.voxel_size, grid.unit) == ((2, 0.5, 0.5), "nanometer")


def test_ome_states_a_size_and_a_unit_per_axis(tmp_path):
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "PhysicalSizeZ": 2000.0}
    metadata |= {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm", "PhysicalSizeZUnit": "nm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", LABELS, metadata=metadata)
    grid = grid_of(tmp_path / "a.ome.tif")
    assert grid.voxel_size == pytest.approx((2, 0.25, 0.5))
    assert grid.unit == "micrometer"


def positions(**changes):
    """Return positions of 10 planes, which lie 2 micrometres from each other."""
    found = {"PositionX": [1.5] * 10, "PositionY": [-2.0] * 10, "PositionZ": [5 + 2.0 * z for z in range(10)]}
    found |= {f"Position{axis}Unit": ["mm" if axis == "X" else "µm"] * 10 for axis in "XYZ"}
    return {name: values for name, values in (found | changes).items() if values is not None}


@pytest.mark.parametrize(
    ("planes", "origin"),
    [
        (positions(), (5, -2, 1500)),
        (positions(PositionYUnit=["reference frame"] * 10), None),
        (positions(PositionYUnit=None), None),
        (positions(PositionZ=None, PositionZUnit=None), None),
    ],
)
def test_ome_states_the_position_of_the_stage_for_the_first_plane(tmp_path, planes, origin):
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "PhysicalSizeZ": 2.0, "Plane": planes}
    tifffile.imwrite(tmp_path / "a.ome.tif", LABELS, metadata=metadata)
    assert grid_of(tmp_path / "a.ome.tif").origin == (origin and pytest.approx(origin))


@pytest.mark.parametrize(("second", "origin"), [(1.5, (-2, 1.5)), (70.0, None)])
def test_images_at_several_positions_have_no_common_origin(tmp_path, second, origin):
    planes = {"PositionX": [1.5, second], "PositionY": [-2.0, -2.0]}
    planes |= {f"Position{axis}Unit": ["µm"] * 2 for axis in "XY"}
    metadata = {"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "Plane": planes}
    tifffile.imwrite(tmp_path / "a.ome.tif", LABELS[:2], metadata=metadata)
    assert open_structures(tmp_path / "a.ome.tif").grid.origin == origin


def test_ome_sizes_are_those_of_the_chosen_image(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(
            LABELS[:3], photometric="minisblack", metadata={"axes": "ZYX", "PhysicalSizeX": 1, "PhysicalSizeY": 1}
        )
        file.write(LABELS, metadata={"axes": "ZYX", "PhysicalSizeX": 3, "PhysicalSizeY": 2, "PhysicalSizeZ": 4})
    assert grid_of(tmp_path / "a.ome.tif", name="1").voxel_size == (4, 2, 3)


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        ((20_000, 10_000), "CENTIMETER", (1, 0.5)),
        ((72, 72), "INCH", None),
        ((28.35, 28.35), "CENTIMETER", None),
        ((118.11, 118.11), "CENTIMETER", None),
        ((2, 2), "NONE", None),
    ],
)
def test_tags_count_only_if_they_are_no_resolution_for_printing(tmp_path, resolution, unit, expected):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[0], resolution=resolution, resolutionunit=unit)
    grid = open_structures(tmp_path / "a.tif").grid
    assert grid.voxel_size == (expected and pytest.approx(expected))
    assert grid.unit == (expected and "micrometer")
