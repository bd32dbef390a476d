"""Tables of errors by lag and of generated sets show every value once."""

from __future__ import annotations

import pytest

from matvae.cli.error_tables import show_generated, show_lag_errors, show_statistics_rows

ERRORS = {
    "all": {"centred": 0.5, "relative": 0.25, "mean_absolute": 0.125},
    "8": {"centred": 0.75, "relative": 0.0625, "mean_absolute": 0.1},
}


def row(method, realize=None, decoded=ERRORS, realized=ERRORS):
    return {"method": method, "realize": realize, "decoded": decoded, "realized": realized}


def test_errors_of_a_method_fill_one_line(capsys):
    show_lag_errors("decoded", [("PCA (3)", ERRORS)])
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["decoded", "centred", "<=", "8", "relative", "<=", "8", "|dS2|/|S2|"]
    assert line.split() == ["PCA", "(3)", "0.500", "0.750", "0.250", "0.062", "0.125"]
    show_lag_errors("decoded", [])
    assert capsys.readouterr().out == ""


def test_decoded_errors_are_shown_once_and_realized_ones_for_every_way(capsys):
    rows = [
        row("training mean", realized=None),
        row("matvae (3)", "retrieval"),
        row("matvae (3)", "examples"),
        row("another true window", decoded=None),
    ]
    kind = {"decoder": "statistics", "reason": "windows of a material", "metric": "lags"}
    show_statistics_rows({"rows": rows, "n_samples": 9, "n_realized": 4, **kind})
    lines = capsys.readouterr().out.splitlines()
    names = [line.split("  ")[0] for line in lines]
    assert names[:3] == ["decoded, 9 structures", "training mean", "matvae (3)"]
    assert names[4:8] == [
        "realized, 4 structures",
        "matvae (3), retrieval",
        "matvae (3), examples",
        "another true window",
    ]
    assert "decoder statistics (windows of a material), metric lags" in lines


@pytest.mark.parametrize("floor", [None, {"value": 0.01, "interval": [0.0, 0.02]}])
def test_a_measure_is_shown_beside_its_floor(capsys, floor):
    measure = {
        "measure": "percolating_share",
        "axis_name": "x",
        "phase_name": "pore",
        "true_mean": [0.5],
        "true_std": [0.1],
        "generated_mean": [0.4],
        "generated_std": [0.2],
        "percent": -20.0,
        "z": -1.0,
        "other_z": None if floor is None else 0.3,
        "energy_distance": {"value": 0.02, "interval": [0.01, 0.04]},
        "floor": floor,
        "verdict": "inside 1 z",
    }
    absent = {**measure, "verdict": "absent from both"}
    sizes = {"n_generated": 3, "n_true": 3, "n_other": 3, "n_independent": 2.2, "n_searched": 0, "method": "decoder"}
    show_generated(
        {**sizes, "other_true": floor and "others", "rows": [measure, absent], "phases": [], "resemblance": None}
        | {"verdict": "1 of 1."}
    )
    lines = capsys.readouterr().out.splitlines()
    (shown,) = [line for line in lines if line.startswith("percolating share x")]
    ends = ["-", "0.02", "[0.01,", "0.04]", "-"] if floor is None else ["0.30", "0.02", "[0.01,", "0.04]", "0.01"]
    assert shown.split()[3:] == ["pore", "0.5", "(0.1)", "0.4", "(0.2)", "-20", "%", "-1.00", *ends, "inside", "1", "z"]
    assert lines[-2].endswith("no floor" if floor is None else "floor: 3 others")
    assert lines[-1] == "verdict: 1 of 1."
    assert not any(line.startswith("copying") for line in lines)
