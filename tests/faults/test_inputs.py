"""Arrays, archives, linkages, checkpoints and names that are wrong or mean harm."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
import zarr

from matvae import load, open_structures, save_structures
from matvae.optimize import save_linkage

from .conftest import EAGER
from .test_damage import DAMAGE, MEMORY
from .test_signals import FIT

LABELS = np.random.default_rng(0).integers(0, 2, (6, 32, 32), dtype=np.uint8)
GREY = np.random.default_rng(0).normal(100, 20, (6, 32, 32))
OTSU = ("--threshold", "otsu", "--axes", "syx")
AUTO = ("--phase-values", "auto", "--axes", "syx")
REFUSED, ALLOWED = (2, 3, 4), (0, 2, 3)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    """A copy of an array with one other value."""
    copy = array.astype(float)
    copy[2, 3, 4] = value
    return copy


# Array, options of the import, and exit codes that are right.
ARRAYS = {
    "grey values with a NaN": (with_value(GREY, np.nan), OTSU, REFUSED),
    "grey values with an infinity": (with_value(GREY, np.inf), OTSU, REFUSED),
    "nothing but NaN": (np.full((4, 16, 16), np.nan), OTSU, REFUSED),
    "one grey value": (np.full((4, 16, 16), 7.0), OTSU, REFUSED),
    "labels with a NaN": (with_value(LABELS, np.nan), AUTO, REFUSED),
    "labels with a fraction": (with_value(LABELS, 0.5), ("--phase-values", "0,1", "--axes", "syx"), REFUSED),
    "labels that are not listed": (LABELS + 4, ("--phase-values", "0,1", "--axes", "syx"), REFUSED),
    "negative labels": (LABELS.astype(int) - 7, AUTO, ALLOWED),
    "1024 labels": (np.arange(6 * 1024).reshape(6, 32, 32) % 1024, AUTO, REFUSED),
    "complex numbers": (LABELS * 1j, AUTO, REFUSED),
    "text": (LABELS.astype("U1"), AUTO, REFUSED),
    "dates": (LABELS.astype("M8[s]"), AUTO, REFUSED),
    "records": (np.zeros((4, 16, 16), [("a", "f4")]), AUTO, REFUSED),
    "no axis": (np.array(1), AUTO, REFUSED),
    "no structures": (LABELS[:0], AUTO, REFUSED),
    "no voxels": (LABELS[:, :0], AUTO, REFUSED),
    "one voxel each": (LABELS[:, :1, :1], AUTO, ALLOWED),
    "six axes": (np.zeros((2, 2, 2, 2, 2, 2)), AUTO, REFUSED),
    "an axis more than is named": (LABELS.reshape(2, 3, 32, 32), AUTO, REFUSED),
    "windows larger than the images": (LABELS, (*AUTO, "--window", "64"), REFUSED),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_are_no_structures_are_refused_or_right(run, check, tmp_path, case):
    array, options, codes = ARRAYS[case]
    np.save(tmp_path / "x.npy", array)
    outcome = run("import", "x.npy", "o.zarr", *options, cwd=tmp_path)
    written = (tmp_path / "o.zarr").exists()
    check(f"import of {case}", outcome, codes, folder=tmp_path, holds=written == (outcome.code == 0))


def header(shape: tuple[int, ...]) -> bytes:
    """Header of a .npy file of this shape, without any values."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


