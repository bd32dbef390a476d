"""Damage is found by --verify, removed by --repair, and only that is made again, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

MAKE = {
    "data set": ("dataset", "make", "lines", "o.zarr", "--n", 300, "--size", 32),
    "statistics": ("stats", "l.zarr", "-o", "o.zarr"),
    "latents": ("transform", "m.matvae", "l.zarr", "-o", "o.zarr"),
}


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def contents(folder: Path) -> dict[Path, bytes]:
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("damage", [flip, truncate, empty, Path.unlink])
@pytest.mark.parametrize("kind", MAKE)
def test_damage_is_found_and_made_good(run, check, folder, kind, damage):
    assert run(*MAKE[kind], cwd=folder).code == 0
    whole = contents(folder / "o.zarr")
    name = damage.__name__
    for file in sorted((folder / "o.zarr").rglob("c/**/0")):
        if not file.is_file():
            continue
        damage(file)
        found = run("info", "o.zarr", "--verify", cwd=folder)
        what = f"{kind}, {name} {file.relative_to(folder)}"
        check(f"{what}: --verify", found, 4, holds=str(file.relative_to(folder)) in found.out)
        run("info", "o.zarr", "--repair", cwd=folder)
        again = run(*MAKE[kind], "--resume", cwd=folder)
        check(f"{what}: --repair, --resume", again, 0, folder=folder, holds=contents(folder / "o.zarr") == whole)
        break


def test_of_imported_structures_nothing_is_removed(run, check, folder):
    assert run("import", "l.zarr", "o.zarr", "--window", 16, cwd=folder).code == 0
    flip(folder / "o.zarr" / "phase" / "c" / "0" / "0" / "0")
    before = contents(folder / "o.zarr")
    repair = run("info", "o.zarr", "--repair", cwd=folder)
    check("imported structures: --repair", repair, 4, holds=contents(folder / "o.zarr") == before)


def test_a_sound_model_and_a_damaged_one(run, check, folder):
    check("model: --verify", run("info", "m.matvae", "--verify", cwd=folder), 0)
    flip(folder / "m.matvae" / "weights.safetensors")
    check("damaged model: --verify", run("info", "m.matvae", "--verify", cwd=folder), 4, "SHA-256")
