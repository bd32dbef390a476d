"""Bayesian optimisation needs fewer evaluations than random search, and continues an earlier search."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from matvae.errors import InputError, MissingExtraError
from matvae.optimize import Measured, maximize, optimize_latents, reach
from matvae.optimize.blackbox import BlackBoxSearch
from matvae.optimize.geometry import VolumeFraction
from matvae.optimize.measuring import LatentDecoder
from matvae.optimize.region import Region
from matvae.optimize.task import Task


class Opaque(VolumeFraction):
    """Volume fraction without a gradient, undefined for dense structures."""

    name = "opaque"
    differentiable = False

    def measure(self, structures, grid):
        values = super().measure(structures, grid).values
        return Measured.of(np.where(values > 0.6, np.nan, values), "It is too dense.")


def search(model, task):
    return BlackBoxSearch(LatentDecoder(model), task, Region.of_prior(2))


def test_target_is_reached_in_few_evaluations(model):
    pytest.importorskip("botorch")
    task = Task.of([reach(Opaque(), 0.431)], [])
    z, values, reasons = search(model, task).run(14, np.random.default_rng(0))
    # The first 6 latents are random.
    errors = np.abs(values - 0.431)
    assert np.nanmin(errors) <= 0.5 / 144 + 1e-9 < np.nanmin(errors[:6])
    assert z.shape == (14, 2)
    assert np.isnan(values).sum() == len(reasons)
    assert set(reasons) <= {"opaque: It is too dense."}


def test_result_describes_the_search_and_an_earlier_search_is_continued(model):
    pytest.importorskip("botorch")
    batches = []
    candidates = optimize_latents(
        model,
        maximize(Opaque()),
        n_candidates=2,
        n_evaluations=8,
        random_state=0,
        on_batch=lambda *batch: batches.append(batch),
    )
    assert (candidates.method, candidates.n_evaluations) == ("black box", 8)
    assert np.nanmax(candidates.achieved["opaque"]) <= 0.6
    assert sum(len(latents) for latents, _ in batches) == 8
    evaluated = tuple(np.concatenate(part) for part in zip(*batches, strict=True))
    continued = optimize_latents(
        model,
        maximize(Opaque()),
        n_candidates=2,
        n_evaluations=8,
        random_state=0,
        evaluated=evaluated,
        on_batch=lambda *batch: pytest.fail("All latents were measured in the earlier search."),
    )
    assert continued.n_evaluations == 8


@pytest.mark.usefixtures("read_only_warnings_are_errors")
def test_read_only_results_of_an_earlier_search_are_copied(model):
    pytest.importorskip("botorch")
    latents = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32)
    values = np.linspace(0.3, 0.5, 8)[:, None]
    for array in (latents, values):
        array.flags.writeable = False
    candidates = optimize_latents(
        model, maximize(Opaque()), n_candidates=2, n_evaluations=8, random_state=0, evaluated=(latents, values)
    )
    assert len(candidates) == 2


def test_property_that_no_structure_has_is_refused(model):
    pytest.importorskip("botorch")

    class Undefined(Opaque):
        def measure(self, structures, grid):
            raise RuntimeError("no solver")

    with pytest.raises(InputError, match="no solver"):
        search(model, Task.of([maximize(Undefined())], [])).run(10, np.random.default_rng(0))
    evaluated = (np.zeros((10, 2)), np.full((10, 1), np.nan))
    with pytest.raises(InputError, match="None of the 10 structures measured has all properties"):
        search(model, Task.of([maximize(Undefined())], [])).run(10, np.random.default_rng(0), evaluated=evaluated)


def test_missing_botorch_names_the_extra(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[optimize\]"):
        optimize_latents(model, maximize(Opaque()))


def test_global_random_state_is_unchanged(model):
    pytest.importorskip("botorch")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    search(model, Task.of([maximize(Opaque())], [])).run(7, np.random.default_rng(0))
    torch.testing.assert_close(torch.rand(1), expected)


def test_best_training_windows_are_measured_first_and_only_once(model, training):
    pytest.importorskip("botorch")
    batches = []
    options = {
        "training": training,
        "n_candidates": 2,
        "n_realizations": 2,
        "n_evaluations": 8,
        "random_state": 0,
    }
    candidates = optimize_latents(model, maximize(Opaque()), on_batch=lambda *batch: batches.append(batch), **options)
    # 8 windows, then 6 initial latents, of which the first 3 are those of the best windows, and 2 proposals.
    assert [len(latents) for latents, _ in batches] == [8, 4, 2, 2]
    windows, values = batches[0]
    order = np.argsort(-np.nan_to_num(values[:, 0]), kind="stable")
    np.testing.assert_array_equal(batches[1][0][:3], windows[order[:3]])
    assert candidates.comparison.n_windows == 8
    known = tuple(np.concatenate(part) for part in zip(*batches, strict=True))
    repeated = optimize_latents(
        model, maximize(Opaque()), evaluated=known, on_batch=lambda *_: pytest.fail("Measured again."), **options
    )
    # Other realizations may change the order.
    assert {z.tobytes() for z in repeated.latents} == {z.tobytes() for z in candidates.latents}
