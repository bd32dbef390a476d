"""Output and files of the command `optimize`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from matvae import StatsVAETransformer, open_structures

from ..structures import blobs

QUICK = ("-k", 2, "--n-starts", 4, "--max-iter", 10)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("optimize") / "m.matvae"
    X = np.random.default_rng(0).random((30, 8, 8)) < np.linspace(0.2, 0.8, 30)[:, None, None]
    StatsVAETransformer(n_components=2, decoder="dense", max_epochs=3, width=8, random_state=0).fit(
        X.astype(np.uint8)
    ).save(path)
    return path


def test_candidates_are_shown_as_a_table(matvae, model, tmp_path):
    options = ("--property", "volume_fraction", "--target", 0.5, "--constraint", "specific_surface<=2")
    ran = matvae("optimize", model, *options, *QUICK, "-o", tmp_path / "out.zarr", "--latents", tmp_path / "z.csv")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split("  ")[0] == "candidate"
    assert "specific_surface (1/voxel)" in lines[0]
    assert "volume_fraction, target 0.5" in lines[0]
    assert [line.split()[0] for line in lines[1:3]] == ["0", "1"]
    assert "prior" in ran.out
    store = open_structures(tmp_path / "out.zarr")
    assert f"{store.properties['volume_fraction'][0]:.4g}" in lines[1]
    assert (tmp_path / "z.csv").exists()


def test_candidates_are_printed_as_json(matvae, model, tmp_path):
    options = ("--goal", "specific_surface=max", "--goal", "volume_fraction=min")
    ran = matvae("optimize", model, *options, *QUICK, "-o", tmp_path / "out.zarr", "--json")
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert [sorted(row["achieved"]) for row in result["rows"]] == [["specific_surface", "volume_fraction"]] * 2
    assert any(row["on_front"] for row in result["rows"])


def test_unreachable_target_is_reported(matvae, model, tmp_path):
    ran = matvae("optimize", model, "--property", "volume_fraction", "--target", 7, *QUICK, "-o", tmp_path / "out.zarr")
    assert ran.code == 0
    assert "volume_fraction 7 was not reached" in ran.out
    assert "no" in ran.out.splitlines()[1].split()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), 2, "--target V"),
        (("--property", "volume_fraction"), 2, "--target V"),
        (("--property", "volume_fraction", "--target", 1, "--maximize"), 2, "--target V"),
        (("--maximize",), 2, "--target V"),
        (("--property", "volume", "--maximize"), 2, "There is no property called 'volume'"),
        (("--goal", "volume_fraction"), 3, "A goal is written as"),
        (("--goal", "volume_fraction=max", "--constraint", "volume_fraction=0.3"), 3, "A constraint is written as"),
        (("--goal", "volume_fraction=max", "--constraint", "volume_fraction=0.3+-0.1", "--constraint",
          "volume_fraction>=0.5"), 3, "contradict each other"),
        (("--goal", "statistics_error=min"), 3, "needs target="),
    ],
)  # fmt: skip
def test_invalid_options_are_refused(matvae, model, tmp_path, options, code, message):
    ran = matvae("optimize", model, *options, "-o", tmp_path / "out.zarr")
    assert ran.code == code, ran.err
    assert message in ran.err
    assert not (tmp_path / "out.zarr").exists()


def test_ranges_of_training_windows_are_shown_below_the_candidates(matvae, tmp_path):
    X = blobs(60, (16, 16), width=1.2, volume_fraction=np.random.default_rng(0).uniform(0.3, 0.7, 60))
    StatsVAETransformer(n_components=2, decoder="statistics", random_state=0).fit(X).save(tmp_path / "t.matvae")
    options = ("--property", "specific_surface", "--maximize", "--constraint", "volume_fraction=0.5+-0.1")
    ran = matvae("optimize", tmp_path / "t.matvae", *options, *QUICK, "--n-realizations", 2, "-o", tmp_path / "o.zarr")
    assert ran.code == 0, ran.err
    head, first, _, training, *rest = ran.out.splitlines()
    assert head.split("  ")[0] == "candidate"
    assert "pieces" in head
    store = open_structures(tmp_path / "o.zarr")
    assert f"{store.properties['pieces'][0]:.3g}" in first
    least, largest = (store.properties[f"{side}_training_specific_surface"][0] for side in ("least", "largest"))
    assert f"{least:.4g} to {largest:.4g}" in training
    assert any("training windows that qualify" in line for line in rest)
