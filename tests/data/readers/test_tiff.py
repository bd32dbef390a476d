from __future__ import annotations

import sys
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
import tifffile

from matvae.data import open_structures, windows
from matvae.data.readers.tiff import reader
from matvae.errors import InputError, MatvaeError, MissingExtraError, StoreError

LABELS = np.random.default_rng(0).integers(0, 3, (6, 48, 32)).astype(np.uint8)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "zlib"},
        {"compression": "packbits", "rowsperstrip": 5},
        {"compression": "lzw", "tile": (16, 16)},
        {"imagej": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "metadata": {"axes": "ZYX"}},
        {"bigtiff": True, "byteorder": ">"},
        {"metadata": None, "photometric": "minisblack"},
    ],
)
def test_boxes_equal_those_of_the_stack(tmp_path, how):
    tifffile.imwrite(tmp_path / "a.tif", LABELS, **how)
    blocks = reader.open(tmp_path / "a.tif", None).array
    for box in (np.s_[:], np.s_[2:5, 20:40, 3], np.s_[-1, :, ::3], np.s_[1:1]):
        np.testing.assert_array_equal(blocks[box], LABELS[box])
    np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", spatial_dims=2).data.compute(), LABELS)
    np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", spatial_dims=3).data[0].compute(), LABELS)


@pytest.mark.parametrize("per_file", [1, 2])
def test_a_folder_is_a_stack_in_natural_order(tmp_path, per_file):
    for i in range(0, 12):
        tifffile.imwrite(tmp_path / f"slice{i}.tiff", np.squeeze(LABELS[:per_file] * 0 + i))
    tops = open_structures(tmp_path, spatial_dims=2 if per_file == 1 else 3).data[:, ..., 0, 0].compute()
    np.testing.assert_array_equal(tops.reshape(12, -1)[:, 0], range(12))


def test_a_folder_of_slices_is_a_volume(tmp_path):
    for i, page in enumerate(LABELS):
        tifffile.imwrite(tmp_path / f"{i}.tif", page)
    opened = open_structures(tmp_path, spatial_dims=3)
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None])


def test_images_of_different_shapes_are_named(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[0])
    tifffile.imwrite(tmp_path / "b.tif", LABELS[0, :40])
    with pytest.raises(
        InputError, match=r"one shape and type, but a\.tif is \(48, 32\) uint8 and b\.tif is \(40, 32\)"
    ):
        open_structures(tmp_path)


def test_colours_are_refused(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    with pytest.raises(InputError, match=r"has 3 channels or colours that differ .*ImageJ: Image > Type > 8-bit"):
        open_structures(tmp_path / "a.tif")


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_images_saved_in_colour_are_read(tmp_path, planar, alpha, dtype):
    image = LABELS[0].astype(dtype) * 100
    channels = [image] * 3 + [np.full_like(image, np.iinfo(dtype).max)] * alpha
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack(channels, axis=0 if planar else -1),
        photometric="rgb",
        planarconfig="separate" if planar else "contig",
        extrasamples=["unassalpha"] * alpha,
    )
    opened = open_structures(tmp_path / "a.tif", phase_values=(0, 100, 200))
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS[0])
    assert opened.attributes["axes"] == "yx, as the file states"
    assert opened.attributes["channels"].startswith("its 3 channels are equal")


def test_a_page_in_colour_after_grey_ones_is_refused_when_it_is_read(tmp_path):
    pages = np.stack([LABELS[:3]] * 3, axis=-1) * 100
    pages[2, 0, 0] = 1, 2, 3
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    opened = open_structures(tmp_path / "a.tif", phase_values=(0, 100, 200), axes="syxc")
    np.testing.assert_array_equal(opened.data[:2].compute(), LABELS[:2])
    with pytest.raises(InputError, match=r"a\.tif .*3 channels or colours differ in part of it"):
        opened.data.compute()


def test_one_of_several_series_is_chosen(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(LABELS)
        file.write(LABELS[0, :10])
    np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", name="1").data[0].compute(), LABELS[0, :10])
    with pytest.raises(InputError, match=r"several images: '0', '1'.*--name"):
        open_structures(tmp_path / "a.tif")


def test_pages_appended_one_by_one_are_one_stack(tmp_path):
    for page in LABELS:
        tifffile.imwrite(tmp_path / "a.tif", page, append=True)
    array = reader.open(tmp_path / "a.tif", None).array
    np.testing.assert_array_equal(array[2:5, 20:40], LABELS[2:5, 20:40])
    np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", axes="zyx").data[0].compute(), LABELS)
    assert len(open_structures(tmp_path / "a.tif", axes="syx")) == len(LABELS)
    np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", name="3").data[0].compute(), LABELS[3])


@pytest.mark.parametrize("n_slices", [3, 4, 5])
def test_a_volume_of_few_slices_can_be_told_from_colours(tmp_path, n_slices):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[:n_slices])
    for option in ({"spatial_dims": 3}, {"axes": "zyx"}):
        np.testing.assert_array_equal(open_structures(tmp_path / "a.tif", **option).data[0], LABELS[:n_slices])
    assert len(open_structures(tmp_path / "a.tif", axes="syx")) == n_slices
    if n_slices < 5:
        with pytest.raises(InputError, match=r"channels or colours.*axes='zyx' or axes='syx'.*--axes zyx or syx"):
            open_structures(tmp_path / "a.tif")


