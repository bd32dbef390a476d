"""Import of one or several sources into a store, where each phase has the same grey value in all sources."""

from __future__ import annotations

import logging
import os

import h5py
import numpy as np
import pytest

from matvae.data import Segmentation, open_structures
from matvae.errors import InputError
from matvae.jobs import import_structures

from ..structures import blobs


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    a = (rng.integers(0, 2, size=(40, 48)) * 255).astype(np.uint8)
    b = rng.choice(np.array([0, 128, 255], np.uint8), size=(40, 48))
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    return tmp_path, a, b


def test_auto_uses_the_values_of_all_sources(images, caplog):
    folder, a, b = images
    with caplog.at_level(logging.INFO, logger="matvae"):
        result = import_structures(
            [folder / "a.npy", folder / "b.npy"],
            folder / "x.zarr",
            phase_values="auto",
            window=(8, 8),
            stride=8,
        )
    imported = open_structures(folder / "x.zarr")
    assert result["phase_values"] == [0, 128, 255]
    assert imported.grid.phases == 3
    assert len(imported) == result["n_samples"] == 60
    whole = imported.data.compute()
    for index, image in enumerate((a, b)):
        first = whole[imported.properties["source"] == index][0]
        np.testing.assert_array_equal(first, np.searchsorted([0, 128, 255], image[:8, :8]))
    assert imported.attributes["sources"] == ["a.npy", "b.npy"]
    log = " ".join(record.getMessage() for record in caplog.records)
    assert "a.npy holds the values [0, 255]" in log
    assert "0 becomes 0, 128 becomes 1, 255 becomes 2" in log


def test_region_and_window_determine_the_number_of_axes(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, size=(8, 12, 10)).astype(np.uint8)
    np.save(tmp_path / "v.npy", volume)
    import_structures(tmp_path / "v.npy", tmp_path / "w.zarr", window=(4, 4, 5), voxel_size=2.25, unit="micrometer")
    imported = open_structures(tmp_path / "w.zarr")
    assert imported.grid.shape == (4, 4, 5)
    assert imported.grid.voxel_size == (2.25,) * 3
    assert len(imported) == 2 * 3 * 2
    assert not imported.grid.periodic
    import_structures(tmp_path / "v.npy", tmp_path / "r.zarr", region=((0, 6), (None, None), (2, None)))
    cropped = open_structures(tmp_path / "r.zarr")
    np.testing.assert_array_equal(cropped.data.compute(), volume[None, :6, :, 2:])
    assert "source" not in cropped.properties


def test_whole_sources_are_imported_without_a_window(images):
    folder, a, _ = images
    seen = []
    result = import_structures(
        folder / "a.npy",
        folder / "x.zarr",
        phase_values=(255, 0),
        periodic=True,
        progress=lambda done, total: seen.append((done, total)),
    )
    imported = open_structures(folder / "x.zarr")
    np.testing.assert_array_equal(imported.data.compute()[0], a == 0)
    assert imported.grid.periodic
    assert result["sources"] == [{"name": str(folder / "a.npy"), "n_samples": 1}]
    assert seen
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": (8, 8), "spatial_dims": 3}, "window is given for 2 axes, but there are 3 spatial axes"),
        ({"window": (8, 8), "region": ((0, 8),) * 3}, "region is given for 3 axes"),
        ({"window": (8, 8), "region": ":,0:8", "phase_values": "auto"}, "but the text ':,0:8' was given"),
        ({"phase_values": (0, 255), "phase_values_of": "x.zarr"}, "Both phase_values and phase_values_of"),
        ({"phase_values_of": "a.npy"}, r"a\.npy should be a store or a model"),
        ({"stride": 8}, "no window was given"),
        ({"window": (64, 64), "phase_values": "auto"}, "must fit"),
        ({"region": ((0, 99), (0, 10)), "phase_values": "auto"}, "extends beyond"),
        ({}, "should hold the phase labels"),
    ],
)
def test_contradictory_parameters_leave_no_files(images, parameters, message):
    folder, *_ = images
    before = sorted(os.listdir(folder))
    if "phase_values_of" in parameters:
        parameters = {**parameters, "phase_values_of": folder / parameters["phase_values_of"]}
    with pytest.raises(InputError, match=message):
        import_structures(folder / "a.npy", folder / "x.zarr", **parameters)
    assert sorted(os.listdir(folder)) == before


def test_one_number_or_range_counts_for_every_axis(images):
    folder, a, _ = images
    import_structures(folder / "a.npy", folder / "w.zarr", phase_values="auto", window=8)
    assert open_structures(folder / "w.zarr").data.shape == (30, 8, 8)
    import_structures(folder / "a.npy", folder / "r.zarr", phase_values="auto", region=((4, 36),))
    np.testing.assert_array_equal(open_structures(folder / "r.zarr").data[0].compute() * 255, a[4:36, 4:36])


