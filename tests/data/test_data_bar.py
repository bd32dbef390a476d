"""Data bars are found to the row, and nothing else is taken for one."""

from __future__ import annotations

import io

import dask.array as da
import numpy as np
import pytest

from matvae.data import data_bar
from matvae.data.data_bar import rows_without_data_bar, start_of_data_bar

from ..structures import blobs


def micrograph(shape=(200, 300), noise=14.0, seed=0):
    """A grey image of two phases."""
    truth = blobs(1, shape, width=4, volume_fraction=0.4, seed=seed)[0]
    grey = np.random.default_rng(seed).normal(np.where(truth, 160, 90), noise)
    return grey.clip(0, 255).round().astype(np.uint8)


def bar(n_rows, n_columns, background, ink):
    """A strip with text-like marks: rows of short strokes, which leave most of it blank."""
    strip = np.full((n_rows, n_columns), background, np.uint8)
    strokes = np.random.default_rng(1).random((n_rows - 8, n_columns // 2)) < 0.5
    strip[4:-4, n_columns // 5 : n_columns // 5 + n_columns // 2][strokes] = ink
    return strip


@pytest.mark.parametrize(("background", "ink"), [(0, 255), (255, 0), (200, 20)])
@pytest.mark.parametrize("n_rows", [12, 40])
def test_a_bar_is_found_to_the_row(background, ink, n_rows):
    image = micrograph()
    assert start_of_data_bar(np.vstack([image, bar(n_rows, 300, background, ink)])) == 200


def test_a_line_along_its_edge_and_traces_of_compression_belong_to_it():
    image, strip = micrograph(), bar(30, 300, 0, 255)
    line = np.full((2, 300), 255, np.uint8)
    assert start_of_data_bar(np.vstack([image, line, strip])) == 200
    traces = strip + np.random.default_rng(2).integers(0, 3, strip.shape).astype(np.uint8) * (strip == 0)
    assert start_of_data_bar(np.vstack([image, traces])) == 200


def test_real_numbers_and_wide_images_are_looked_at_too(monkeypatch):
    image = np.vstack([micrograph(), bar(30, 300, 0, 255)])
    monkeypatch.setattr(data_bar, "MOST_READ", 230 * 120)
    images = da.from_array(np.stack([image, image]) / 255.0, chunks=(1, 50, 50))
    assert rows_without_data_bar(images) == (0, 200)
    monkeypatch.setattr(data_bar, "MOST_READ", 230 * 20)
    assert rows_without_data_bar(images) is None


def test_a_bar_at_the_top_is_found_too():
    image, strip = micrograph(), bar(16, 300, 255, 0)
    assert rows_without_data_bar(np.vstack([strip, image])[None]) == (16, 216)
    assert rows_without_data_bar(image[None]) is None


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("change", ["scaled", "JPEG"])
def test_an_edge_that_was_blurred_by_scaling_or_compression_is_left_out_with_the_bar(background, change):
    pillow = pytest.importorskip("PIL.Image")
    strip = np.full((40, 300), background, np.uint8)
    strip[12:28, 30:150:6] = strip[12:28, 31:150:6] = 255 - background
    whole = pillow.fromarray(np.vstack([micrograph((204, 300)), strip]))
    if change == "scaled":
        start = start_of_data_bar(np.array(whole.resize((210, 171), pillow.Resampling.LANCZOS)))
        assert start in (142, 143, 144)
    else:
        file = io.BytesIO()
        whole.save(file, "JPEG", quality=60)
        assert start_of_data_bar(np.array(pillow.open(file))) in (202, 203, 204)


def test_a_scale_bar_inside_the_image_is_none():
    """It takes a part of some rows, which a region of rows could not leave out without loss."""
    image = micrograph()
    image[180:190, 200:280] = 255
    assert rows_without_data_bar(image[None]) is None
    image[170:, 190:] = 0
    image[180:190, 200:280] = 255
    assert rows_without_data_bar(image[None]) is None


def cracked():
    """A material with a pore, saturated at 0, at the bottom, whose edge is as rough as an interface is."""
    image = micrograph()
    edge = 170 + np.cumsum(np.random.default_rng(3).integers(-1, 2, 300)) % 8
    image[np.arange(200)[:, None] > edge] = 0
    return image


def layered():
    """A field of smooth lamellae along x, flat inside and periodic, of which one lies at the bottom."""
    y = np.arange(256)[:, None] + 0 * np.arange(256)
    return np.tanh(4 * np.sin(2 * np.pi * (y + 20) / 64))


def vignette():
    """A round sample on a black background."""
    y, x = np.indices((200, 200)) - 99.5
    return np.where(x**2 + y**2 < 98**2, micrograph((200, 200)), 0)


@pytest.mark.parametrize(
    "image",
    [
        micrograph(),
        micrograph(noise=2.0),
        cracked(),
        layered(),
        vignette(),
        np.zeros((100, 100)),
        np.where(np.eye(100) > 0, np.nan, np.arange(100.0)),
        np.arange(10000).reshape(100, 100),
        np.repeat(30 * np.arange(8), 16)[:, None] + np.zeros(100),
        np.vstack([micrograph((40, 50)), bar(12, 50, 0, 255)]),
        255 * (micrograph() > 125).astype(np.uint8),
    ],
    ids=["material", "smooth", "pore", "lamellae", "round", "constant", "gaps", "ramp", "layers", "small", "phases"],
)
def test_nothing_else_is_taken_for_a_bar(image):
    assert start_of_data_bar(image) is None
    assert start_of_data_bar(image[::-1]) is None


@pytest.mark.parametrize("name", ["alloy", "ceramics", "copolymer"])
def test_measured_micrographs_have_none(shared_data, name):
    phases = np.load(shared_data / "micrographs" / f"{name}.npy")
    assert start_of_data_bar(phases) is None
    grey = np.random.default_rng(0).normal(90.0 + 70 * phases, 10)
    assert start_of_data_bar(grey) is None


def test_a_scanning_electron_micrograph_has_one(shared_data):
    tifffile = pytest.importorskip("tifffile")
    image = tifffile.imread(shared_data / "formats" / "nanoporous_grey.tif")
    assert start_of_data_bar(image) == pytest.approx(690, abs=4)
    assert start_of_data_bar(image[:680]) is None