def zipped(folder, files):
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"scan/{file.name}")
        archive.writestr("__MACOSX/scan/._stack.tif", b"\0\5\26\7")
        archive.writestr("scan/notes.txt", "read me")
    return folder / "a.zip"


def test_a_stack_in_an_archive_is_read_without_unpacking(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", LABELS, imagej=True, metadata={"axes": "ZYX"})
    path = zipped(tmp_path, [tmp_path / "stack.tif"])
    before = sorted(tmp_path.iterdir())
    opened = open_structures(path)
    np.testing.assert_array_equal(opened.data.compute(), LABELS[None])
    np.testing.assert_array_equal(opened.data[0, 3, 10:20].compute(), LABELS[3, 10:20])
    assert sorted(tmp_path.iterdir()) == before


def test_a_layer_of_a_large_archive_takes_little_memory(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", shape=(96, 1024, 1024), dtype=np.uint8)
    array = reader.open(zipped(tmp_path, [tmp_path / "stack.tif"]), None).array
    tracemalloc.start()
    assert not array[95].any()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Decompressed data that are skipped come in blocks of 16 MiB.
    assert peak < 64 * 2**20 < array.shape[0] * 2**20


def test_images_in_an_archive_are_a_stack(tmp_path):
    files = [tmp_path / f"s{i}.tif" for i in range(len(LABELS))]
    for file, page in zip(files, LABELS, strict=True):
        tifffile.imwrite(file, page)
    path = zipped(tmp_path, files[::-1])
    np.testing.assert_array_equal(open_structures(path, axes="zyx").data[0].compute(), LABELS)
    np.testing.assert_array_equal(open_structures(path, name="s2.tif").data[0].compute(), LABELS[2])


def test_an_archive_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.zip should contain TIFF files, but has none"):
        open_structures(zipped(tmp_path, []))


def test_hidden_files_are_left_out_and_damaged_ones_named(tmp_path):
    for i in range(3):
        tifffile.imwrite(tmp_path / f"s{i}.tif", LABELS[i])
        (tmp_path / f"._s{i}.tif").write_bytes(b"\0\5\26\7" + b"\0" * 100)
    np.testing.assert_array_equal(open_structures(tmp_path, axes="syx").data.compute(), LABELS[:3])
    (tmp_path / "s1.tif").write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match=r"s1\.tif in .* cannot be opened: TiffFileError"):
        open_structures(tmp_path, axes="syx")


def test_names_with_other_digits_are_sorted(tmp_path):
    for name in ("1²3", "٣", "10", "9"):
        tifffile.imwrite(tmp_path / f"{name}.tif", LABELS[0])
    assert len(open_structures(tmp_path, axes="syx")) == 4


@pytest.mark.parametrize("is_bilevel", [False, True])
def test_inverted_images_keep_their_values_and_say_so(tmp_path, is_bilevel):
    stored = LABELS[0] > 0 if is_bilevel else 255 * (LABELS[0] > 0).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
    with pytest.warns(UserWarning, match="0 is shown as white .*values are those stored"):
        opened = open_structures(tmp_path / "a.tif", phase_values="auto")
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS[0] > 0)
    assert "0 is shown as white" in opened.attributes["notes"][0]
    # Whoever lists the values knows what they are.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_structures(tmp_path / "a.tif", phase_values=(0, 1) if is_bilevel else (0, 255))


def test_palettes_of_greys_are_applied_and_those_of_colours_said(tmp_path):
    greys = np.repeat(np.arange(255, -1, -1, dtype=np.uint16)[None] * 257, 3, axis=0)
    # Some programs write entries of 8 bits instead of 16.
    tifffile.imwrite(tmp_path / "narrow.tif", LABELS[0], photometric="palette", colormap=greys // 257)
    narrow = open_structures(tmp_path / "narrow.tif", phase_values=(255, 254, 253))
    np.testing.assert_array_equal(narrow.data[0].compute(), LABELS[0])
    tifffile.imwrite(tmp_path / "grey.tif", LABELS[0], photometric="palette", colormap=greys)
    opened = open_structures(tmp_path / "grey.tif", phase_values=(255, 254, 253))
    np.testing.assert_array_equal(opened.data[0].compute(), LABELS[0])
    colours = greys.copy()
    colours[0] = 0
    tifffile.imwrite(tmp_path / "colour.tif", LABELS[0], photometric="palette", colormap=colours)
    with pytest.warns(UserWarning, match="numbers of palette entries, not grey levels: 0 #00ffff, 1 #00fefe"):
        np.testing.assert_array_equal(open_structures(tmp_path / "colour.tif").data[0].compute(), LABELS[0])


@pytest.mark.parametrize("compression", [None, "zlib", "zstd", "jpeg", "lzma", "png", "packbits"])
def test_a_header_that_declares_more_than_the_file_holds_is_refused(tmp_path, compression):
    tifffile.imwrite(tmp_path / "a.tif", LABELS[0], compression=compression, rowsperstrip=48)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            file.pages[0].tags[name].overwrite(60_000)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"a\.tif (declares \d+ bytes|is incomplete)"):
        open_structures(tmp_path / "a.tif")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize(("tile", "piece"), [(None, "page"), ((16, 16), "tile")])
