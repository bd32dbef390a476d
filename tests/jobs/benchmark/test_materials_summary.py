"""Means and spreads over seeds, and CSV."""

from __future__ import annotations

import csv
import io

import pytest

from matvae.jobs.benchmark.materials_summary import summarise, to_csv


def run(material, seed, error, outside=()):
    decoded = [
        {"method": "floor", "n_components": None, "error": 2.0, "surface": None},
        {"method": "PCA", "n_components": 3, "error": error, "surface": 0.1 if seed else None},
    ]
    realized = [{"method": "PCA", "n_components": 3, "realize": "retrieval", "outside": list(outside)}]
    return {"material": material, "seed": seed, "decoded": decoded, "realized": realized}


RUNS = [run("a", 0, 0.2, ("pieces",)), run("a", 1, 0.4, ("lineal_path",)), run("b", 0, 0.5)]


def test_rows_are_averaged_over_the_seeds_of_each_material():
    floor, pca, *other = summarise(RUNS, "decoded")
    assert (floor["material"], floor["method"], floor["error"], floor["error_spread"]) == ("a", "floor", 2, 0)
    assert pca["error"] == pytest.approx(0.3)
    assert pca["error_spread"] == pytest.approx(0.2 / 2**0.5)
    assert (pca["n_seeds"], pca["n_components"], pca["realize"]) == (2, 3, None)
    # Known for one seed only, and for none.
    assert (pca["surface"], pca["surface_spread"], floor["surface"]) == (0.1, None, None)
    assert [(row["material"], row["error"], row["error_spread"]) for row in other] == [("b", 2, None), ("b", 0.5, None)]


def test_measures_outside_for_any_seed_are_listed():
    first, second = summarise(RUNS, "realized")
    assert first["outside"] == ["lineal_path", "pieces"]
    assert second["outside"] == []


def test_csv_has_the_columns_of_all_rows():
    text = to_csv([{"a": 1 / 3, "b": None}, {"a": 2, "c": ["x", "y"]}])
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ["0.333333", "", ""], ["2", "", "x y"]]
