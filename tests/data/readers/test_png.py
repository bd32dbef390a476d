from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from matvae.data import open_structures
from matvae.data.open import open_grey
from matvae.errors import InputError, MissingExtraError, StoreError

LABELS = np.random.default_rng(0).integers(0, 2, (11, 12, 9)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i, image in enumerate(LABELS):
        Image.fromarray(image * 255).save(tmp_path / f"sample{i}.png")
    return tmp_path


def test_images_of_a_folder_are_samples_in_natural_order(folder):
    (folder / "notes.txt").write_text("x")
    opened = open_structures(folder, phase_values=(0, 255), axes="syx")
    np.testing.assert_array_equal(opened.data.compute(), LABELS)
    np.testing.assert_array_equal(opened.data[3:5, 2:, ::2].compute(), LABELS[3:5, 2:, ::2])
    np.testing.assert_array_equal(open_structures(folder, phase_values="auto", spatial_dims=3).data[0], LABELS)


@pytest.mark.parametrize(("mode", "factor"), [("1", 1), ("L", 1), ("P", 1), ("I;16", 1000)])
def test_images_of_every_grey_mode_are_read(tmp_path, mode, factor):
    image = Image.fromarray(LABELS[0].astype(np.uint16) * factor) if mode == "I;16" else Image.fromarray(LABELS[0])
    if mode == "P":
        image.putpalette([0, 0, 0, 200, 10, 10])
    if mode == "1":
        image = Image.fromarray(LABELS[0].astype(bool))
    assert image.mode == mode
    image.save(tmp_path / "a.png")
    opened = open_structures(tmp_path / "a.png", phase_values=(0, factor))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[:1])


@pytest.mark.parametrize("alpha", [None, 255])
def test_grey_images_saved_in_colour_are_read(tmp_path, alpha):
    channels = [LABELS[0] * 200] * 3 + ([] if alpha is None else [np.full_like(LABELS[0], alpha)])
    Image.fromarray(np.stack(channels, -1)).save(tmp_path / "a.png")
    opened = open_structures(tmp_path / "a.png", phase_values=(0, 200))
    np.testing.assert_array_equal(opened.data.compute(), LABELS[:1])
    np.testing.assert_array_equal(opened.data[0, 2:5, ::2].compute(), LABELS[0, 2:5, ::2])
    assert opened.attributes["channels"].startswith("its 3 channels are equal")
    assert ("alpha is opaque" in opened.attributes["channels"]) == (alpha is not None)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_images_of_many_grey_levels_saved_in_colour_are_read(tmp_path, mode):
    grey = np.random.default_rng(1).integers(0, 256, (12, 9)).astype(np.uint8)
    Image.fromarray(grey).convert(mode).save(tmp_path / "a.png")
    (opened,) = open_grey([tmp_path / "a.png"])
    np.testing.assert_array_equal(opened.data[0].compute(), grey)
    expected = {
        "RGB": "its 3 channels are equal: one channel is taken",
        "RGBA": "its 3 channels are equal, and its alpha is opaque: one channel is taken",
        "LA": "its alpha is opaque: only grey is taken",
    }
    assert opened.attributes["channels"] == expected[mode]


def test_grey_photographs_saved_in_colour_are_read(tmp_path):
    grey = np.random.default_rng(1).integers(0, 256, (16, 24)).astype(np.uint8)
    Image.fromarray(grey).convert("RGB").save(tmp_path / "a.jpg", quality=60)
    with pytest.warns(UserWarning, match="compressed with loss"):
        (opened,) = open_grey([tmp_path / "a.jpg"])
    np.testing.assert_array_equal(opened.data[0].compute(), np.asarray(Image.open(tmp_path / "a.jpg").convert("L")))
    assert "its 3 channels are equal" in opened.attributes["channels"]


def test_grey_images_of_one_folder_may_be_saved_in_both_ways(tmp_path):
    Image.fromarray(LABELS[0] * 90).save(tmp_path / "a0.png")
    Image.fromarray(LABELS[1] * 90).convert("RGB").save(tmp_path / "a1.png")
    opened = open_structures(tmp_path, phase_values=(0, 90), axes="syx")
    np.testing.assert_array_equal(opened.data.compute(), LABELS[:2])
    assert "its 3 channels are equal" in opened.attributes["channels"]


