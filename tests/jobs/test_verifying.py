"""Verification names damage, and repairs only what a job can make again."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data import save_structures
from matvae.errors import InputError, StoreError
from matvae.jobs import compute_statistics, make_dataset, transform_structures, verify
from matvae.jobs.files import arrays


@pytest.fixture
def made(tmp_path):
    make_dataset("lines", tmp_path / "d.zarr", n=12, size=(16, 20), seed=1)
    return tmp_path / "d.zarr"


def contents(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def test_statistics_are_repaired_and_completed_bit_for_bit(made, tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 4 * 4 * 49)
    out = tmp_path / "s.zarr"
    compute_statistics(made, out, cutoff=3)
    whole = contents(out)
    flip(out / "statistics" / "c" / "1" / "0" / "0" / "0")
    (out / "lag_x" / "c" / "0").unlink()
    named = verify(out)
    assert {(each["array"], tuple(each["samples"])) for each in named["damaged"]} == {
        ("statistics", (4, 8)),
        ("lag_x", (0, 7)),
    }
    assert named["removed"] == []
    assert "--repair" in named["advice"]
    repaired = verify(out, repair=True)
    assert [file.rpartition("/c/")[2] for file in repaired["removed"]] == ["1/0/0/0"]
    with pytest.raises(InputError, match="other data or options"):
        compute_statistics(made, out, cutoff=4, resume=True)
    computed = []
    compute_statistics(made, out, cutoff=3, resume=True, progress=lambda done, total: computed.append(done))
    assert contents(out) == whole
    assert verify(out)["damaged"] == []


def test_only_missing_samples_are_computed_again(made, tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 4 * 4 * 49)
    monkeypatch.setattr("matvae.jobs.statistics.samples_per_block", lambda n_bytes: 4)
    out = tmp_path / "s.zarr"
    compute_statistics(made, out, cutoff=3)
    (out / "statistics" / "c" / "1" / "0" / "0" / "0").unlink()
    computed = []
    compute_statistics(made, out, cutoff=3, resume=True, progress=lambda done, total: computed.append(done))
    assert computed == [8]


def test_latents_are_completed_bit_for_bit(made, tmp_path):
    from matvae import StatsVAETransformer, open_structures

    model, out = tmp_path / "m.matvae", tmp_path / "z.zarr"
    StatsVAETransformer(2, decoder="dense", width=8, max_epochs=1, random_state=0).fit(open_structures(made)).save(
        model
    )
    assert verify(model) == {
        "path": str(model),
        "kind": "model",
        "files": 4,
        "damaged": [],
        "removed": [],
        "advice": None,
    }
    transform_structures(model, made, out)
    whole = contents(out)
    (out / "latent" / "c" / "0" / "0").unlink()
    assert verify(out)["kind"] == "latents"
    transform_structures(model, made, out, resume=True)
    assert contents(out) == whole
    with pytest.raises(InputError, match=r"Only latents in a \.zarr"):
        transform_structures(model, made, tmp_path / "z.npy", resume=True)
    flip(model / "weights.safetensors")
    with pytest.raises(StoreError, match=r"weights\.safetensors does not have the SHA-256"):
        verify(model)


def test_of_other_structures_nothing_is_removed(tmp_path):
    save_structures(tmp_path / "x.zarr", np.random.default_rng(0).integers(0, 2, (4, 8, 8), dtype=np.uint8))
    flip(tmp_path / "x.zarr" / "phase" / "c" / "0" / "0" / "0")
    before = contents(tmp_path / "x.zarr")
    found = verify(tmp_path / "x.zarr", repair=True)
    assert found["kind"] == "structures"
    assert len(found["damaged"]) == 1
    assert found["removed"] == []
    assert "cannot make single files again" in found["advice"]
    assert contents(tmp_path / "x.zarr") == before


def test_files_of_other_programs_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(InputError, match="no checksums"):
        verify(tmp_path / "x.npy")
