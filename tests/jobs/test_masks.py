"""Masks from the import through statistics, models, reconstruction and export."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import xarray
import zarr

from matvae import load, memory, open_structures, save_structures, two_point_stats
from matvae.errors import InputError, StoreError
from matvae.jobs import (
    compute_statistics,
    describe,
    evaluate_model,
    export_structures,
    find_representative_windows,
    fit_model,
    import_structures,
    inverse_latents,
    reconstruct_statistics,
    transform_structures,
)
from matvae.jobs import statistics as statistics_module
from matvae.stats import relative_error

from ..structures import blobs

EDGE = 96
IMAGES = blobs(4, (EDGE, EDGE), width=1.5, volume_fraction=0.3)
Y, X = np.indices((EDGE, EDGE))
ROUND = (Y - 47.5) ** 2 + (X - 47.5) ** 2 < 47**2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Round images round.npy, with the value 7 outside, the whole ones, and stores of both."""
    path = tmp_path_factory.mktemp("masks")
    np.save(path / "whole.npy", IMAGES)
    np.save(path / "round.npy", np.where(ROUND, IMAGES, 7).astype(np.uint8))
    np.save(path / "mask.npy", ROUND)
    import_structures(path / "whole.npy", path / "whole.zarr", axes="syx")
    import_structures(path / "round.npy", path / "round.zarr", axes="syx", mask=path / "mask.npy")
    return path


def test_the_store_holds_the_mask_and_says_so(folder, tmp_path):
    result = import_structures(folder / "round.npy", tmp_path / "x.zarr", axes="syx", mask=folder / "mask.npy")
    assert result["inside_mask"] == pytest.approx(ROUND.mean())
    assert describe(tmp_path / "x.zarr")["mask"]
    store = xarray.open_zarr(tmp_path / "x.zarr")
    assert store["mask"].dims == ("sample", "y", "x")
    np.testing.assert_array_equal(store["mask"], np.broadcast_to(ROUND, IMAGES.shape))
    assert not open_structures(tmp_path / "x.zarr").properties


def test_statistics_count_voxels_inside_and_agree_with_those_of_the_whole(folder, tmp_path):
    for name in ("whole", "round"):
        compute_statistics(folder / f"{name}.zarr", tmp_path / f"{name}.zarr", cutoff=10)
    whole, inside = (zarr.open_array(tmp_path / f"{name}.zarr" / "statistics")[:] for name in ("whole", "round"))
    np.testing.assert_allclose(
        inside, two_point_stats(IMAGES, mask=ROUND, spatial_dims=2, phases=2, periodic=False, cutoff=10)
    )
    np.testing.assert_allclose(inside[:, 10, 10, 0], IMAGES[:, ROUND].mean(axis=1), rtol=1e-6)
    # What the images themselves differ by is what the corners can change, about, and more than the mean does.
    spread = whole.std(axis=0, ddof=1)
    assert np.abs(inside - whole).mean() < spread.mean()
    assert np.abs(inside.mean(axis=0) - whole.mean(axis=0)).max() < 3 * spread.max()


def test_large_structures_with_a_mask_are_not_computed_by_blocks(folder, tmp_path, monkeypatch):
    for limit, name in ((statistics_module.LARGE, "a.zarr"), (100, "b.zarr")):
        monkeypatch.setattr(statistics_module, "LARGE", limit)
        compute_statistics(folder / "round.zarr", tmp_path / name, cutoff=4)
    a, b = (zarr.open_array(tmp_path / name / "statistics")[:] for name in ("a.zarr", "b.zarr"))
    np.testing.assert_array_equal(a, b)
    monkeypatch.setattr(memory, "free_memory", lambda device: 100_000)
    with pytest.raises(InputError, match=r"with a mask.*--min-valid"):
        compute_statistics(folder / "round.zarr", tmp_path / "c.zarr", cutoff=4)


def test_representativity_needs_complete_structures(folder):
    with pytest.raises(InputError, match="an estimate of representativity cannot leave out"):
        find_representative_windows(folder / "round.zarr")


def test_other_statistics_take_the_mask_or_are_refused(folder, tmp_path):
    compute_statistics(folder / "round.zarr", tmp_path / "l.zarr", statistic="lineal_path", cutoff=5)
    path = zarr.open_array(tmp_path / "l.zarr" / "statistics")[:]
    np.testing.assert_allclose(path[:, 0, 1], IMAGES[:, ROUND].mean(axis=1), rtol=1e-5)
    with pytest.raises(InputError, match=r"'cluster' does not take.*--min-valid 1"):
        compute_statistics(folder / "round.zarr", tmp_path / "c.zarr", statistic="cluster")
    with pytest.raises(InputError, match=r"Every lag up to cutoff=\d+ has pairs: pass that \(--cutoff\)"):
        compute_statistics(folder / "round.zarr", tmp_path / "s.zarr")


