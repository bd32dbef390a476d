"""Sets of realizations are shown as pictures, tables and files."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.evaluate.generated_sets import GeneratedSet
from matvae.evaluate.material_measures import measure_structures
from matvae.evaluate.phase_errors import phase_errors
from matvae.evaluate.resemblance import resemblance
from matvae.evaluate.set_distances import compare_measured
from matvae.report import Download, Figure, RealizedSet, Remark, Table
from matvae.report.panels.realized_set import realized_set_panel

from ..reading import blocks, csv_rows
from ..report_parts import parts


@pytest.fixture
def generated():
    """Three random structures of 40 % pores that stand for three of 50 %, and three others."""
    rng = np.random.default_rng(0)
    sets = [(rng.random((3, 8, 8)) < share).astype(np.uint8) for share in (0.4, 0.5, 0.5)]
    measured = [measure_structures(X, phases=2) for X in sets]
    return GeneratedSet(
        compare_measured(*measured, n_bootstrap=20),
        resemblance(*sets, phases=2),
        phase_errors(*measured[:2], ["solid", "pore"]),
        ["solid", "pore"],
        ["y", "x"],
        "retrieval",
        "training structures",
        3,
        3.0,
    ).to_dict()


def test_everything_that_was_measured_is_shown(generated):
    pictures = np.zeros((3, 8, 8), np.uint8)
    panel = realized_set_panel(parts(realized_set=RealizedSet(generated, pictures, pictures)))
    phases, measures, distances = blocks(panel, Table)
    assert [row[0] for row in phases.rows] == ["solid", "pore"]
    assert phases.rows[1][2] == f"{generated['phases'][1]['volume_fraction_bias']:+.4f}"
    present = [row for row in generated["rows"] if row["verdict"] != "absent from both"]
    assert [row[-1] for row in measures.rows] == [row["verdict"] for row in present]
    assert distances.folded
    assert blocks(panel, Figure)[0].alt.startswith("Two rows of 3 images")
    header, *rows = csv_rows(blocks(panel, Download)[0])
    assert float(rows[0][header.index("z")]) == pytest.approx(present[0]["z"])
    text = " ".join(blocks(panel, str))
    assert generated["verdict"][1:] in text
    assert "Diversity (share of voxels in which two realizations differ, over that of two true structures): " in text
    assert "3 realizations (method `retrieval`)" in text


def test_unknown_training_structures_are_stated(generated):
    without = {**generated, "resemblance": None, "other_true": None}
    pictures = np.zeros((2, 8, 8), np.uint8)
    text = " ".join(blocks(realized_set_panel(parts(realized_set=RealizedSet(without, pictures, pictures))), str))
    assert "copying and diversity were not measured" in text
    assert "No other true region is known." in text


def test_the_reason_for_no_set_is_stated():
    (remark,) = realized_set_panel(parts(realized_set_note="these are continuous fields")).content
    assert remark == Remark("No sets were compared: these are continuous fields.")