def test_values_have_the_phases_of_another_store(images):
    folder, a, _ = images
    import_structures(folder / "b.npy", folder / "train.zarr", phase_values="auto")
    result = import_structures(folder / "a.npy", folder / "test.zarr", phase_values_of=folder / "train.zarr")
    test = open_structures(folder / "test.zarr")
    assert (result["phase_values"], test.grid.phases) == ([0, 128, 255], 3)
    np.testing.assert_array_equal(test.data[0].compute(), 2 * (a == 255))
    np.save(folder / "labels.npy", np.eye(4, dtype=np.uint8))
    import_structures(folder / "labels.npy", folder / "labels.zarr")
    with pytest.raises(InputError, match=r"labels\.zarr records no phase values"):
        import_structures(folder / "a.npy", folder / "x.zarr", phase_values_of=folder / "labels.zarr")


def test_what_the_axes_were_taken_for_is_reported_and_stored(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, size=(8, 12, 10)).astype(np.uint8)
    np.save(tmp_path / "v.npy", volume)
    result = import_structures(tmp_path / "v.npy", tmp_path / "x.zarr", axes="xyz", voxel_size=(3, 2, 1))
    stored = open_structures(tmp_path / "x.zarr")
    np.testing.assert_array_equal(stored.data[0].compute(), volume.T)
    assert result["axes"] == ["xyz, as given"]
    assert stored.attributes["axes"] == "xyz, as given"
    assert stored.grid.voxel_size == (3, 2, 1)


def test_origin_and_positions_are_kept_in_stores(tmp_path):
    labels = np.random.default_rng(0).integers(1, 3, (4, 5, 6))
    with h5py.File(tmp_path / "a.dream3d", "w") as file:
        file["DataContainers/Volume/CellData/Phases"] = labels[..., None]
        file["DataContainers/Volume/_SIMPL_GEOMETRY/SPACING"] = np.array([0.5, 0.5, 2], np.float32)
        file["DataContainers/Volume/_SIMPL_GEOMETRY/ORIGIN"] = np.array([1, 2, 3], np.float32)
    import_structures(tmp_path / "a.dream3d", tmp_path / "all.zarr", phase_values="auto")
    assert open_structures(tmp_path / "all.zarr").grid.origin == (3, 2, 1)
    import_structures(
        tmp_path / "a.dream3d", tmp_path / "part.zarr", phase_values="auto", region=((1, 3), (0, 5), (2, 6))
    )
    part = open_structures(tmp_path / "part.zarr")
    assert part.grid.origin == (5, 2, 2)
    assert [part.properties[f"position_{axis}"].tolist() for axis in "zyx"] == [[1], [0], [2]]


def test_sources_of_different_sizes_need_windows(images):
    folder, *_ = images
    np.save(folder / "c.npy", np.zeros((20, 20), np.uint8))
    with pytest.raises(InputError, match=r"c\.npy: \(20, 20\).*Cut windows"):
        import_structures([folder / "a.npy", folder / "c.npy"], folder / "x.zarr", phase_values="auto")
    with pytest.raises(InputError, match="At least one source"):
        import_structures([], folder / "x.zarr")


def test_windows_of_disjoint_regions_share_no_voxel(tmp_path):
    numbered = np.arange(20 * 30).reshape(20, 30).astype(np.float32)
    np.save(tmp_path / "a.npy", numbered)
    parts = []
    for name, region in (("train", ((0, 20), (0, 20))), ("test", ((0, 20), (20, 30)))):
        import_structures(tmp_path / "a.npy", tmp_path / f"{name}.zarr", region=region, window=(5, 5), stride=2)
        parts.append(set(open_structures(tmp_path / f"{name}.zarr").data.compute().ravel().tolist()))
    assert not parts[0] & parts[1]


def test_a_steel_micrograph_is_imported(shared_data, tmp_path):
    source = shared_data / "micrographs" / "hsla_steel.tiff"
    result = import_structures(source, tmp_path / "x.zarr", phase_values="auto", window=(64, 64), stride=(461, 656))
    assert result["phase_values"] == [0, 255]
    assert result["n_samples"] == 9


@pytest.fixture
def micrograph(tmp_path):
    """A grey image of two phases in grey.npy, with a data bar below row 60, and the phases above it."""
    truth = blobs(1, (60, 80), width=3, volume_fraction=0.4)[0]
    grey = np.clip(70 + 80 * truth + np.random.default_rng(0).normal(0, 12, truth.shape), 0, 255)
    bar = np.zeros((12, 80))
    bar[4:8, 5:75] = 255
    np.save(tmp_path / "grey.npy", np.concatenate([grey, bar]).round().astype(np.uint8))
    return tmp_path, truth