@pytest.fixture(scope="module")
def statistics(folder):
    """Windows w.zarr, some of which lie partly outside the mask, and their statistics s.zarr."""
    import_structures(folder / "round.zarr", folder / "w.zarr", window=24, min_valid=0.5)
    compute_statistics(folder / "w.zarr", folder / "s.zarr", cutoff=6)
    return folder


def test_structures_are_reconstructed_inside_the_mask(statistics, tmp_path):
    result = reconstruct_statistics(statistics / "s.zarr", tmp_path / "r.zarr", n_realizations=2, max_iter=40)
    given, found = open_structures(statistics / "w.zarr"), open_structures(tmp_path / "r.zarr")
    mask = np.repeat(given.mask.compute(), 2, axis=0)
    np.testing.assert_array_equal(found.mask.compute(), mask)
    wanted = np.repeat(zarr.open_array(statistics / "s.zarr" / "statistics")[:], 2, axis=0)
    labels = found.data.compute()
    assert not labels[~mask].any()
    reached = two_point_stats(labels, mask=mask, spatial_dims=2, phases=2, periodic=False, cutoff=6)
    # Volume fractions inside are those wanted, to within a voxel or two for rounding inside and outside.
    n_inside = mask.sum(axis=(1, 2))
    assert (np.abs(reached - wanted)[:, 6, 6, 0] * n_inside < 2.01).all()
    apart = np.abs(reached - wanted).mean() / np.abs(wanted - wanted.mean(axis=0)).mean()
    assert apart < 0.2
    assert result["error"]["mean"] < 0.1


def test_masked_statistics_are_for_their_own_grid_and_complete(statistics, tmp_path):
    with pytest.raises(InputError, match="Leave out size and periodic"):
        reconstruct_statistics(statistics / "s.zarr", tmp_path / "r.zarr", size=32)
    compute_statistics(statistics / "w.zarr", tmp_path / "s.zarr", cutoff=6)
    next(file for file in (tmp_path / "s.zarr" / "mask" / "c").rglob("*") if file.is_file()).unlink()
    with pytest.raises(StoreError, match="the mask is incomplete"):
        reconstruct_statistics(tmp_path / "s.zarr", tmp_path / "r.zarr")


