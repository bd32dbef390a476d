from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.readers.numpy import reader
from matvae.errors import InputError, StoreError

LABELS = np.random.default_rng(0).integers(0, 3, (6, 7, 8)).astype(np.int32)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", ["npy", "npz", "compressed"])
def test_boxes_equal_those_of_the_array(tmp_path, order, save):
    values = np.asarray(LABELS, order=order)
    path = tmp_path / ("a.npy" if save == "npy" else "a.npz")
    {"npy": np.save, "npz": np.savez, "compressed": np.savez_compressed}[save](path, values)
    blocks = reader.open(path, None).array
    assert (blocks.shape, blocks.dtype) == (LABELS.shape, LABELS.dtype)
    for box in (np.s_[:], np.s_[2:5, 1:, 3], np.s_[-1], np.s_[4:4]):
        np.testing.assert_array_equal(blocks[box], LABELS[box])
    opened = open_structures(path, axes="syx")
    np.testing.assert_array_equal(opened.data.compute(), LABELS)
    assert opened.grid.phases == 3
    assert not opened.grid.periodic


def test_one_of_several_arrays_is_chosen_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", phase=LABELS, grain=LABELS[:2])
    assert len(open_structures(tmp_path / "a.npz", name="grain", axes="syx")) == 2
    with pytest.raises(InputError, match=r"several arrays: 'phase', 'grain'.*name='"):
        open_structures(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"no arrays called 'x'; it has 'phase'"):
        open_structures(tmp_path / "a.npz", name="x")


def test_python_objects_and_damaged_files_are_refused(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="holds Python objects"):
        open_structures(tmp_path / "objects.npz")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    (tmp_path / "broken.npy").write_bytes(b"not numpy")
    (tmp_path / "broken.npz").write_bytes(b"not an archive")
    with pytest.raises(
        InputError, match=r"objects\.npy should hold numbers, but holds Python objects.*different sizes"
    ):
        open_structures(tmp_path / "objects.npy")
    for name in ("broken.npy", "broken.npz"):
        with pytest.raises(InputError, match="cannot be opened"):
            open_structures(tmp_path / name)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_a_header_that_declares_more_than_the_file_holds_is_refused(tmp_path, suffix):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**6)})
    if suffix == "npy":
        (tmp_path / "a.npy").write_bytes(header.getvalue())
    else:
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("a.npy", header.getvalue())
    with pytest.raises(InputError, match=rf"a\.{suffix} .*declares 1000000000000 bytes"):
        open_structures(tmp_path / f"a.{suffix}")


def test_a_flipped_bit_in_an_archive_is_detected(tmp_path):
    np.savez(tmp_path / "a.npz", LABELS)
    data = open_structures(tmp_path / "a.npz").data
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(StoreError, match="Bad CRC-32"):
        data.compute()


def test_names_are_refused_for_files_with_a_single_array(tmp_path):
    np.save(tmp_path / "a.npy", LABELS)
    with pytest.raises(InputError, match="name='x' was given"):
        open_structures(tmp_path / "a.npy", name="x")


@pytest.mark.parametrize(("name", "phases"), [("alloy", 2), ("composite", 3)])
def test_micrographs_are_read(shared_data, name, phases):
    structures = open_structures(shared_data / "micrographs" / f"{name}.npy")
    assert (structures.data.shape, structures.grid.phases) == ((1, 256, 256), phases)
    np.testing.assert_array_equal(structures.data[0].compute(), np.load(shared_data / "micrographs" / f"{name}.npy"))
