"""Saved models that tests change as whoever means harm would: with hashes that match."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matvae.estimator.saving import file_sha256, metadata_sha256


@contextmanager
def edited(model: Path) -> Iterator[dict[str, Any]]:
    """Yield the metadata of a model to edit, and its weights beside them; all hashes match again at the end."""
    metadata = json.loads((model / "estimator.json").read_text())
    yield metadata
    metadata["sha256"]["weights.safetensors"] = file_sha256(model / "weights.safetensors")
    metadata["sha256"]["estimator.json"] = metadata_sha256(metadata)
    (model / "estimator.json").write_text(json.dumps(metadata))
