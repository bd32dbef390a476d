"""What a costly search has measured, kept beside its output until that is written, so that a search can go on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError


@dataclass(frozen=True)
class SearchLog:
    """Lines of JSON: what search it is, then one line a latent with its values.

    Parameters
    ----------
    path : Path
    fingerprint : str
        Of all that a search depends on.
    """

    path: Path
    fingerprint: str

    @classmethod
    def beside(cls, out: Path, fingerprint: str) -> SearchLog:
        """The log of the search that writes `out`."""
        return cls(out.with_name(f".{out.name}.search.jsonl"), fingerprint)

    def read(self, *, overwrite: bool = False) -> tuple[np.ndarray, np.ndarray] | None:
        """Latents ``(sample, component)`` and values ``(sample, property)`` so far, None where there are none.

        Raises
        ------
        InputError
            If the log is that of another search and may not be replaced.
        """
        if not self.path.exists():
            return None
        lines = self.path.read_text(encoding="utf-8").splitlines()
        records = [record for record in map(_parsed, lines) if record is not None]
        if not records or records[0].get("search") != self.fingerprint:
            if overwrite:
                self.remove()
                return None
            raise InputError(
                f"{self.path} is what another search, with other settings, has measured for this output. Choose "
                "another output, or replace it with --overwrite (overwrite=True)."
            )
        measured = [record for record in records[1:] if "latent" in record]
        if not measured:
            return None
        latents = np.array([record["latent"] for record in measured], dtype=np.float32)
        # NaN is not JSON; None becomes NaN in an array of numbers.
        return latents, np.array([record["values"] for record in measured], dtype=np.float64)

    def append(self, latents: np.ndarray, values: np.ndarray) -> None:
        """Add latents ``(k, component)`` and their values, on disk when this returns."""
        new = [] if self.path.exists() else [{"search": self.fingerprint}]
        rows = [
            {"latent": [float(x) for x in z], "values": [float(v) if np.isfinite(v) else None for v in row]}
            for z, row in zip(latents, values, strict=True)
        ]
        # A line that a killed search left unfinished must not swallow the next one.
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * torn + "".join(json.dumps(row) + "\n" for row in [*new, *rows]))
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Remove it, where it is."""
        self.path.unlink(missing_ok=True)


def _parsed(line: str) -> dict | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
