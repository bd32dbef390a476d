"""Models on disk: equal after a round trip, and never silently wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from matvae import Grid, StatsVAETransformer, Structures, load, two_point_stats
from matvae.errors import InputError, MatvaeError, NotFittedError, PluginError, StoreError
from matvae.estimator import saving

FILES = ("estimator.json", "history.jsonl", "weights.safetensors")


@pytest.fixture
def saved(fitted: StatsVAETransformer, tmp_path: Path) -> Path:
    fitted.save(tmp_path / "model.matvae")
    return tmp_path / "model.matvae"


def assert_equal(model: StatsVAETransformer, other: StatsVAETransformer, X) -> None:
    np.testing.assert_array_equal(model.transform(X), other.transform(X))
    Z = np.asarray(model.transform(X))
    made = [m.inverse_transform(Z, n_realizations=2, random_state=0) for m in (model, other)]
    np.testing.assert_array_equal(*made)
    assert made[0].dtype == made[1].dtype
    assert model.history_ == other.history_
    assert model.grid_ == other.grid_
    assert (model.n_iter_, model.n_features_in_) == (other.n_iter_, other.n_features_in_)
    assert model.module_.spec == other.module_.spec


def test_a_loaded_model_is_the_same(X, fitted, saved) -> None:
    before = torch.get_rng_state()
    model = load(saved)
    assert torch.equal(before, torch.get_rng_state())
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)
    assert_equal(model, fitted, X)
    assert model.get_params() == fitted.get_params()
    assert not model.module_.training
    assert model.partial_fit(X).n_iter_ == 3


def test_half_precision_is_half_as_large_and_nearly_the_same(X, fitted, saved, tmp_path) -> None:
    fitted.save(tmp_path / "half.matvae", half=True)
    sizes = [(folder / "weights.safetensors").stat().st_size for folder in (saved, tmp_path / "half.matvae")]
    assert sizes[1] < 0.6 * sizes[0]
    model = load(tmp_path / "half.matvae")
    assert next(model.module_.parameters()).dtype == torch.float32
    np.testing.assert_allclose(model.transform(X), fitted.transform(X), atol=5e-3)


def test_weights_too_large_for_half_precision_are_refused_and_nothing_is_written(X, tiny, tmp_path) -> None:
    model = tiny().fit(X)
    with torch.no_grad():
        model.module_.encoder.linear.bias[0] = 1e6
    with pytest.raises(InputError, match="half precision ends at 65504"):
        model.save(tmp_path / "half.matvae", half=True)
    assert not list(tmp_path.iterdir())


def test_a_model_needs_no_more_the_weights_that_its_encoder_started_from(
    make_blobs, tiny, small_resnet, tmp_path
) -> None:
    X = make_blobs(12, (36, 36))
    fitted = tiny(encoder="resnet152", encoder_weights=small_resnet).fit(X)
    fitted.save(tmp_path / "m.matvae")
    shutil.rmtree(small_resnet)
    model = load(tmp_path / "m.matvae")
    assert model.encoder_weights == str(small_resnet)
    assert_equal(model, fitted, X)


@pytest.mark.parametrize("case", ["field", "frame", "statistics", "structures", "states"])
def test_every_form_of_input_survives(make_blobs, tiny, tmp_path, case: str) -> None:
    import pandas as pd

    labels = make_blobs(20, (6, 6))
    data, parameters = {
        "field": (labels.astype(np.float64), {}),
        "frame": (pd.DataFrame(labels.reshape(20, -1)).add_prefix("v"), {"sample_shape": (6, np.int64(6))}),
        "statistics": (two_point_stats(labels), {"input": "statistics", "correlations": [(1, 1)]}),
        "structures": (Structures(labels, Grid((6, 6), voxel_size=2, unit="nanometer")), {"cutoff": (2, 1)}),
        "states": (np.stack([labels == 0, labels == 1], 1).astype(np.float32), {"state_axis": 1}),
    }[case]
    model = tiny(max_epochs=1, **parameters).fit(data)
    model.save(tmp_path / "m.matvae")
    back = load(str(tmp_path / "m.matvae"))
    Z = [np.asarray(m.transform(data)) for m in (model, back)]
    np.testing.assert_array_equal(*Z)
    made = [m.inverse_transform(Z[0]) for m in (model, back)]
    np.testing.assert_array_equal(*made)
    assert made[0].dtype == made[1].dtype
    assert back.grid_ == model.grid_
    if case == "frame":
        assert list(back.feature_names_in_) == list(model.feature_names_in_)


def test_what_belongs_to_one_training_is_not_kept(X, tiny, tmp_path) -> None:
    model = tiny(verbose=lambda record: None, warm_start=True, random_state=np.random.RandomState(0)).fit(X)
    model.save(tmp_path / "m.matvae")
    back = load(tmp_path / "m.matvae")
    assert (back.verbose, back.warm_start, back.random_state) == (False, False, None)


def test_an_unfitted_model_is_not_saved(tiny, tmp_path) -> None:
    with pytest.raises(NotFittedError):
        tiny().save(tmp_path / "m.matvae")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_unless_asked(X, fitted, tiny, saved) -> None:
    other = tiny(random_state=1).fit(X)
    with pytest.raises(InputError, match="exists already"):
        other.save(saved)
    np.testing.assert_array_equal(load(saved).transform(X), fitted.transform(X))
    other.save(saved, overwrite=True)
    np.testing.assert_array_equal(load(saved).transform(X), other.transform(X))
    assert list(saved.parent.iterdir()) == [saved]
    folder = saved.parent / "data"
    folder.mkdir()
    with pytest.raises(InputError, match="not a matvae model and is not overwritten"):
        other.save(folder, overwrite=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space left")])
@pytest.mark.parametrize("step", ["weights", "rename"])
def test_a_save_that_fails_leaves_the_old_model(monkeypatch, X, fitted, saved, error, step: str) -> None:
    rename, calls = os.rename, []

    def fails(*args: object) -> None:
        raise error

    def fails_at_the_second(source: object, target: object) -> None:
        calls.append(source)
        if len(calls) == 2:
            raise error
        rename(source, target)

    if step == "weights":
        monkeypatch.setattr(saving, "save_file", fails)
    else:
        monkeypatch.setattr(saving.os, "rename", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else StoreError):
        fitted.save(saved, overwrite=True)
    monkeypatch.undo()
    assert_equal(load(saved), fitted, X)
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_cannot_be_written_is_named(fitted, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written.*write permission"):
        fitted.save(tmp_path / "file" / "m.matvae")


def test_what_is_no_model_is_named(tmp_path, saved) -> None:
    with pytest.raises(InputError, match="but there is nothing"):
        load(tmp_path / "none.matvae")
    with pytest.raises(InputError, match="but there is a file"):
        load(saved / "estimator.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"has no estimator\.json"):
        load(tmp_path / "folder")


@pytest.mark.parametrize("name", ["history.jsonl", "weights.safetensors"])
def test_a_missing_or_empty_or_cut_file_is_named(saved, name: str) -> None:
    content = (saved / name).read_bytes()
    for damaged in (content[:-1], b""):
        (saved / name).write_bytes(damaged)
        with pytest.raises(StoreError, match=f"{name} does not have the SHA-256"):
            load(saved)
    (saved / name).unlink()
    with pytest.raises(StoreError, match=f"incomplete: {name} is missing"):
        load(saved)


def positions(content: bytes, name: str) -> list[int]:
    """Bytes to flip: the header and its length, the data, the start and end, and some at random."""
    rng = np.random.default_rng(len(name))
    ends = [0, 1, 7, 8, 9, 40, len(content) - 1]
    return [*ends, *rng.integers(0, len(content), 25 if name == "estimator.json" else 10).tolist()]


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_found_or_changes_nothing(X, fitted, saved, name: str) -> None:
    content = (saved / name).read_bytes()
    found = 0
    for number, position in enumerate(positions(content, name)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (number % 8)
        (saved / name).write_bytes(damaged)
        try:
            model = load(saved)
        except StoreError:
            found += 1
        else:
            # Only white space, or another spelling of the same number, may differ.
            assert name == "estimator.json"
            assert json.loads(damaged) == json.loads(content)
            np.testing.assert_array_equal(model.transform(X), fitted.transform(X))
    assert found > 10


def test_white_space_is_no_damage(X, fitted, saved) -> None:
    path = saved / "estimator.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert_equal(load(saved), fitted, X)


def test_another_schema_says_which_version_wrote_it(saved) -> None:
    path = saved / "estimator.json"
    facts = json.loads(path.read_text())
    facts["schema"], facts["versions"]["matvae"] = 99, "7.0"
    path.write_text(json.dumps(facts))
    with pytest.raises(StoreError, match=r"schema 99.*version that wrote it \(7\.0\)"):
        load(saved)


HOSTILE = {
    "no json": lambda facts: "{",
    "a list": lambda facts: "[]",
    "deep": lambda facts: "[" * 100_000,
    "not utf-8": lambda facts: b"\xff\xfe",
    "no schema": lambda facts: {k: v for k, v in facts.items() if k != "schema"},
    "no hashes": lambda facts: {k: v for k, v in facts.items() if k != "sha256"},
    "hashes of a wrong type": lambda facts: {**facts, "sha256": 3},
    "no versions": lambda facts: {k: v for k, v in facts.items() if k != "versions"},
    "wrong hash": lambda facts: {**facts, "sha256": {**facts["sha256"], "weights.safetensors": "0" * 64}},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_unreadable_facts_are_a_damaged_model(saved, case: str) -> None:
    facts = json.loads((saved / "estimator.json").read_text())
    made = HOSTILE[case](facts)
    content = made if isinstance(made, bytes) else (made if isinstance(made, str) else json.dumps(made)).encode()
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
def test_hostile_facts_with_a_right_hash_are_a_damaged_model(saved, case: str) -> None:
    path = saved / "estimator.json"
    facts = json.loads(path.read_text())
    section, key, value = CHANGES[case]
    if key is None:
        facts[section] = value
    else:
        facts[section][key] = value
    facts["sha256"]["estimator.json"] = saving._own_sha256(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(StoreError, match="is damaged"):
        load(saved)


@pytest.mark.parametrize("name", ["weights.safetensors", "history.jsonl"])
def test_a_file_of_nonsense_with_a_right_hash_is_a_damaged_model(saved, name: str) -> None:
    (saved / name).write_bytes(b"nonsense")
    path = saved / "estimator.json"
    facts = json.loads(path.read_text())
    facts["sha256"][name] = hashlib.sha256(b"nonsense").hexdigest()
    facts["sha256"]["estimator.json"] = saving._own_sha256(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(StoreError, match="is damaged"):
        load(saved)


def test_an_encoder_that_is_not_installed_is_named(saved) -> None:
    path = saved / "estimator.json"
    facts = json.loads(path.read_text())
    facts["parameters"]["encoder"] = facts["spec"]["encoder"] = "resnet"
    facts["sha256"]["estimator.json"] = saving._own_sha256(facts)
    path.write_text(json.dumps(facts))
    with pytest.raises(PluginError, match="no encoder called 'resnet'"):
        load(saved)


def test_a_device_that_is_not_here_is_said(X, fitted, saved) -> None:
    if torch.cuda.device_count() > 7:
        pytest.fail("this test names a GPU that no machine of ours has")
    path = saved / "estimator.json"
    facts = json.loads(path.read_text())
    facts["parameters"]["device"] = "cuda:99"
    facts["sha256"]["estimator.json"] = saving._own_sha256(facts)
    path.write_text(json.dumps(facts))
    with pytest.warns(UserWarning, match=r"cuda:99.*runs on the CPU"):
        model = load(saved)
    np.testing.assert_allclose(model.transform(X), fitted.transform(X), atol=1e-5)


def test_a_model_can_be_moved(X, fitted, saved, tmp_path) -> None:
    shutil.move(saved, tmp_path / "elsewhere.matvae")
    assert_equal(load(tmp_path / "elsewhere.matvae"), fitted, X)


def test_errors_belong_to_one_family(saved) -> None:
    (saved / "estimator.json").write_text("")
    with pytest.raises(MatvaeError):
        load(saved)
