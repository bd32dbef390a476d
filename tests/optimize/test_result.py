"""Reasons name missing values, violated constraints and the reachable range."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matvae.grid import Grid
from matvae.optimize.goal import between, reach
from matvae.optimize.region import Region
from matvae.optimize.result import Candidates, explain_misses
from matvae.optimize.task import Task

SEARCHED = np.array([[0.1, 1.0], [0.6, 3.0], [np.nan, 2.0]])
TASK = Task.of([reach("volume_fraction", 0.9)], [between("specific_surface", high=2.0)])


def test_each_candidate_has_its_own_reason():
    assert TASK.labels == ["specific_surface", "volume_fraction"]
    values = np.array([[1.0, 0.9], [1.0, 0.6], [2.5, 0.9], [1.0, np.nan]])
    met, short, violating, missing = explain_misses(TASK, values, SEARCHED[:, ::-1], Region.of_prior(2))
    assert met is None
    assert short == (
        "volume_fraction 0.9 was not reached. Structures of the region range from 0.1 to 0.6, and 0.6 is the closest "
        "value. Pass training latents (latents=, --train) to search the region of the data."
    )
    assert violating == "specific_surface is 2.5, outside -inf to 2; structures of the region range from 1 to 3."
    assert missing == "No realization has a value of volume_fraction."


def test_target_within_the_range_is_missed_for_another_reason():
    task = Task.of([reach("volume_fraction", 0.4)], [])
    (alone,) = explain_misses(task, np.array([[0.2]]), SEARCHED[:, :1], Region.of_prior(2))
    assert "their realizations scatter" in alone
    task = Task.of([reach("volume_fraction", 0.4)], [between("specific_surface", high=2.0)])
    (together,) = explain_misses(task, np.array([[1.0, 0.2]]), SEARCHED[:, ::-1], Region.of_prior(2))
    assert "none that meets the other goals and constraints" in together


def candidates(n=160) -> Candidates:
    """Candidates that all reach 0.5 but the second, which has another value and says so."""
    structures = np.zeros((n, 4, 6), np.uint8)
    structures[:, :2] = 1
    values = {"volume_fraction": np.full(n, 0.5), "modulus": np.linspace(100, 110, n)}
    nothing = {name: np.full(n, 0.25) for name in values}
    return Candidates(
        latents=np.zeros((n, 2)),
        structures=structures,
        requested={"volume_fraction": 0.5, "modulus": None},
        achieved=values,
        spread=nothing,
        measured={name: np.ones(n) for name in values},
        units={"volume_fraction": "1", "modulus": "GPa"},
        feasible=np.ones(n, bool),
        on_front=np.ones(n, bool),
        score=np.full(n, 0.5),
        region="Within the training data.",
        reachable={"volume_fraction": (0.1, 0.9), "modulus": (80.0, 120.0)},
        reasons=(None, "modulus is too large.", *(None,) * (n - 2)),
        failures={},
        method="gradient",
        n_evaluations=500,
        realizations=structures[:, None],
        grid=Grid((4, 6), voxel_size=0.5, unit="micrometer"),
    )


def test_candidates_print_what_was_asked_and_reached_and_no_list_of_nones():
    text = repr(candidates())
    assert len(text.splitlines()) == 7
    assert "None" not in text
    assert "160, by gradient from 500 measured latents" in text
    assert "0.5 requested, 0.5 ± 0.25 by the best candidate, 0.1 to 0.9 found in the search\n" in text
    assert "100 ± 0.25 by the best candidate, 80 to 120 found in the search (GPa)" in text
    assert "159 of 160" in text
    assert "modulus is too large." in text


def test_no_candidates_print_and_show_as_well():
    none = candidates(0)
    assert "0 of 0" in repr(replace(none, reasons=()))
    assert "<img" not in replace(none, reasons=())._repr_html_()


def test_candidates_show_and_plot_structures_with_the_values_that_they_achieve():
    found = candidates()
    html = found._repr_html_()
    assert html.count("<img") == 4
    assert "candidate 3: volume_fraction 0.5, modulus 100.2 GPa" in html
    figure = found.plot(2)
    first, second, fraction, modulus = figure.axes
    np.testing.assert_array_equal(second.images[0].get_array(), found.structures[1])
    assert first.get_xlabel() == "x / µm"
    assert modulus.get_ylabel() == "modulus / GPa"
    assert (fraction.get_xlabel(), fraction.get_ylabel()) == ("candidate", "volume_fraction")
    # The line of what was requested.
    assert [list(line.get_ydata()) for line in fraction.lines if len(line.get_ydata()) == 2] == [[0.5, 0.5]]
