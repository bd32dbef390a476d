from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from matvae.data import open_structures
from matvae.errors import InputError, MissingExtraError, StoreError

LABELS = np.random.default_rng(0).integers(0, 2, (11, 12, 9)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i, image in enumerate(LABELS):
        Image.fromarray(image * 255).save(tmp_path / f"sample{i}.png")
    return tmp_path


def test_images_of_a_folder_are_samples_in_natural_order(folder):
    (folder / "notes.txt").write_text("x")
    opened = open_structures(folder, phase_values=(0, 255))
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


def test_colour_images_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"colour or transparent image \(mode RGB\)"):
        open_structures(tmp_path / "a.png")


def test_different_sizes_and_names_are_refused(folder):
    with pytest.raises(InputError, match="PNG images have no names"):
        open_structures(folder, name="x")
    Image.fromarray(LABELS[0, :5]).save(folder / "sample5.png")
    with pytest.raises(InputError, match=r"sample0\.png is \(12, 9\) uint8 and sample5\.png is \(5, 9\)"):
        open_structures(folder)


def test_an_image_damaged_after_opening_raises_a_store_error(folder):
    opened = open_structures(folder, phase_values=(0, 255))
    file = folder / "sample7.png"
    file.write_bytes(file.read_bytes()[:60])
    np.testing.assert_array_equal(opened.data[:7].compute(), LABELS[:7])
    with pytest.raises(StoreError, match="cannot be read"):
        opened.data.compute()


def test_the_extra_is_named_if_pillow_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[png\]'"):
        open_structures(folder)
