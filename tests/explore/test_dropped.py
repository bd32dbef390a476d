"""Dropped files: any name, any content; segmented, cut, encoded and scored."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from matvae import Grid
from matvae.errors import InputError, MatvaeError
from matvae.explore.dropped import base_of, corner_of, describe_region, ending_of, small_picture, window_at

from .conftest import textures


def npy(array) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def png(array) -> bytes:
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


def tiff(array) -> bytes:
    import tifffile

    content = io.BytesIO()
    tifffile.imwrite(content, array)
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
    assert found.corner == (2, 7)
    assert found.shape == (20, 30)
    assert "The window is y 2 to 17 of 20 voxels, x 7 to 22 of 30 voxels." in found.notes
    assert np.array_equal(found.small, solid)
    exchanged = explorer.encoder.of("scan.png", png((60 + 120 * solid + noise).astype(np.uint8)), swap=True)
    assert np.array_equal(exchanged.window, 1 - found.window)
    assert np.array_equal(exchanged.small, 1 - found.small)


def test_the_window_is_taken_from_where_it_is_asked_for(explorer, texture_model):
    left, right = textures(2, 9)
    image = npy(np.concatenate([left, right], axis=1))
    for column, window in ((0, left), (16, right)):
        found = explorer.encoder.of("two.npy", image, corner=(0, column))
        assert np.array_equal(found.window, window)
        assert found.latent == pytest.approx(texture_model.transform(window[None])[0])
    # Neither the next file nor the phases as they were are those of the last one.
    assert np.array_equal(explorer.encoder.of("one.npy", npy(left)).window, left)
    assert np.array_equal(explorer.encoder.of("two.npy", image, corner=(0, 16), swap=True).window, 1 - right)
    assert np.array_equal(explorer.encoder.of("two.npy", image, corner=(0, 16)).window, right)


def test_a_file_is_read_once_for_all_its_windows(explorer, monkeypatch):
    image = npy(np.tile(textures(1, 12)[0], (2, 2)))
    explorer.encoder.of("a.npy", image, corner=(0, 0))
    monkeypatch.setattr("matvae.explore.dropped.read_image", None)
    explorer.encoder.of("a.npy", image, corner=(3, 9))
    with pytest.raises(TypeError):
        explorer.encoder.of("a.npy", npy(np.eye(20, dtype=np.uint8)))


@pytest.mark.parametrize("corner", [(-1, 0), (5, 0), (0, 15), (0,), (0, 0, 0)])
def test_windows_beyond_the_image_are_refused(explorer, corner):
    with pytest.raises(InputError, match=r"begins at voxels from 0 to 4, 14, but .* was given"):
        explorer.encoder.of("a.npy", npy(np.indices((20, 30)).sum(0) % 2), corner=corner)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("RGB", "Its 3 channels are equal: one channel is taken."),
        ("RGBA", "Its 3 channels are equal, and its alpha is opaque: one channel is taken."),
        ("LA", "Its alpha is opaque: only grey is taken."),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_grey_image_saved_in_colour_is_that_image(explorer, mode, said, format):
    solid = textures(1, 9)[0]
    grey = (60 + 120 * solid + np.random.default_rng(0).integers(0, 20, solid.shape)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(grey).convert(mode).save(content, format)
    found = explorer.encoder.of(f"scan.{format.lower()}", content.getvalue())
    assert np.array_equal(found.window, solid)
    assert found.notes[0] == said
    assert "Otsu" in found.notes[1]


@pytest.mark.parametrize(("name", "format"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.tif", "TIFF")])
def test_colours_are_refused_with_what_can_be_done_on_the_page(explorer, name, format):
    colours = np.random.default_rng(0).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(colours).save(content, format)
    with pytest.raises(InputError, match=r"the file .*Convert it to a grey image \(ImageJ: ") as raised:
        explorer.encoder.of(name, content.getvalue())
    assert "axes=" not in str(raised.value)
    assert "--" not in str(raised.value)


@pytest.mark.filterwarnings("error")
def test_warnings_are_notes_and_name_the_dropped_file(explorer):
    window = textures(1, 9)[0]
    content = io.BytesIO()
    Image.fromarray(255 * np.kron(window, np.ones((2, 2), np.uint8))).save(content, "JPEG", quality=30)
    notes = explorer.encoder.of("C:\\photos\\my <scan>.jpg", content.getvalue()).notes
    assert notes[0].startswith("my <scan>.jpg is compressed with loss (JPEG): ")
    assert explorer.encoder.of("other.jpg", content.getvalue()).notes[0].startswith("other.jpg is")
    assert not any("/tmp" in note or "dropped" in note for note in notes)


def test_the_first_structure_of_a_stack_is_taken_and_it_is_said(explorer):
    stack = textures(3, 9)
    found = explorer.encoder.of("stack.npy", npy(stack))
    assert np.array_equal(found.window, stack[0])
    assert found.notes[0] == "The first of 3 structures in the file is taken."


def test_names_are_shown_without_folders_and_not_longer_than_fits():
    assert base_of("a/b\\c.png") == "c.png"
    assert len(base_of("x" * 500 + ".png")) == 80


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


def test_windows_come_from_the_centre_of_every_axis_unless_told():
    image, grid = np.arange(5 * 8).reshape(5, 8), Grid((3, 4))
    assert corner_of(image.shape, grid) == (1, 2)
    assert np.array_equal(window_at(image, grid, (1, 2)), image[1:4, 2:6])
    assert np.array_equal(window_at(image, grid, corner_of(image.shape, grid, [2, 4])), image[2:, 4:])
    assert describe_region(image.shape, grid, (2, 4)) == "y 2 to 4 of 5 voxels, x 4 to 7 of 8 voxels"


def test_small_pictures_are_thinned_out_and_of_volumes_a_section_through_the_window():
    image = np.arange(500 * 300).reshape(500, 300)
    assert np.array_equal(small_picture(image, Grid((16, 16)), (0, 0)), image[::3, ::3])
    volume = np.arange(9 * 10 * 11).reshape(9, 10, 11)
    assert np.array_equal(small_picture(volume, Grid((4, 4, 4)), (5, 0, 0)), volume[7])
    assert small_picture(np.arange(30), Grid((16,)), (3,)).shape == (1, 30)


def test_an_image_of_one_value_is_said_to_be_one(explorer):
    found = explorer.encoder.of("flat.png", png(np.full((20, 20), 7, np.uint8)))
    assert "All voxels have the value 7, which is taken for phase 0." in found.notes
    assert any("All voxels of this window are equal" in note for note in found.notes)
