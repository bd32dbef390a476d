"""Dropped files: any name, any content; segmented, cut, encoded and scored."""

from __future__ import annotations

import io

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError, MatvaeError
from matvae.explore.dropped import central_window, ending_of

from .conftest import textures


def npy(array) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def png(array) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


def test_a_window_is_encoded_as_transform_does(explorer, texture_model):
    window = textures(1, 9)[0]
    found = explorer.encoder.of("window.npy", npy(window))
    assert np.array_equal(found.window, window)
    assert found.latent == pytest.approx(texture_model.transform(window[None])[0])
    assert found.notes == []


def test_a_grey_image_is_segmented_and_its_centre_taken(explorer):
    solid = np.zeros((20, 30), np.uint8)
    solid[4:12, 8:15] = 1
    noise = np.random.default_rng(0).integers(0, 20, solid.shape)
    found = explorer.encoder.of("scan.png", png((60 + 120 * solid + noise).astype(np.uint8)))
    assert np.array_equal(found.window, solid[2:18, 7:23])
    assert any("Otsu" in note for note in found.notes)
    assert any("central 16 x 16 of 20 x 30" in note for note in found.notes)
    exchanged = explorer.encoder.of("scan.png", png((60 + 120 * solid + noise).astype(np.uint8)), swap=True)
    assert np.array_equal(exchanged.window, 1 - found.window)


def test_an_image_of_two_values_needs_no_threshold(explorer):
    window = textures(1, 9)[0]
    found = explorer.encoder.of("mask.png", png(255 * window))
    assert np.array_equal(found.window, window)
    assert found.notes == ["The values 0, 255 are taken for the phases 0 to 1."]


def test_a_window_without_features_is_told(explorer):
    image = np.zeros((40, 40), np.uint8)
    image[:4] = 1
    found = explorer.encoder.of("a.npy", npy(image))
    assert any("All voxels of this window are equal" in note for note in found.notes)


def test_noise_is_farther_out_than_the_material(explorer):
    usual = np.median([explorer.encoder.of("a.npy", npy(window)).score for window in textures(8, 9)])
    checkered = np.indices((16, 16)).sum(0) % 2
    strange = explorer.encoder.of("a.npy", npy(checkered.astype(np.uint8))).score
    assert usual < 1.2 < 1.5 < strange


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.png", b"hello", "file"),
        ("empty.npy", b"", "file"),
        ("archive.exe", b"MZ", "file"),
        ("noending", b"", "ending|end in"),
        ("small.npy", npy(np.eye(5, dtype=np.uint8)), "at least 16 x 16 voxels"),
        ("many.npy", npy(np.arange(400).reshape(20, 20) % 5), "2 phases, but the file has 5 different values"),
        ("nan.npy", npy(np.full((20, 20), np.nan)), "NaN|finite"),
        ("line.npy", npy(np.zeros(20, np.uint8)), "axes"),
    ],
)
def test_other_files_are_refused_without_naming_a_folder_of_ours(explorer, name, content, message):
    with pytest.raises(MatvaeError, match=message) as raised:
        explorer.encoder.of(name, content)
    assert "/tmp" not in str(raised.value)
    assert "matvae-" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.PNG", ".png"),
        ("../../etc/passwd.tif", ".tif"),
        ("C:\\x\\y.npy", ".npy"),
        ("<script>.nii.gz", ".nii.gz"),
        ("rock.v2.npy", ".npy"),
        ("x" * 5000 + ".npy", ".npy"),
    ],
)
def test_only_the_ending_of_a_name_is_used(name, ending):
    assert ending_of(name) == ending


@pytest.mark.parametrize("name", ["", ".", "/", "a.p/ng", "a.\x00", "a.p ng", "..."])
def test_names_without_an_ending_are_refused(name):
    with pytest.raises(InputError, match="end in"):
        ending_of(name)


def test_windows_come_from_the_centre_of_every_axis():
    image = np.arange(5 * 8).reshape(5, 8)
    window, notes = central_window(image, Grid((3, 4)))
    assert np.array_equal(window, image[1:4, 2:6])
    assert len(notes) == 1