def test_lost_bits_of_deep_colours_are_warned_of(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs", reason="It writes PNG of 16 bits per colour.")
    grey = (LABELS[0].astype(np.uint16) * 51400)[..., None]
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.repeat(grey, 3, axis=-1)))
    with pytest.warns(UserWarning, match=r"a\.png has 16 bits per channel, of which 8 are read"):
        opened = open_structures(tmp_path / "a.png", phase_values=(0, 200))
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS[0])


def test_images_of_two_colours_are_read(tmp_path):
    colours = np.array([[255, 255, 255], [200, 10, 1]], np.uint8)
    labels = LABELS[0].copy()
    labels[:4] = 0
    Image.fromarray(colours[labels]).save(tmp_path / "a.png")
    red, white = 200 * 65536 + 10 * 256 + 1, 0xFFFFFF
    message = rf"values are colours, 65536 red \+ 256 green \+ blue.*OUT\.zarr --phase-values {red},{white}\), or in"
    with pytest.warns(UserWarning, match=message):
        opened = open_structures(tmp_path / "a.png", phase_values="auto")
    assert opened.attributes["phase_values"] == [red, white]
    np.testing.assert_array_equal(opened.data[0].compute(), 1 - labels)
    # A part without the second colour has the values of the whole.
    np.testing.assert_array_equal(opened.data[0, :4].compute(), np.ones((4, 9)))


def test_images_of_many_colours_and_transparent_ones_are_refused(tmp_path):
    many = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    transparent = np.zeros((8, 8, 4), np.uint8)
    for values, mode in ((many, "RGB"), (transparent, "RGBA")):
        Image.fromarray(values).save(tmp_path / "a.png")
        with pytest.raises(InputError, match=rf"a\.png .*colour or transparent image \(mode {mode}\)"):
            open_structures(tmp_path / "a.png")


def test_palettes_of_greys_are_applied_and_those_of_colours_said(tmp_path):
    image = Image.fromarray(LABELS[0])
    image.putpalette([9, 9, 9, 200, 200, 200])
    image.save(tmp_path / "grey.png")
    grey = open_structures(tmp_path / "grey.png", phase_values=(9, 200))
    np.testing.assert_array_equal(grey.data[0].compute(), LABELS[0])
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.save(tmp_path / "colour.png")
    with pytest.warns(UserWarning, match="numbers of palette entries, not grey levels: 0 #000000, 1 #c80a0a"):
        np.testing.assert_array_equal(open_structures(tmp_path / "colour.png").data[0].compute(), LABELS[0])


def test_bitmaps_are_read_and_lossy_images_warned_of(tmp_path):
    Image.fromarray(LABELS[0] * 255).save(tmp_path / "a.bmp")
    np.testing.assert_array_equal(open_structures(tmp_path / "a.bmp", phase_values=(0, 255)).data[0], LABELS[0])
    Image.fromarray(np.zeros((16, 24), np.uint8)).save(tmp_path / "b.jpg")
    with pytest.warns(UserWarning, match=r"b\.jpg is compressed with loss"):
        assert open_structures(tmp_path / "b.jpg").grid.shape == (16, 24)


def test_hidden_files_are_left_out_and_damaged_ones_named(folder):
    (folder / "._sample3.png").write_bytes(b"\0\5\26\7")
    assert len(open_structures(folder, phase_values=(0, 255), axes="syx")) == len(LABELS)
    (folder / "sample3.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"sample3\.png in .* cannot be opened"):
        open_structures(folder)


def test_a_header_that_declares_more_than_the_file_holds_is_refused(tmp_path):
    Image.fromarray(LABELS[0]).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    # The first chunk of a PNG: its type, width and height, and after five bytes their checksum.
    content[16:24] = (8000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.png declares 64000000 bytes"):
        open_structures(tmp_path / "a.png")


def test_different_sizes_and_names_are_refused(folder):
    with pytest.raises(InputError, match="PNG images have no names"):
        open_structures(folder, name="x")
    Image.fromarray(LABELS[0, :5]).save(folder / "sample5.png")
    with pytest.raises(InputError, match=r"sample0\.png is \(12, 9\) uint8 and sample5\.png is \(5, 9\)"):
        open_structures(folder)


def test_an_image_damaged_after_opening_raises_a_store_error(folder):
    opened = open_structures(folder, phase_values=(0, 255), axes="syx")
    file = folder / "sample7.png"
    file.write_bytes(file.read_bytes()[:60])
    np.testing.assert_array_equal(opened.data[:7].compute(), LABELS[:7])
    with pytest.raises(StoreError, match="cannot be read"):
        opened.data.compute()


def test_the_extra_is_named_if_pillow_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[png\]'"):
        open_structures(folder)
