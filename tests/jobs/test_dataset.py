"""Listing and generation of data sets."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data import open_structures
from matvae.data.datasets import make as make_module
from matvae.errors import InputError, PluginError
from matvae.jobs import JobInterrupted, list_datasets, make_dataset


def test_listed_cards_consist_of_strings():
    cards = {card["name"]: card for card in list_datasets()}
    assert cards["lines"]["kind"] == "generated"
    assert all(isinstance(value, str) for card in cards.values() for value in card.values())


def test_a_generated_set_is_described_and_reproducible(tmp_path):
    seen = []
    result = make_dataset(
        "lines",
        tmp_path / "a.zarr",
        n=6,
        size=32,
        seed=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    make_dataset("lines", tmp_path / "b.zarr", n=6, size=32, seed=3)
    assert result["n_samples"] == 6
    assert result["grid"]["shape"] == [32, 32]
    assert result["grid"]["periodic"] is True
    assert seen[-1] == (6, 6)
    a, b = (open_structures(tmp_path / name).data.compute() for name in ("a.zarr", "b.zarr"))
    np.testing.assert_array_equal(a, b)


def test_errors_suggest_known_names(tmp_path):
    with pytest.raises(PluginError, match="lines"):
        make_dataset("line", tmp_path / "a.zarr")
    with pytest.raises(InputError, match="thickness"):
        make_dataset("lines", tmp_path / "a.zarr", thicknes=3)
    assert not (tmp_path / "a.zarr").exists()


def interrupted_at(number):
    """Progress that interrupts when so many structures are done."""

    def progress(done, total):
        if done >= number:
            raise KeyboardInterrupt

    return progress


def contents(store):
    return {path.relative_to(store): path.read_bytes() for path in sorted(store.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("name", "size"), [("lines", 16), ("grf", 12)])
def test_an_interrupted_set_continues_and_has_the_same_bytes(tmp_path, monkeypatch, name, size):
    options = {"n": 300, "size": size, "seed": 5}
    make_dataset(name, tmp_path / "whole.zarr", **options)
    out = tmp_path / "a.zarr"
    with pytest.raises(JobInterrupted, match="What is done is kept in"):
        make_dataset(name, out, resume=True, progress=interrupted_at(128), **options)
    assert not out.exists()
    with pytest.raises(InputError, match="seed=5 instead of 6"):
        make_dataset(name, out, resume=True, **{**options, "seed": 6})
    with pytest.raises(InputError, match="Continue it with --resume"):
        make_dataset(name, out, **options)
    drawn = []
    draw = make_module.draw_samples

    def watched(generator, indices, seed):
        drawn.extend(indices)
        return draw(generator, indices, seed)

    monkeypatch.setattr(make_module, "draw_samples", watched)
    make_dataset(name, out, resume=True, **options)
    # Two blocks of 64 were kept.
    assert drawn == [*range(128, 300)]
    assert contents(out) == contents(tmp_path / "whole.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "whole.zarr"]


def test_without_resume_nothing_is_kept(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make_dataset("lines", tmp_path / "a.zarr", n=300, size=16, progress=interrupted_at(128))
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_is_there_is_completed_and_overwriting_starts_again(tmp_path):
    out, options = tmp_path / "a.zarr", {"n": 70, "size": 16}
    make_dataset("lines", out, **options)
    before = contents(out)
    make_dataset("lines", out, resume=True, **options)
    assert contents(out) == before
    with pytest.raises(KeyboardInterrupt):
        make_dataset("lines", tmp_path / "b.zarr", resume=True, progress=interrupted_at(64), **options)
    make_dataset("lines", tmp_path / "b.zarr", overwrite=True, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]
    assert contents(tmp_path / "b.zarr") == before


def test_measured_sets_are_not_made_in_parts(tmp_path):
    measured = next(card["name"] for card in list_datasets() if card["kind"] == "bundled")
    with pytest.raises(InputError, match="written as a whole, so there is nothing to complete"):
        make_dataset(measured, tmp_path / "a.zarr", resume=True)
    assert list(tmp_path.iterdir()) == []
