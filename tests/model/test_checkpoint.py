from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from matvae.errors import InputError, StoreError
from matvae.model import checkpoint
from matvae.model.checkpoint import check_folder, load_checkpoint, save_checkpoint

STATE = {"fingerprint": "abc", "weights": {"a": torch.arange(300.0)}, "best": None, "numbers": {"x": 1.5}}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "training.checkpoint"
    save_checkpoint(path, STATE)
    return path


def signed(content: bytes) -> bytes:
    """Return a payload preceded by its digest."""
    return hashlib.sha256(content).digest() + content


def test_a_saved_state_is_restored(saved):
    state = load_checkpoint(saved, "abc")
    assert torch.equal(state["weights"]["a"], torch.arange(300.0))
    assert (state["best"], state["numbers"]) == (None, {"x": 1.5})
    assert os.listdir(saved.parent) == [saved.name]


def test_a_checkpoint_of_another_training_is_refused(saved):
    with pytest.raises(InputError, match="other data or with other parameters"):
        load_checkpoint(saved, "abd")


def test_every_flipped_bit_is_detected(saved):
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    for position in [0, 31, 32, len(whole) - 1, *rng.integers(len(whole), size=60).tolist()]:
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        saved.write_bytes(damaged)
        with pytest.raises(StoreError, match="checksum does not match"):
            load_checkpoint(saved, "abc")


def test_truncated_and_foreign_files_are_refused(saved):
    whole = saved.read_bytes()
    for content in (
        b"",
        whole[:10],
        whole[:40],
        whole[: len(whole) // 2],
        whole[:-1],
        whole + b"\0",
        b"GIF89a" * 50,
    ):
        saved.write_bytes(content)
        with pytest.raises(StoreError, match="delete it to start over"):
            load_checkpoint(saved, "abc")
    torch.save(STATE, saved)
    with pytest.raises(StoreError, match="not a checkpoint"):
        load_checkpoint(saved, "abc")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04" + b"\0" * 90, pickle.dumps(print)])
def test_invalid_payloads_are_refused(saved, content):
    saved.write_bytes(signed(content))
    with pytest.raises(StoreError, match="cannot be read"):
        load_checkpoint(saved, "abc")


def test_code_in_a_file_is_never_run(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    buffer = io.BytesIO()
    torch.save({"schema": 1, "fingerprint": Hostile()}, buffer)
    saved.write_bytes(signed(buffer.getvalue()))
    with pytest.raises(StoreError, match="cannot be read"):
        load_checkpoint(saved, "abc")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [{"schema": 99, "fingerprint": "abc"}, {}, [1, 2]])
def test_a_checkpoint_of_another_version_is_refused(saved, content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    saved.write_bytes(signed(buffer.getvalue()))
    with pytest.raises(StoreError, match="another version of matvae"):
        load_checkpoint(saved, "abc")


def test_missing_folders_and_folders_instead_of_files_are_refused(tmp_path):
    check_folder(tmp_path / "new.checkpoint", 1000, 100)
    with pytest.raises(StoreError, match="does not exist or cannot be written"):
        check_folder(tmp_path / "none" / "new.checkpoint", 1000, 100)
    with pytest.raises(StoreError, match="cannot be written"):
        save_checkpoint(tmp_path / "none" / "new.checkpoint", STATE)
    with pytest.raises(StoreError, match="cannot be read"):
        load_checkpoint(tmp_path, "abc")


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError("No space left on device"), StoreError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_failed_save_keeps_the_previous_checkpoint(saved, monkeypatch, error, raised):
    def fail(descriptor):
        raise error

    monkeypatch.setattr(checkpoint.os, "fsync", fail)
    with pytest.raises(raised):
        save_checkpoint(saved, {**STATE, "best": 7})
    assert load_checkpoint(saved, "abc")["best"] is None
    assert os.listdir(saved.parent) == [saved.name]


KILL_WHILE_SAVING = """
import os, signal, sys, time
import torch
from matvae.model.checkpoint import load_checkpoint, save_checkpoint

def save_forever(path):
    step = 0
    while True:
        weights = torch.full((100_000,), float(step))
        save_checkpoint(path, {"fingerprint": "abc", "step": step, "weights": weights})
        step += 1

torch.set_num_threads(1)
path = sys.argv[1]
save_checkpoint(path, {"fingerprint": "abc", "step": 0, "weights": torch.zeros(1)})
for k in range(20):
    child = os.fork()
    if child == 0:
        save_forever(path)
    time.sleep(0.02 + 0.0037 * k)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    state = load_checkpoint(path, "abc")
    assert (state["weights"] == state["step"]).all()
assert state["step"] > 0
"""


def test_killing_the_process_during_a_save_leaves_a_readable_checkpoint(tmp_path):
    command = [sys.executable, "-c", KILL_WHILE_SAVING, str(tmp_path / "training.checkpoint")]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr


def test_too_little_memory_for_a_copy_of_the_state_is_called_that(tmp_path, monkeypatch):
    class Full(io.BytesIO):
        """Memory that ends after 512 bytes."""

        def write(self, data):
            if self.tell() + len(data) > 512:
                raise MemoryError
            return super().write(data)

    monkeypatch.setattr(checkpoint.io, "BytesIO", Full)
    with pytest.raises(MemoryError):
        save_checkpoint(tmp_path / "training.checkpoint", STATE)
    assert os.listdir(tmp_path) == []