def test_pages_and_tiles_that_do_not_fit_into_memory_are_refused(tmp_path, tile, piece):
    # WebP shrinks data by any factor.
    image = np.stack([LABELS[0]] * 3, axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", image, compression="webp", tile=tile, photometric="rgb")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        for name in ("ImageWidth", "ImageLength") if tile is None else ("TileWidth", "TileLength"):
            file.pages[0].tags[name].overwrite(60_000_000 if tile is None else 60_000_016)
    with pytest.raises(InputError, match=rf"Each {piece} of .*a\.tif.* needs about \S+ PB of memory"):
        open_structures(tmp_path / "a.tif")


@pytest.mark.parametrize("how", [{}, {"compression": "zlib"}, {"metadata": None, "photometric": "minisblack"}])
def test_a_truncated_file_is_never_read_as_a_smaller_one(tmp_path, how):
    tifffile.imwrite(tmp_path / "a.tif", LABELS, **how)
    whole = (tmp_path / "a.tif").read_bytes()
    for part in (0.3, 0.6, 0.9, 0.99):
        (tmp_path / "a.tif").write_bytes(whole[: int(len(whole) * part)])
        try:
            labels = open_structures(tmp_path / "a.tif", phase_values=(0, 1, 2)).data.compute()
        except MatvaeError:
            continue
        np.testing.assert_array_equal(labels, LABELS)


def test_damage_detected_while_reading_raises_a_store_error(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", LABELS, compression="zlib")
    data = open_structures(tmp_path / "a.tif").data
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        offset = file.pages[2].dataoffsets[0]
    whole = bytearray((tmp_path / "a.tif").read_bytes())
    whole[offset : offset + 50] = b"\xff" * 50
    (tmp_path / "a.tif").write_bytes(whole)
    np.testing.assert_array_equal(data[:2].compute(), LABELS[:2])
    with pytest.raises(StoreError, match=r"a\.tif cannot be read at voxels"):
        data.compute()


def test_files_that_are_not_tiff_are_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"not a TIFF at all")
    with pytest.raises(InputError, match="cannot be opened: TiffFileError"):
        open_structures(tmp_path / "a.tif")


def test_the_extra_is_named_if_tifffile_is_missing(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", LABELS)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'matvae\[tiff\]'"):
        open_structures(tmp_path / "a.tif")


def test_a_steel_micrograph_is_read(shared_data):
    path = shared_data / "micrographs" / "hsla_steel.tiff"
    with pytest.raises(InputError, match=r"holds 0, 255\. .*phase_values=\(0, 255\).*--phase-values 0,255 or auto"):
        open_structures(path)
    steel = open_structures(path, phase_values="auto")
    assert steel.attributes["phase_values"] == [0, 255]
    np.testing.assert_array_equal(steel.data[0].compute() * 255, tifffile.imread(path))


def test_a_tomogram_of_an_electrode_is_read(shared_data):
    path = shared_data / "volumes" / "nmc_electrode.tif"
    electrode = open_structures(path, spatial_dims=3)
    assert (electrode.data.shape, electrode.grid.phases) == ((1, 251, 301, 301), 3)
    np.testing.assert_array_equal(electrode.data[0, 100:103].compute(), tifffile.imread(path, key=range(100, 103)))


def test_windows_of_a_tomogram_of_sandstone_are_read(shared_data, tmp_path):
    with zipfile.ZipFile(shared_data / "volumes" / "berea.zip") as archive:
        archive.extract("berea.tif", tmp_path)
    rock = open_structures(tmp_path / "berea.tif", phase_values=(255, 0))
    assert rock.data.shape == (1, 400, 400, 400)
    assert float(rock.data.mean().compute()) == pytest.approx(0.197, abs=0.001)
    cut = windows(rock, 32, stride=16)
    assert cut.data.shape == (13_824, 32, 32, 32)
    assert len(cut.data.__dask_graph__()) < 1000
    whole = tifffile.imread(tmp_path / "berea.tif")
    np.testing.assert_array_equal(
        cut.data[24 * 24 * 3 + 24 * 5 + 7].compute() == 0, whole[48:80, 80:112, 112:144] == 255
    )
    zipped = open_structures(shared_data / "volumes" / "berea.zip", phase_values=(255, 0))
    np.testing.assert_array_equal(zipped.data[0, 200:202].compute() == 0, whole[200:202] == 255)
