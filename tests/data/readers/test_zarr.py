from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from matvae.data import open_structures
from matvae.errors import InputError, StoreError

LABELS = np.random.default_rng(0).integers(0, 3, (6, 7, 8)).astype(np.uint8)


def ome(path, data, axes, *, version="0.5", scale=None, image_scale=None, units=None, translation=None):
    group = zarr.create_group(path, zarr_format=3 if version == "0.5" else 2)
    write_ome(group, data, axes, version, scale, image_scale, units, translation)


def write_ome(group, data, axes, version, scale=None, image_scale=None, units=None, translation=None):
    group.create_array("0", data=data)
    group.create_array("1", data=data[..., ::2, ::2])
    datasets = [{"path": "0"}, {"path": "1"}]
    if scale is not None:
        datasets[0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
        coarse = [*scale[:-2], 2 * scale[-2], 2 * scale[-1]]
        datasets[1]["coordinateTransformations"] = [{"type": "scale", "scale": coarse}]
    if translation is not None:
        datasets[0]["coordinateTransformations"].append({"type": "translation", "translation": translation})
    image = {
        "axes": [
            {"name": name, "type": "space", **({"unit": units} if units and name in "zyx" else {})} for name in axes
        ],
        "datasets": datasets,
    }
    if image_scale is not None:
        image["coordinateTransformations"] = [{"type": "scale", "scale": image_scale}]
    multiscales = {"multiscales": [image]}
    group.attrs.update({"ome": {"version": version, **multiscales}} if version == "0.5" else multiscales)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("shards", [None, (4, 4, 8)])
def test_a_plain_array_is_read(tmp_path, version, shards):
    shards = shards if version == 3 else None
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=LABELS.shape,
        dtype="u1",
        chunks=(2, 4, 8),
        shards=shards,
        zarr_format=version,
    )
    array[:] = LABELS
    opened = open_structures(tmp_path / "a.zarr", axes="syx")
    np.testing.assert_array_equal(opened.data.compute(), LABELS)
    np.testing.assert_array_equal(opened.data[1:3, 2:, 5].compute(), LABELS[1:3, 2:, 5])
    with pytest.raises(InputError, match="without names"):
        open_structures(tmp_path / "a.zarr", name="x")


@pytest.mark.parametrize("version", [2, 3])
def test_an_array_in_a_group_is_read(tmp_path, version):
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=version)
    group.create_array("deep/labels", data=LABELS)
    np.testing.assert_array_equal(open_structures(tmp_path / "a.zarr", axes="syx").data.compute(), LABELS)
    group.create_array("other", data=LABELS[:1])
    with pytest.raises(InputError, match=r"several arrays: 'deep/labels', 'other'"):
        open_structures(tmp_path / "a.zarr")
    assert len(open_structures(tmp_path / "a.zarr", name="labels", axes="syx")) == 6


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_ome_volume_is_one_sample_with_voxel_size_and_unit(tmp_path, version):
    ome(
        tmp_path / "a.zarr",
        LABELS[None, None],
        "tczyx",
        version=version,
        scale=[1, 1, 2, 0.5, 0.25],
        image_scale=[1, 1, 10, 10, 10],
        units="micrometer",
    )
    opened = open_structures(tmp_path / "a.zarr")
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None])
    assert opened.grid.voxel_size == (20, 5, 2.5)
    assert opened.grid.unit == "micrometer"
    assert not opened.grid.periodic
    slices = open_structures(tmp_path / "a.zarr", spatial_dims=2)
    np.testing.assert_array_equal(slices.data.compute(), LABELS)
    assert slices.grid.voxel_size == (5, 2.5)


def test_ome_times_are_samples_and_axes_of_length_one_are_removed(tmp_path):
    ome(tmp_path / "a.zarr", LABELS[:, None, None], "tczyx")
    opened = open_structures(tmp_path / "a.zarr")
    np.testing.assert_array_equal(opened.data.compute(), LABELS)
    assert opened.grid.voxel_size is None
    assert opened.grid.unit is None


def test_ome_channels_are_refused(tmp_path):
    ome(tmp_path / "a.zarr", LABELS, "cyx")
    with pytest.raises(InputError, match="has 6 channels"):
        open_structures(tmp_path / "a.zarr")