def test_thresholds_are_found_in_the_region_alone_and_hold_for_all_windows(micrograph):
    folder, truth = micrograph
    options = {"segmentation": Segmentation("otsu", denoise="median"), "region": [(0, 60), (0, 80)]}
    result = import_structures(
        folder / "grey.npy",
        folder / "x.zarr",
        window=20,
        voxel_size=0.5,
        unit="micrometer",
        figure=folder / "preview.png",
        **options,
    )
    whole = import_structures(folder / "grey.npy", folder / "y.zarr", **options)
    imported = open_structures(folder / "x.zarr")
    labels = open_structures(folder / "y.zarr").data[0].compute()
    assert (labels == truth).mean() > 0.97
    tiles = labels.reshape(3, 20, 4, 20).swapaxes(1, 2).reshape(12, 20, 20)
    np.testing.assert_array_equal(imported.data.compute(), tiles)
    np.testing.assert_array_equal(imported.properties["position_y"], np.repeat([0, 20, 40], 4))
    assert imported.grid.voxel_size == (0.5, 0.5)
    assert imported.attributes["segmentation"] == result["segmentation"] == whole["segmentation"]
    assert 70 < result["segmentation"]["thresholds"][0] < 150
    np.testing.assert_allclose(result["volume_fractions"], [1 - labels.mean(), labels.mean()])
    assert (folder / "preview.png").stat().st_size > 5000
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    with pytest.warns(UserWarning, match=r"data bar from row 60 on.*--region 0:60,:"):
        with_bar = import_structures(folder / "grey.npy", folder / "z.zarr", segmentation=Segmentation("otsu"))
    assert with_bar["segmentation"]["thresholds"] != result["segmentation"]["thresholds"]
    np.save(folder / "turned.npy", np.load(folder / "grey.npy")[::-1])
    with pytest.warns(UserWarning, match=r"data bar above row 12,.*--region 12:72,:"):
        import_structures(folder / "turned.npy", folder / "w.zarr", segmentation=Segmentation("otsu"))


def test_a_threshold_that_leaves_windows_of_a_single_phase_is_warned_of(micrograph):
    folder, _ = micrograph
    options = {"region": [(0, 60), None], "window": 10}
    low, high = (Segmentation(threshold) for threshold in (110, 180))
    fine = import_structures(folder / "grey.npy", folder / "x.zarr", segmentation=low, **options)
    with pytest.warns(UserWarning, match=r"of 48 structures consist of a single phase.*--region"):
        bad = import_structures(folder / "grey.npy", folder / "y.zarr", segmentation=high, **options)
    for result in (fine, bad):
        labels = open_structures(result["out"]).data.compute().reshape(48, -1)
        assert result["n_constant"] == (labels.min(axis=1) == labels.max(axis=1)).sum()


def test_one_threshold_is_found_for_all_sources(micrograph):
    folder, _ = micrograph
    grey = np.load(folder / "grey.npy")[:60]
    np.save(folder / "a.npy", grey)
    np.save(folder / "b.npy", grey // 2)
    result = import_structures(
        [folder / "a.npy", folder / "b.npy"], folder / "x.zarr", segmentation=Segmentation("otsu"), window=20
    )
    each = import_structures(
        [folder / "a.npy", folder / "b.npy"],
        folder / "y.zarr",
        segmentation=Segmentation("otsu", per="image"),
        window=20,
    )
    assert len(result["segmentation"]["thresholds"]) == 1
    found = open_structures(folder / "y.zarr").properties["threshold_1"]
    assert (found[:12] == found[0]).all()
    assert found[12:] == pytest.approx(found[0] / 2, abs=1)
    assert each["segmentation"]["thresholds"] == [found[0]]


def test_options_that_need_a_segmentation_or_a_mask_are_refused_without(micrograph):
    folder, _ = micrograph
    with pytest.raises(InputError, match="--threshold otsu"):
        import_structures(folder / "grey.npy", folder / "x.zarr", figure=folder / "p.png")
    with pytest.raises(InputError, match="--phase-values"):
        import_structures(folder / "grey.npy", folder / "x.zarr", segmentation=Segmentation(), phase_values="auto")
    with pytest.raises(InputError, match="--mask"):
        import_structures(folder / "grey.npy", folder / "x.zarr", segmentation=Segmentation(), min_valid=1)
    with pytest.raises(InputError, match=r"\.png"):
        import_structures(folder / "grey.npy", folder / "x.zarr", segmentation=Segmentation(), figure=folder / "p.gif")
    assert not (folder / "x.zarr").exists()
