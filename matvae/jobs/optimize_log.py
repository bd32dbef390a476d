"""Log of the measurements of an expensive search, kept until its output is written so that the search can resume."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import parse_json


@dataclass(frozen=True)
class SearchLog:
    """File of JSON lines: the fingerprint of the search, then one line per latent with its property values.

    Parameters
    ----------
    path : Path
    fingerprint : str
        Hash of everything that the measurements depend on.
    """

    path: Path
    fingerprint: str

    @classmethod
    def next_to(cls, out: Path, fingerprint: str) -> SearchLog:
        """Log of the search whose output is `out`, in the same folder."""
        return cls(out.with_name(f".{out.name}.search.jsonl"), fingerprint)

    def read(self, *, overwrite: bool = False) -> tuple[np.ndarray, np.ndarray] | None:
        """Latents ``(sample, component)`` and values ``(sample, property)`` measured so far, or None.

        Raises
        ------
        InputError
            If the log belongs to another search and must not be overwritten.
        """
        if not self.path.exists():
            return None
        lines = self.path.read_text(encoding="utf-8").splitlines()
        records = [record for record in map(_parse, lines) if record is not None]
        if not records or records[0].get("search") != self.fingerprint:
            if overwrite:
                self.remove()
                return None
            raise InputError(
                f"{self.path} contains measurements of another search, with other settings, for the same output. "
                "Choose another output, or replace it with --overwrite (overwrite=True)."
            )
        measurements = [record for record in records[1:] if "latent" in record]
        if not measurements:
            return None
        latents = np.array([record["latent"] for record in measurements], dtype=np.float32)
        # JSON has no NaN: missing values are stored as null, and become NaN again here.
        return latents, np.array([record["values"] for record in measurements], dtype=np.float64)

    def append(self, latents: np.ndarray, values: np.ndarray) -> None:
        """Append latents ``(k, component)`` and their values; they are on disk when this returns."""
        header = [] if self.path.exists() else [{"search": self.fingerprint}]
        measurements = [
            {"latent": [float(x) for x in z], "values": [float(v) if np.isfinite(v) else None for v in row]}
            for z, row in zip(latents, values, strict=True)
        ]
        # If a killed search left its last line unfinished, the next line must not be joined to it.
        is_torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * is_torn + "".join(json.dumps(record) + "\n" for record in [*header, *measurements]))
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Remove the log if it exists."""
        self.path.unlink(missing_ok=True)


def _parse(line: str) -> dict | None:
    try:
        record = parse_json(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
