"""Loading of models: damage, hostile contents and missing parts are reported; nothing else alters a loaded model."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch

from matvae import load
from matvae.errors import InputError, MatvaeError, PluginError, StoreError
from matvae.estimator import ModelCard
from matvae.estimator.saving import metadata_sha256

from .models import assert_equal

FILES = ("README.md", "estimator.json", "history.jsonl", "weights.safetensors")


def test_paths_that_are_not_models_are_refused(tmp_path, saved) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "none.matvae")
    with pytest.raises(InputError, match="is a file"):
        load(saved / "estimator.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"has no estimator\.json"):
        load(tmp_path / "folder")


@pytest.mark.parametrize("name", ["README.md", "history.jsonl", "weights.safetensors"])
def test_a_missing_empty_or_truncated_file_is_named(saved, name: str) -> None:
    content = (saved / name).read_bytes()
    for damaged in (content[:-1], b""):
        (saved / name).write_bytes(damaged)
        with pytest.raises(StoreError, match=f"{name} does not have the SHA-256"):
            load(saved)
    (saved / name).unlink()
    with pytest.raises(StoreError, match=f"incomplete: {name} is missing"):
        load(saved)


def test_models_of_earlier_versions_without_a_card_are_read(saved, fitted, X) -> None:
    metadata = json.loads((saved / "estimator.json").read_text())
    del metadata["card"], metadata["sha256"]["README.md"]
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    (saved / "estimator.json").write_text(json.dumps(metadata))
    (saved / "README.md").unlink()
    model = load(saved)
    assert_equal(model, fitted, X)
    assert model.card_ == ModelCard()
    model.save(saved, overwrite=True)
    assert "not known" in (saved / "README.md").read_text(encoding="utf-8")


def positions(content: bytes, name: str) -> list[int]:
    """Bytes in which a bit is flipped: in the header and its length, at the start and end, and at random."""
    rng = np.random.default_rng(len(name))
    ends = [0, 1, 7, 8, 9, 40, len(content) - 1]
    return [*ends, *rng.integers(0, len(content), 25 if name == "estimator.json" else 10).tolist()]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_detected_or_changes_nothing(X, fitted, saved, name: str) -> None:
    content = (saved / name).read_bytes()
    n_detected = 0
    for number, position in enumerate(positions(content, name)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (number % 8)
        (saved / name).write_bytes(damaged)
        try:
            model = load(saved)
        except StoreError:
            n_detected += 1
        else:
            # Only white space, or another spelling of the same number, may differ.
            assert name == "estimator.json"
            assert json.loads(damaged) == json.loads(content)
            np.testing.assert_array_equal(model.transform(X), fitted.transform(X))
    assert n_detected > 10


def test_changed_white_space_is_not_damage(X, fitted, saved) -> None:
    path = saved / "estimator.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert_equal(load(saved), fitted, X)


def test_the_error_for_another_schema_names_the_version_that_wrote_it(saved) -> None:
    path = saved / "estimator.json"
    metadata = json.loads(path.read_text())
    metadata["schema"], metadata["versions"]["matvae"] = 99, "7.0"
    path.write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match=r"schema 99.*version that wrote it \(7\.0\)"):
        load(saved)


HOSTILE = {
    "no json": lambda metadata: "{",
    "a list": lambda metadata: "[]",
    "deep": lambda metadata: "[" * 100_000,
    "not utf-8": lambda metadata: b"\xff\xfe",
    "no schema": lambda metadata: {k: v for k, v in metadata.items() if k != "schema"},
    "no hashes": lambda metadata: {k: v for k, v in metadata.items() if k != "sha256"},
    "hashes of a wrong type": lambda metadata: {**metadata, "sha256": 3},
    "no versions": lambda metadata: {k: v for k, v in metadata.items() if k != "versions"},
    "wrong hash": lambda metadata: {**metadata, "sha256": {**metadata["sha256"], "weights.safetensors": "0" * 64}},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_unreadable_metadata_are_refused(saved, case: str) -> None:
    metadata = json.loads((saved / "estimator.json").read_text())
    hostile = HOSTILE[case](metadata)
    if not isinstance(hostile, bytes | str):
        hostile = json.dumps(hostile)
    content = hostile if isinstance(hostile, bytes) else hostile.encode()
    (saved / "estimator.json").write_bytes(content)
    with pytest.raises(StoreError):
        load(saved)


CHANGES = {
    "unknown parameter": ("parameters", "shell", "rm"),
    "wrong type": ("parameters", "n_components", "nine"),
    "wrong range": ("parameters", "beta", -1),
    "wrong list": ("parameters", "correlations", {"a": 1}),
    "another size": ("spec", "n_components", 3),
    "no spec": ("spec", None, None),
    "spec of a wrong type": ("spec", "shape", 7),
    "spec of a wrong entry": ("spec", "width", "wide"),
    "unknown key": ("spec", "extra", 1),
    "four axes": ("grid", "shape", [2, 2, 2, 2]),
    "grid of a wrong type": ("grid", "shape", "large"),
    "no grid": ("grid", None, {}),
    "wrong dtype": ("input", "dtype", "object of desire"),
    "wrong input": ("input", "given", 3),
    "features": ("n_features_in", None, "many"),
    "iterations": ("n_iter", None, [1]),
    "spread": ("latent_spread", None, "wide"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_hostile_metadata_with_a_correct_hash_are_reported_as_damage(saved, case: str) -> None:
    path = saved / "estimator.json"
    metadata = json.loads(path.read_text())
    section, key, value = CHANGES[case]
    if key is None:
        metadata[section] = value
    else:
        metadata[section][key] = value
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    path.write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match="is damaged"):
        load(saved)


@pytest.mark.parametrize("name", ["weights.safetensors", "history.jsonl"])
def test_a_meaningless_file_with_a_correct_hash_is_reported_as_damage(saved, name: str) -> None:
    (saved / name).write_bytes(b"nonsense")
    path = saved / "estimator.json"
    metadata = json.loads(path.read_text())
    metadata["sha256"][name] = hashlib.sha256(b"nonsense").hexdigest()
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    path.write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match="is damaged"):
        load(saved)


def test_an_encoder_that_is_not_installed_is_named(saved) -> None:
    path = saved / "estimator.json"
    metadata = json.loads(path.read_text())
    metadata["parameters"]["encoder"] = metadata["spec"]["encoder"] = "resnet"
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    path.write_text(json.dumps(metadata))
    with pytest.raises(PluginError, match="no encoder called 'resnet'"):
        load(saved)


def test_a_missing_device_is_replaced_by_the_cpu_with_a_warning(X, fitted, saved) -> None:
    if torch.cuda.device_count() > 7:
        pytest.fail("This test requires that the GPU cuda:99 does not exist.")
    path = saved / "estimator.json"
    metadata = json.loads(path.read_text())
    metadata["parameters"]["device"] = "cuda:99"
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    path.write_text(json.dumps(metadata))
    with pytest.warns(UserWarning, match=r"cuda:99.*runs on the CPU"):
        model = load(saved)
    np.testing.assert_allclose(model.transform(X), fitted.transform(X), atol=1e-5)


def test_a_model_can_be_moved(X, fitted, saved, tmp_path) -> None:
    shutil.move(saved, tmp_path / "elsewhere.matvae")
    assert_equal(load(tmp_path / "elsewhere.matvae"), fitted, X)


def test_errors_are_matvae_errors(saved) -> None:
    (saved / "estimator.json").write_text("")
    with pytest.raises(MatvaeError):
        load(saved)