def test_networks_are_fitted_on_windows_inside(statistics, tmp_path):
    inside = open_structures(statistics / "w.zarr").mask.compute().all(axis=(1, 2))
    options = {"n_components": 2, "seed": 0, "decoder": "dense", "max_epochs": 1, "width": 8}
    with pytest.warns(UserWarning, match="windows lie inside the mask only partly and are left out"):
        fit_model(statistics / "w.zarr", tmp_path / "m.matvae", **options)
    assert 2 < inside.sum() < len(inside)
    # The same windows give the same model.
    import_structures(statistics / "w.zarr", tmp_path / "i.zarr", window=24, min_valid=1)
    fit_model(tmp_path / "i.zarr", tmp_path / "i.matvae", **options)
    for name in ("m", "i"):
        transform_structures(tmp_path / f"{name}.matvae", tmp_path / "i.zarr", tmp_path / f"{name}.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "m.npy"), np.load(tmp_path / "i.npy"))
    inverse_latents(tmp_path / "m.matvae", tmp_path / "m.npy", tmp_path / "back.zarr")
    with pytest.raises(InputError, match="--decoder statistics"):
        fit_model(statistics / "round.zarr", tmp_path / "n.matvae", **{**options, "cutoff": 20})


@pytest.fixture(scope="module")
def textures(folder):
    """A model t.matvae of the overlapping windows o.zarr, some of which lie partly outside the mask."""
    import_structures(folder / "round.zarr", folder / "o.zarr", window=24, stride=12)
    with pytest.warns(UserWarning, match="lie inside the mask entirely"):
        result = fit_model(
            folder / "o.zarr", folder / "t.matvae", n_components=2, seed=0, decoder="statistics", cutoff=8
        )
    return folder, result


def test_textures_are_fitted_on_masked_windows_too(textures, tmp_path):
    folder, result = textures
    structures = open_structures(folder / "o.zarr")
    assert result["n_samples"] == len(structures)
    n_whole = int(structures.mask.compute().all(axis=(1, 2)).sum())
    assert result["sampling"]["n_windows"] == n_whole
    transformed = transform_structures(folder / "t.matvae", folder / "o.zarr", tmp_path / "z.npy")
    z = np.load(tmp_path / "z.npy")
    np.testing.assert_array_equal(z, load(folder / "t.matvae").transform(structures))
    assert transformed["n_missing"] == np.isnan(z).any(axis=1).sum()
    assert n_whole < len(z) - transformed["n_missing"] < len(z)
    # Whole windows have the latents that they have without a mask.
    import_structures(folder / "o.zarr", tmp_path / "i.zarr", min_valid=1)
    transform_structures(folder / "t.matvae", tmp_path / "i.zarr", tmp_path / "i.npy")
    whole = structures.mask.compute().all(axis=(1, 2))
    np.testing.assert_allclose(np.load(tmp_path / "i.npy"), z[whole], atol=1e-5)


def test_models_are_evaluated_on_masked_windows(textures, tmp_path, caplog):
    folder, _ = textures
    structures = open_structures(folder / "o.zarr")
    model = load(folder / "t.matvae")
    with caplog.at_level(logging.INFO, logger="matvae"):
        result = evaluate_model(folder / "t.matvae", folder / "o.zarr", train=folder / "o.zarr", n_realized=3)
    z = np.asarray(model.transform(structures))
    is_measured = ~np.isnan(z).any(axis=1)
    assert f"{(~is_measured).sum()} are left out" in caplog.text
    assert (result["n_samples"], result["n_realized"]) == (is_measured.sum(), 3)
    f = np.asarray(model.statistics(structures))[is_measured]
    decoded = np.asarray(model.inverse_statistics(z[is_measured])).reshape(f.shape)
    own = next(row for row in result["rows"] if row["method"].startswith("matvae"))
    assert own["decoded"]["all"]["relative"] == pytest.approx(np.median(relative_error(f, decoded)), rel=1e-4)


def test_without_whole_windows_statistics_alone_are_evaluated(textures, tmp_path):
    folder, _ = textures
    structures = open_structures(folder / "o.zarr")
    masked = structures.mask.compute()
    masked[:, 0, 0] = False
    save_structures(tmp_path / "p.zarr", replace(structures, mask=masked))
    result = evaluate_model(folder / "t.matvae", tmp_path / "p.zarr")
    assert result["generated_left_out"] == "fewer than two structures lie inside the mask entirely"
    assert result["rows"][-1]["realized"] is None
    with pytest.raises(InputError, match="The figure shows structures that lie inside the mask entirely"):
        evaluate_model(folder / "t.matvae", tmp_path / "p.zarr", figure=tmp_path / "f.png")
    with pytest.raises(InputError, match="this use of a model cannot leave out"):
        evaluate_model(folder / "t.matvae", tmp_path / "p.zarr", train=folder / "o.zarr", nearest=1)
    # Nor do training windows that are partly masked count as another region.
    result = evaluate_model(folder / "t.matvae", folder / "o.zarr", train=tmp_path / "p.zarr", n_realized=2)
    assert result["generated"]["other_true"] == "windows that the model carries as examples"
    fit_model(
        folder / "o.zarr", tmp_path / "d.matvae", n_components=2, decoder="dense", max_epochs=1, width=8, cutoff=8
    )
    for given, train in ((tmp_path / "p.zarr", None), (folder / "o.zarr", tmp_path / "p.zarr")):
        with pytest.raises(InputError, match=r"p\.zarr .* a comparison of structures cannot leave out.*--min-valid 1"):
            evaluate_model(tmp_path / "d.matvae", given, train=train)
    masked[:, :20] = False
    save_structures(tmp_path / "q.zarr", replace(structures, mask=masked))
    with pytest.raises(InputError, match=r"None of the .* --min-valid 1"):
        evaluate_model(folder / "t.matvae", tmp_path / "q.zarr")


def test_voxels_outside_are_exported_as_a_phase_of_their_own(folder, tmp_path):
    result = export_structures(folder / "round.zarr", tmp_path / "r.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "r.npy"), np.where(ROUND, IMAGES, 2))
    assert "outside the mask are written as phase 2" in " ".join(result["notes"])
    field = np.where(ROUND, np.random.default_rng(0).normal(size=(EDGE, EDGE)), np.nan)
    np.save(tmp_path / "f.npy", field)
    import_structures(tmp_path / "f.npy", tmp_path / "f.zarr", mask="nan")
    with pytest.raises(InputError, match="a continuous field leaves no value for"):
        export_structures(tmp_path / "f.zarr", tmp_path / "f2.npy")
