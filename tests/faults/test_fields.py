"""Fields of any finite magnitude are used or refused, never answered with NaN."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from matvae import Grid
from matvae.data import save_structures


@pytest.mark.parametrize("exponent", [-30, -10, 0, 8, 11, 14, 18, 25, 30])
def test_fields_of_any_magnitude(run, check, tmp_path, exponent):
    fields = np.random.default_rng(0).normal(5, 1, (40, 16, 16)) * 10.0**exponent
    save_structures(tmp_path / "x.zarr", fields, grid=Grid((16, 16), phases=1))
    stats = run("stats", "x.zarr", "-o", "s.zarr", cwd=tmp_path)
    finite = stats.code == 3 or bool(np.isfinite(zarr.open_group(tmp_path / "s.zarr", mode="r")["statistics"]).all())
    check(f"stats of fields of order 1e{exponent}", stats, (0, 3), folder=tmp_path, holds=finite)
    for decoder in ("dense", "statistics"):
        out = f"{decoder}.matvae"
        fit = ("fit", "x.zarr", "-o", out, "--decoder", decoder, "--n-components", 2, "--max-epochs", 1)
        fitted = run(*fit, cwd=tmp_path)
        check(f"fit --decoder {decoder} of fields of order 1e{exponent}", fitted, (0, 3), folder=tmp_path)
        if fitted.code == 0:
            transformed = run("transform", out, "x.zarr", "-o", f"{decoder}.npy", cwd=tmp_path)
            finite = bool(np.isfinite(np.load(tmp_path / f"{decoder}.npy")).all())
            check(f"transform of fields of order 1e{exponent}", transformed, 0, folder=tmp_path, holds=finite)