FILES: dict[str, tuple[str, bytes]] = {
    "an empty .npy": ("x.npy", b""),
    "a .npy cut off in its header": ("x.npy", saved(LABELS)[:40]),
    "a .npy cut off in its values": ("x.npy", saved(LABELS)[:-100]),
    "a .npy that claims 1e12 voxels": ("x.npy", header((10**6, 1000, 1000))),
    "a .npy that claims a negative shape": ("x.npy", header((-6, 32, 32))),
    "a .npy with a header of 4 GB": ("x.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{"),
    "text with the ending .npy": ("x.npy", b"1,2,3\n"),
    "an .npz that is no archive": ("x.npz", b"PK\x03\x04 nothing"),
    "a .tif that is none": ("x.tif", b"II*\x00\xff\xff\xff\x7f"),
    "a .png that is none": ("x.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64),
    "an .h5 that is none": ("x.h5", b"\x89HDF\r\n\x1a\n" + b"\x00" * 64),
    "a .vti that is none": ("x.vti", b"<?xml version='1.0'?><VTKFile" + b"<a>" * 50_000),
    "a .zip that is none": ("x.zip", b"PK\x05\x06" + b"\xff" * 18),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_not_what_they_claim_are_refused_in_a_sentence(run, check, tmp_path, case):
    name, content = FILES[case]
    (tmp_path / name).write_bytes(content)
    outcome = run("import", name, "o.zarr", *AUTO, cwd=tmp_path, memory=MEMORY)
    check(f"import of {case}", outcome, REFUSED, folder=tmp_path)


def test_a_memory_map_whose_file_shrinks_is_an_error_not_a_crash(start, check, tmp_path):
    array = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (4000, 128, 128))
    array[:] = np.random.default_rng(0).integers(0, 2, array.shape, dtype=np.uint8)
    del array
    command = start("import", "x.npy", "o.zarr", "--phase-values", "0,1", "--axes", "syx", cwd=tmp_path)
    command.wait_for(lambda: any(name.endswith(".partial") for name in os.listdir(tmp_path)))
    with open(tmp_path / "x.npy", "r+b") as file:
        file.truncate(1000)
    check("import of a .npy that is cut off meanwhile", command.end(), (3, 4), "error: ", folder=tmp_path)


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def picture(shape: tuple[int, int] = (32, 32)) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8))
    return buffer.getvalue()


ARCHIVES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "without images": ("x.zip", lambda: archive({"readme.txt": b"none"})),
    "of 1 GB of zeros": ("x.zip", lambda: archive({"a.tif": bytes(1 << 30)})),
    "of 1 GB of zeros in an .npz": ("x.npz", lambda: archive({"a.npy": header((1 << 40,)) + bytes(1 << 30)})),
    "cut off": ("x.zip", lambda: archive({f"{k}.tif": picture() for k in range(3)})[:-50]),
    "with images of several sizes": ("x.zip", lambda: archive({"a.tif": picture(), "b.tif": picture((16, 48))})),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives_that_mean_harm_are_refused_in_a_sentence(run, check, tmp_path, case):
    name, make = ARCHIVES[case]
    (tmp_path / name).write_bytes(make())
    outcome = run("import", name, "o.zarr", "--phase-values", "0,1", cwd=tmp_path, memory=MEMORY)
    check(f"import of an archive {case}", outcome, REFUSED, folder=tmp_path)


def test_paths_in_an_archive_are_no_paths(run, check, tmp_path):
    (tmp_path / "in").mkdir()
    names = ("../../evil.tif", "/tmp/evil.tif", "C:\\evil.tif")
    (tmp_path / "in" / "x.zip").write_bytes(archive(dict.fromkeys(names, picture())))
    outcome = run("import", "x.zip", "o.zarr", "--phase-values", "0,1", cwd=tmp_path / "in")
    left = sorted(file.name for file in tmp_path.rglob("*") if "evil" in file.name)
    check("import of an archive with paths to elsewhere", outcome, (0, 3), folder=tmp_path / "in", holds=not left)


def test_names_in_a_store_are_no_paths(run, check, folder):
    # An array that somebody else has beside the store, one of whose files is damaged.
    other = zarr.create_array(folder / "other", shape=(60,), chunks=(30,), dtype="f8", dimension_names=("sample",))
    other[:] = 1
    damaged = folder / "other" / "c" / "1"
    damaged.write_bytes(b"x")
    assert run("stats", "l.zarr", "-o", "s.zarr", cwd=folder).code == 0
    for name in ("l.zarr", "s.zarr"):
        root = json.loads((folder / name / "zarr.json").read_text())
        root["consolidated_metadata"]["metadata"]["../other"] = json.loads((folder / "other/zarr.json").read_text())
        (folder / name / "zarr.json").write_text(json.dumps(root))
    for arguments in (("info", "l.zarr"), ("info", "s.zarr", "--repair"), ("stats", "l.zarr", "-o", "o.zarr")):
        outcome = run(*arguments, cwd=folder)
        check(f"{' '.join(arguments)} with an array ../other", outcome, 4, "error: ", folder=folder)
    assert damaged.exists()