def test_an_ome_level_can_be_chosen_by_name(tmp_path):
    ome(tmp_path / "a.zarr", LABELS, "zyx")
    assert open_structures(tmp_path / "a.zarr", name="1", spatial_dims=3).grid.shape == (6, 4, 4)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_level_has_its_axes_and_voxel_size_by_any_name(tmp_path, version):
    words = {"version": version, "scale": [2, 0.5, 0.25], "units": "micrometer"}
    ome(tmp_path / "a.zarr", LABELS, "zyx", **words)
    root = zarr.open_group(tmp_path / "a.zarr", mode="a")
    write_ome(root.create_group("labels/seg"), LABELS, "zyx", **words)
    for path, name in (
        ("a.zarr", None),
        ("a.zarr", "labels/seg"),
        ("a.zarr", "labels/seg/0"),
        ("a.zarr/labels/seg/0", None),
    ):
        opened = open_structures(tmp_path / path, name=name)
        np.testing.assert_array_equal(opened.data.compute(), LABELS[None])
        assert (opened.grid.voxel_size, opened.grid.unit) == ((2, 0.5, 0.25), "micrometer")
    for path, name in (("a.zarr", "1"), ("a.zarr", "labels/seg/1"), ("a.zarr/labels/seg", "1"), ("a.zarr/1", None)):
        opened = open_structures(tmp_path / path, name=name)
        np.testing.assert_array_equal(opened.data.compute(), LABELS[None, :, ::2, ::2])
        assert opened.grid.voxel_size == (2, 1, 0.5)


def test_the_only_image_below_a_root_is_opened_and_several_are_listed(tmp_path):
    root = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    write_ome(
        root.create_group("0"), LABELS[None, None], "tczyx", "0.4", scale=[1, 1, 2, 0.5, 0.25], units="micrometer"
    )
    opened = open_structures(tmp_path / "a.zarr")
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None])
    assert (opened.grid.voxel_size, opened.grid.unit) == ((2, 0.5, 0.25), "micrometer")
    write_ome(root.create_group("1"), LABELS[None, None, :, :4], "tczyx", "0.4")
    with pytest.raises(InputError, match=r"several arrays: '0', '1'\. Choose one"):
        open_structures(tmp_path / "a.zarr")
    assert open_structures(tmp_path / "a.zarr", name="1").grid.shape == (6, 4, 8)


def test_a_translation_places_the_centre_of_the_first_voxel(tmp_path):
    ome(tmp_path / "a.zarr", LABELS, "zyx", scale=[2, 0.5, 0.25], translation=[10, 20, 30])
    assert open_structures(tmp_path / "a.zarr").grid.origin == (9, 19.75, 29.875)
    ome(tmp_path / "b.zarr", LABELS, "zyx", scale=[2, 0.5, 0.25])
    assert open_structures(tmp_path / "b.zarr").grid.origin is None


def test_damage_detected_while_reading_raises_a_store_error(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=LABELS, chunks=(3, 7, 8))
    data = open_structures(tmp_path / "a.zarr", axes="syx").data
    (tmp_path / "a.zarr" / "c" / "1" / "0" / "0").write_bytes(b"damaged")
    np.testing.assert_array_equal(data[:3].compute(), LABELS[:3])
    with pytest.raises(StoreError, match=r"a\.zarr cannot be read at voxels"):
        data.compute()


def damage(file, change):
    """Change the metadata of an array."""
    metadata = json.loads(file.read_text())
    change(metadata)
    file.write_text(json.dumps(metadata))


@pytest.mark.parametrize("version", [2, 3])
def test_chunks_that_do_not_fit_into_memory_are_refused(tmp_path, version):
    zarr.create_array(tmp_path / "a.zarr", data=LABELS, zarr_format=version)

    def enlarge(metadata):
        entry = metadata if version == 2 else metadata["chunk_grid"]["configuration"]
        entry["chunks" if version == 2 else "chunk_shape"] = [10**4] * 3

    damage(tmp_path / "a.zarr" / (".zarray" if version == 2 else "zarr.json"), enlarge)
    with pytest.raises(InputError, match=r"Each chunk of .*a\.zarr.* needs about 1 TB of memory"):
        open_structures(tmp_path / "a.zarr")


def test_chunks_of_an_ome_zarr_image_that_do_not_fit_into_memory_are_refused(tmp_path):
    ome(tmp_path / "a.zarr", LABELS, "zyx")
    change = {"name": "regular", "configuration": {"chunk_shape": [10**4] * 3}}
    damage(tmp_path / "a.zarr" / "0" / "zarr.json", lambda metadata: metadata.update(chunk_grid=change))
    with pytest.raises(InputError, match=r"Each chunk of .*a\.zarr \(0\).* needs about 1 TB of memory"):
        open_structures(tmp_path / "a.zarr")


def test_a_shard_with_an_index_that_does_not_fit_into_memory_is_refused(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=LABELS, chunks=(1, 1, 1), shards=(6, 7, 8))
    change = {"name": "regular", "configuration": {"chunk_shape": [10**4] * 3}}
    damage(tmp_path / "a.zarr" / "zarr.json", lambda metadata: metadata.update(chunk_grid=change))
    with pytest.raises(InputError, match=r"Each chunk of .* needs about 16 TB of memory"):
        open_structures(tmp_path / "a.zarr")


def test_an_absurd_shape_is_refused_by_name(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=LABELS)
    damage(tmp_path / "a.zarr" / "zarr.json", lambda metadata: metadata.update(shape=[10**9, 10**9, 10**9]))
    with pytest.raises(InputError, match=r"a\.zarr cannot be opened: .*declares 1000000000000000000000000000 bytes"):
        open_structures(tmp_path / "a.zarr")
