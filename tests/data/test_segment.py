"""Segmentation: thresholds of scikit-image, the same phases however the image is divided into blocks, and refusals."""

from __future__ import annotations

import statistics
import sys

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import filters

from matvae.data import Segmentation, Structures, open_structures
from matvae.data.segment import segment
from matvae.errors import InputError, MissingExtraError
from matvae.grid import Grid


def blobs(shape, n_phases=2, seed=0):
    """Return labels of smooth random regions, equally many voxels of each phase."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3, mode="wrap")
    return np.digitize(field, np.quantile(field, np.arange(1, n_phases) / n_phases))


def grey_image(labels, seed=1, noise=12.0):
    """Return an 8-bit image of phases with distinct grey values and noise."""
    values = 60 + 70 * labels + np.random.default_rng(seed).normal(0, noise, labels.shape)
    return np.clip(values, 0, 255).round().astype(np.uint8)


def fields(values, chunks=-1, mask=None):
    values = np.array(values, dtype=np.float32)
    # As those of files may be.
    values.setflags(write=False)
    data = da.from_array(values, chunks=chunks)
    return Structures(data, Grid(values.shape[1:], phases=1), mask=mask)


def labels_of(image, **options):
    return open_structures(image, segmentation=Segmentation(**options)).data[0].compute()


def test_otsu_recovers_the_phases_and_their_fractions():
    truth = blobs((96, 128))
    image = grey_image(truth)
    segmented = open_structures(image, segmentation=Segmentation("otsu"))
    record = segmented.attributes["segmentation"]
    assert record == {
        "threshold": "otsu",
        "per": "all",
        "denoise": None,
        "min_size": 0,
        "thresholds": [float(filters.threshold_otsu(image))],
    }
    labels = segmented.data[0].compute()
    assert segmented.grid == Grid(truth.shape, phases=2, periodic=False)
    assert (labels == truth).mean() > 0.99
    assert labels.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_thresholds_are_those_of_scikit_image(dtype):
    image = grey_image(blobs((64, 80), 3)).astype(dtype)
    if dtype != np.uint8:
        image = image * dtype(1.5) + dtype(70)
    thresholds = {
        name: open_structures(image, segmentation=Segmentation(name)).attributes["segmentation"]["thresholds"]
        for name in ("otsu", "otsu:3", "li")
    }
    np.testing.assert_allclose(thresholds["otsu"], [filters.threshold_otsu(image, nbins=4096)], atol=0.1)
    np.testing.assert_allclose(thresholds["otsu:3"], filters.threshold_multiotsu(image, 3, nbins=256), atol=1.5)
    np.testing.assert_allclose(thresholds["li"], [filters.threshold_li(image.astype(float), tolerance=1e-3)], atol=0.1)


def test_multi_otsu_recovers_three_phases():
    truth = blobs((96, 96), 3)
    assert (labels_of(grey_image(truth, noise=10), threshold="otsu:3") == truth).mean() > 0.98


def test_a_voxel_belongs_to_the_phase_numbered_by_the_thresholds_below_its_value():
    image = np.array([[0, 99, 100, 101, 180, 200, 201, 255]])
    np.testing.assert_array_equal(labels_of(image, threshold=(100, 200)), [[0, 0, 0, 1, 1, 1, 2, 2]])
    np.testing.assert_array_equal(labels_of(image, threshold=100.5), [[0, 0, 0, 1, 1, 1, 1, 1]])


@pytest.mark.parametrize(
    ("segmentation", "masked"),
    [
        (Segmentation("otsu", denoise="median", min_size=9), False),
        (Segmentation("otsu", denoise="median", min_size=9), True),
        (Segmentation("li", per="image", denoise="median"), False),
        (Segmentation("li", per="image", denoise="median"), True),
        (Segmentation("otsu:3", min_size=5), False),
        (Segmentation("otsu:3", min_size=5), True),
        # The bilateral filter refuses masks.
        (Segmentation("otsu", denoise="bilateral"), False),
    ],
)
def test_blocks_change_nothing(segmentation, masked):
    grey = np.stack([grey_image(blobs((12, 20, 22), seed=seed), noise=30) for seed in range(2)])
    mask = np.random.default_rng(3).random(grey.shape) < 0.9 if masked else None
    whole = segment([fields(grey, mask=mask)], segmentation)
    parts = segment([fields(grey, (1, 5, 7, 6), mask)], segmentation)
    assert whole.thresholds == parts.thresholds
    np.testing.assert_array_equal(whole.parts[0].data.compute(), parts.parts[0].data.compute())
    assert len(np.unique(whole.parts[0].data.compute())) == segmentation.n_phases


def test_a_median_removes_noise_and_leaves_edges():
    truth = np.zeros((40, 60), int)
    truth[:, 30:] = 1
    image = grey_image(truth, noise=0)
    image.ravel()[np.random.default_rng(0).choice(image.size, 60, replace=False)] = 255
    assert (labels_of(image, threshold=95) != truth).sum() > 20
    np.testing.assert_array_equal(labels_of(image, threshold=95, denoise="median"), truth)
    assert (labels_of(grey_image(truth, noise=25), threshold=95, denoise="bilateral") == truth).mean() > 0.97


def test_a_median_next_to_the_mask_counts_only_neighbours_inside():
    rng = np.random.default_rng(0)
    grey, mask = rng.integers(0, 200, (1, 9, 11)).astype(float), rng.random((1, 9, 11)) < 0.6
    expected = np.zeros((9, 11))
    padded = np.pad(np.where(mask, grey, np.nan)[0], 1, mode="edge")
    for y, x in np.ndindex(9, 11):
        neighbours = [value for value in padded[y : y + 3, x : x + 3].ravel() if value == value]
        expected[y, x] = statistics.median_low(neighbours) if mask[0, y, x] else 0
    threshold = 97.3
    result = segment([fields(grey, (1, 4, 4), mask)], Segmentation(threshold, denoise="median")).parts[0]
    np.testing.assert_array_equal(result.data[0].compute(), mask[0] & (expected > threshold))


def test_voxels_outside_the_mask_do_not_move_the_threshold():
    truth = blobs((64, 64))
    image = grey_image(truth)
    y, x = np.indices(image.shape)
    inside = (y - 31.5) ** 2 + (x - 31.5) ** 2 < 31**2
    segmented = open_structures(np.where(inside, image, 255), mask=inside, segmentation=Segmentation("otsu"))
    assert segmented.attributes["segmentation"]["thresholds"] == [filters.threshold_otsu(image[inside])]
    np.testing.assert_array_equal(segmented.mask[0].compute(), inside)
    assert not segmented.data[0].compute()[~inside].any()


def test_small_objects_of_both_phases_take_the_phase_around_them():
    labels = np.zeros((20, 30), int)
    labels[:, 15:] = 1
    labels[3:5, 3:5] = 1  # an object of 4 voxels
    labels[10, 20:23] = 0  # a hole of 3
    labels[15, 14] = 1  # connected
    image = np.where(labels, 200, 50) + np.arange(600).reshape(20, 30) % 20
    cleaned = labels.copy()
    cleaned[10, 20:23] = 1
    np.testing.assert_array_equal(labels_of(image, threshold=100, min_size=4), cleaned)
    cleaned[3:5, 3:5] = 0
    np.testing.assert_array_equal(labels_of(image, threshold=100, min_size=5), cleaned)
    with pytest.raises(InputError, match="none would remain"):
        labels_of(image, threshold=100, min_size=400)


def test_a_small_object_between_two_phases_takes_that_of_the_nearest_voxels():
    labels = np.repeat([[0] * 6 + [1] * 2 + [2] * 6], 3, axis=0)
    image = 100 * labels + np.arange(42).reshape(3, 14)
    expected = np.repeat([[0] * 7 + [2] * 7], 3, axis=0)
    np.testing.assert_array_equal(labels_of(image, threshold=(95, 195), min_size=7), expected)


def test_thresholds_are_found_for_all_images_or_for_each():
    truth = blobs((2, 48, 48))
    dark, bright = grey_image(truth[0], noise=5), np.minimum(grey_image(truth[1], noise=5) + 90.0, 255)
    images = [dark.astype(float), bright]
    together = open_structures(images, segmentation=Segmentation("otsu"))
    one_by_one = open_structures(images, segmentation=Segmentation("otsu", per="image"))
    assert (one_by_one.data.compute() == truth).mean() > 0.99
    assert (together.data.compute() == truth).mean() < 0.9
    expected = [filters.threshold_otsu(image.astype(np.uint8)) for image in images]
    np.testing.assert_array_equal(one_by_one.properties["threshold_1"], expected)
    assert "thresholds" not in one_by_one.attributes["segmentation"]


def test_one_threshold_is_found_for_several_files(tmp_path):
    truth = blobs((2, 48, 48))
    for name, image in zip("ab", truth, strict=True):
        np.save(tmp_path / f"{name}.npy", grey_image(image))
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    segmented = open_structures(paths, segmentation=Segmentation("otsu"))
    expected = filters.threshold_otsu(np.stack([np.load(path) for path in paths]))
    assert segmented.attributes["segmentation"]["thresholds"] == [expected]
    assert (segmented.data.compute() == truth).mean() > 0.99


def test_a_stored_field_is_segmented_like_an_image():
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(1, 32, 32)), (0, 2, 2))
    segmented = open_structures(fields(field), segmentation=Segmentation(0.0))
    np.testing.assert_array_equal(segmented.data.compute(), field.astype(np.float32) > 0)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.full((8, 8), 7), {}, "all of its voxels are 7"),
        (blobs((32, 32)) * 255, {}, r"only the values 0, 255, like labels.*phase_values='auto'.*--phase-values auto"),
        (grey_image(blobs((32, 32))), {"threshold": 300}, r"run from \d+ to \d+, but 300 was given"),
        (grey_image(blobs((32, 32))), {"threshold": (100, 900)}, "leaves a phase empty"),
    ],
)
def test_nonsense_is_refused(image, options, message):
    with pytest.raises(InputError, match=message):
        open_structures(image, segmentation=Segmentation(**options))


def test_labels_and_listed_values_are_refused():
    labels = Structures(np.zeros((1, 8, 8), np.uint8), Grid((8, 8)))
    with pytest.raises(InputError, match="already hold the labels of 2 phases"):
        open_structures(labels, segmentation=Segmentation())
    with pytest.raises(InputError, match="both were given"):
        open_structures(grey_image(blobs((8, 8))), segmentation=Segmentation(), phase_values="auto")


def test_a_bilateral_filter_is_refused_where_it_cannot_work():
    grey = grey_image(blobs((1, 16, 16)))
    with pytest.raises(InputError, match="outside a mask"):
        segment([fields(grey, mask=grey > 60)], Segmentation(denoise="bilateral"))
    with pytest.raises(InputError, match="at least two axes"):
        segment([fields(grey[0])], Segmentation(denoise="bilateral"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": "yen"}, "threshold must be 'otsu'"),
        ({"threshold": "otsu:9"}, "up to 5"),
        ({"threshold": "li:3"}, "threshold must be"),
        ({"threshold": (5, 2)}, "ascending order"),
        ({"threshold": ()}, "ascending order"),
        ({"threshold": np.nan}, "ascending order"),
        ({"per": "slice"}, "--threshold-per"),
        ({"denoise": "gauss"}, "'median' or 'bilateral'"),
        ({"min_size": -1}, "min_size must be"),
        ({"min_size": 2.5}, "min_size must be"),
    ],
)
def test_bad_parameters_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Segmentation(**options)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.filters", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[segment\]'"):
        open_structures(grey_image(blobs((16, 16))), segmentation=Segmentation())