HARM = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_names_in_report_pages_are_text(run, check, folder):
    # A folder of this name can exist, and an array can be listed under it.
    name = HARM.replace("/", "|")
    labels = open_structures(folder / "l.zarr").data.compute()
    save_structures(folder / "h.zarr", labels, properties={"k": np.arange(60.0)})
    (folder / "h.zarr" / "k").rename(folder / "h.zarr" / name)
    root = json.loads((folder / "h.zarr" / "zarr.json").read_text())
    listed = root["consolidated_metadata"]["metadata"]
    listed[name] = listed.pop("k")
    root["attributes"]["matvae"].update(phase_names=[HARM, "b"], unit=HARM, voxel_size=[1.0, 1.0])
    (folder / "h.zarr" / "zarr.json").write_text(json.dumps(root))
    (folder / "m.matvae").rename(folder / f"{name}.matvae")
    outcome = run("report", f"{name}.matvae", "h.zarr", "-o", "page.html", cwd=folder)
    page = (folder / "page.html").read_text() if outcome.code == 0 else ""
    holds = "<script>alert" not in page and "<img src=x" not in page
    check("a report with names that are HTML", outcome, (0, 3, 4), folder=folder, holds=holds)


def test_names_that_move_the_cursor_are_printed_as_text(run, check, folder):
    root = json.loads((folder / "l.zarr" / "zarr.json").read_text())
    root["attributes"]["matvae"]["phase_names"] = ["\x1b[2J\x1b]0;owned\x07", "b"]
    root["attributes"]["matvae"]["unit"] = "\x1b[31m"
    (folder / "l.zarr" / "zarr.json").write_text(json.dumps(root))
    for arguments in (("info", "l.zarr"), ("stats", "l.zarr", "-o", "o.zarr")):
        outcome = run(*arguments, cwd=folder)
        holds = "\x1b" not in outcome.out + outcome.err
        check(f"{arguments[0]} of names with escape sequences", outcome, (0, 4), folder=folder, holds=holds)


@pytest.fixture
def stopped(start, folder):
    """The folder in which a training was stopped, which left ``f.matvae.checkpoint``."""
    fit = start(*FIT, "--max-epochs", 100_000, cwd=folder, before=EAGER)
    fit.wait_for((folder / "f.matvae.checkpoint").exists)
    fit.signal(signal.SIGTERM)
    assert fit.end().code == 143
    return folder


@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty"])
def test_a_damaged_checkpoint_is_refused_and_kept(run, check, stopped, damage):
    checkpoint = stopped / "f.matvae.checkpoint"
    DAMAGE[damage](checkpoint)
    before = checkpoint.read_bytes()
    outcome = run(*FIT, "--max-epochs", 1, "--resume", cwd=stopped)
    kept = checkpoint.read_bytes() == before
    check(f"fit --resume, its checkpoint {damage}", outcome, 4, "error: ", folder=stopped, holds=kept)


def test_a_checkpoint_of_other_data_is_refused(run, check, stopped):
    run("dataset", "make", "lines", "l.zarr", "--n", 50, "--size", 32, "--overwrite", cwd=stopped)
    outcome = run(*FIT, "--max-epochs", 1, "--resume", cwd=stopped)
    check("fit --resume on other data", outcome, 3, "other data", folder=stopped)


def test_linkages_that_are_damaged_or_mean_harm_are_refused(run, check, folder):
    pytest.importorskip("skops")
    from sklearn.linear_model import LinearRegression

    model = load(folder / "m.matvae")
    latents = model.transform(open_structures(folder / "l.zarr").data.compute())
    save_linkage(folder / "k.skops", LinearRegression().fit(latents, latents[:, 0]), model, name="k")
    whole = (folder / "k.skops").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}

    def schema(edit: Callable[[str], str]) -> bytes:
        return archive({**members, "schema.json": edit(members["schema.json"].decode()).encode()})

    linkages = {
        "cut off": whole[:-40],
        "empty": b"",
        "without its schema": archive({name: content for name, content in members.items() if name != "schema.json"}),
        "with a schema that is no JSON": schema(lambda text: text[:100]),
        "with a schema nested without end": schema(lambda text: '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}"),
        "with the type posix.system": schema(lambda text: text.replace("LinearRegression", "system")),
        "with another class and module": schema(
            lambda text: text.replace("LinearRegression", "system").replace("sklearn.linear_model._base", "posix")
        ),
    }
    optimize = ("optimize", "m.matvae", "--property", "k", "--maximize", "--linkage", "k.skops", "-o", "o.zarr")
    for case, content in linkages.items():
        (folder / "k.skops").write_bytes(content)
        outcome = run(*optimize, cwd=folder, memory=MEMORY)
        check(f"optimize with a linkage {case}", outcome, (3, 4), "error: ", folder=folder)
