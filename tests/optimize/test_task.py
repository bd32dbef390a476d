"""The cost is lowest where goals are met and constraints are satisfied."""

from __future__ import annotations

import numpy as np
import torch

from matvae.optimize.goal import between, maximize, minimize, reach
from matvae.optimize.task import Task

VALUES = np.random.default_rng(0).uniform(0, 1, (50, 2))
GRID = torch.stack(torch.meshgrid(*[torch.linspace(0, 1, 101, dtype=torch.float64)] * 2, indexing="ij"), -1)


def minimum(task):
    cost = task.scaled_by(VALUES).cost(GRID).flatten()
    return GRID.reshape(-1, 2)[int(cost.argmin())].numpy()


def test_cost_is_zero_at_the_target():
    task = Task.of([reach("volume_fraction", 0.3)], [])
    assert task.scaled_by(VALUES[:, :1]).cost(torch.tensor([[0.3]])) == 0
    np.testing.assert_allclose(
        minimum(Task.of([reach("specific_surface", 0.7)], [between("volume_fraction", 0.5)]))[1], 0.7
    )


def test_constraints_outweigh_goals():
    task = Task.of(
        [maximize("specific_surface")], [between("specific_surface", high=0.4), between("volume_fraction", 0.5)]
    )
    assert task.labels == ["specific_surface", "volume_fraction"]
    surface, fraction = minimum(task)
    assert 0.38 < surface <= 0.4
    assert fraction >= 0.5
    np.testing.assert_array_equal(
        task.feasible(np.array([[0.3, 0.6], [0.5, 0.6], [0.3, np.nan]])), [True, False, False]
    )


def test_cost_does_not_depend_on_units():
    task = Task.of([reach("specific_surface", 0.7)], [between("volume_fraction", 0.5)])
    rescaled = Task.of([reach("specific_surface", 700)], [between("volume_fraction", 0.5)])
    factors = np.array([1.0, 1000.0])
    torch.testing.assert_close(
        task.scaled_by(VALUES).cost(GRID), rescaled.scaled_by(VALUES * factors).cost(GRID * torch.from_numpy(factors))
    )


def test_pareto_front_is_not_dominated():
    task = Task.of([maximize("specific_surface"), minimize("volume_fraction")], [between("volume_fraction", 0.1)])
    assert task.labels == ["volume_fraction", "specific_surface"]
    values = np.array([[0.2, 0.5], [0.3, 0.7], [0.3, 0.6], [0.05, 0.9], [np.nan, 1.0], [0.2, 0.5]])
    np.testing.assert_array_equal(task.pareto_front(values), [True, True, False, False, False, True])


def test_weights_reach_all_parts_of_a_front():
    task = Task.of([maximize("specific_surface"), minimize("volume_fraction")], []).scaled_by(VALUES)
    share = torch.linspace(0, 1, 101, dtype=torch.float64)
    # This front is concave, so a weighted sum would reach only its ends.
    front = torch.stack([share, (1 - (1 - share) ** 2).sqrt()], -1)[:, [1, 0]]
    weights = torch.tensor([[w, 1 - w] for w in (0.1, 0.5, 0.9)], dtype=torch.float64)
    assert len({int(task.cost(front, w).argmin()) for w in weights}) == 3
