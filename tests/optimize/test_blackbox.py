"""Without gradients a property is reached in fewer evaluations than by chance, and a search goes on where it ended."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from matvae.errors import InputError, MissingExtraError
from matvae.optimize import Measured, maximize, optimize_latents, reach
from matvae.optimize.blackbox import BlackBoxSearch
from matvae.optimize.geometry import VolumeFraction
from matvae.optimize.measuring import Decoder
from matvae.optimize.region import Region
from matvae.optimize.task import Task


class Opaque(VolumeFraction):
    """The volume fraction, which some structures do not have, and without a gradient."""

    name = "opaque"
    differentiable = False

    def measure(self, structures, grid):
        values = super().measure(structures, grid).values
        return Measured.of(np.where(values > 0.6, np.nan, values), "It is too dense.")


def search(model, task):
    return BlackBoxSearch(Decoder(model), task, Region.of_prior(2))


def test_a_target_is_reached_in_few_evaluations(model):
    pytest.importorskip("botorch")
    task = Task.of([reach(Opaque(), 0.431)], [])
    z, values, reasons = search(model, task).run(14, np.random.default_rng(0))
    # The first 6 are drawn at random.
    chance, found = np.nanmin(np.abs(values[:6] - 0.431)), np.nanmin(np.abs(values - 0.431))
    assert found <= 0.5 / 144 + 1e-9 < chance
    assert z.shape == (14, 2)
    assert np.isnan(values).sum() == len(reasons)
    assert set(reasons) <= {"opaque: It is too dense."}


def test_the_properties_of_the_result_say_how_it_was_found(model):
    pytest.importorskip("botorch")
    batches = []
    found = optimize_latents(
        model,
        maximize(Opaque()),
        n_candidates=2,
        n_evaluations=8,
        random_state=0,
        on_batch=lambda *b: batches.append(b),
    )
    assert (found.method, found.n_evaluations) == ("black box", 8)
    assert np.nanmax(found.achieved["opaque"]) <= 0.6
    assert sum(len(latents) for latents, _ in batches) == 8
    evaluated = tuple(np.concatenate(part) for part in zip(*batches, strict=True))
    again = optimize_latents(
        model,
        maximize(Opaque()),
        n_candidates=2,
        n_evaluations=8,
        random_state=0,
        evaluated=evaluated,
        on_batch=lambda *batch: pytest.fail("Everything was measured before."),
    )
    assert again.n_evaluations == 8


def test_nothing_to_go_on_is_refused(model):
    pytest.importorskip("botorch")

    class Never(Opaque):
        def measure(self, structures, grid):
            raise RuntimeError("no solver")

    with pytest.raises(InputError, match="no solver"):
        search(model, Task.of([maximize(Never())], [])).run(10, np.random.default_rng(0))
    nothing = (np.zeros((10, 2)), np.full((10, 1), np.nan))
    with pytest.raises(InputError, match="None of the first 10"):
        search(model, Task.of([maximize(Never())], [])).run(10, np.random.default_rng(0), evaluated=nothing)


def test_without_botorch_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "botorch", None)
    with pytest.raises(MissingExtraError, match=r"matvae\[optimize\]"):
        optimize_latents(model, maximize(Opaque()))


def test_random_numbers_of_the_user_stay_as_they_are(model):
    pytest.importorskip("botorch")
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    search(model, Task.of([maximize(Opaque())], [])).run(7, np.random.default_rng(0))
    torch.testing.assert_close(torch.rand(1), expected)
