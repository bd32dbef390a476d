"""Damage is found by --verify, removed by --repair, and only that is made again, bit for bit."""

from __future__ import annotations

import pytest

from .conftest import contents
from .test_damage import DAMAGE, flip

MAKE = {
    "data set": ("dataset", "make", "lines", "o.zarr", "--n", 300, "--size", 32),
    "statistics": ("stats", "l.zarr", "-o", "o.zarr"),
    "latents": ("transform", "m.matvae", "l.zarr", "-o", "o.zarr"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", MAKE)
def test_damage_is_found_and_made_good(run, check, folder, kind, damage):
    assert run(*MAKE[kind], cwd=folder).code == 0
    whole = contents(folder / "o.zarr")
    for file in sorted((folder / "o.zarr").rglob("c/**/0")):
        if not file.is_file():
            continue
        DAMAGE[damage](file)
        found = run("info", "o.zarr", "--verify", cwd=folder)
        what = f"{kind}, {damage} {file.relative_to(folder)}"
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
