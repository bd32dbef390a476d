"""Encode the structures of a store, streamed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..data.sample_blocks import Progress, samples_per_block, structure_blocks
from ..estimator import load
from .files.latents import latent_format, new_latents
from .files.outputs import check_output
from .models import open_fitting


def transform_structures(
    model: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Encode every structure of a store.

    Parameters
    ----------
    model : path
        Fitted model, as `fit_model` saved it.
    data : path
        Structures, in any format that `open_structures` reads.
    out : path
        Latents ``(sample, component)`` float32: a zarr group (.zarr), a .npy or a .csv, by the suffix.
    overwrite : bool
        Whether an existing result may be replaced.
    progress : callable, optional
        Called with the number of samples done and their total.

    Returns
    -------
    dict
        ``out``, ``shape``, ``components`` (their names) and ``n_missing``, the number of structures whose latents are
        NaN, since too much of them lies outside a mask.

    Raises
    ------
    InputError, StoreError
        If the structures do not fit the model, or the output cannot be written; nothing is left behind then.
    """
    latent_format(out)
    target = check_output(out, [model, data], overwrite=overwrite)
    estimator = load(model)
    structures = open_fitting(data, estimator, model, masked=True)
    names = [str(name) for name in estimator.get_feature_names_out()]
    attributes = {"model": Path(model).name, "grid": structures.grid.to_dict()}
    # A batch becomes one-hot, padded and Fourier transformed: about 64 bytes per voxel.
    size = samples_per_block(64 * math.prod(structures.grid.shape))
    n_missing = 0
    with new_latents(
        target,
        len(structures),
        names,
        attributes=attributes,
        properties=structures.properties,
        units=structures.units,
    ) as write:
        for start, block in structure_blocks(structures, size):
            latents = np.asarray(estimator.transform(block))
            n_missing += int(np.isnan(latents).any(axis=1).sum())
            write(latents)
            if progress is not None:
                progress(start + len(block), len(structures))
    return {"out": str(target), "shape": [len(structures), len(names)], "components": names, "n_missing": n_missing}
