"""Built-in generators pass the suite, and each fault is detected by its check."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets import GENERATORS
from matvae.errors import InputError
from matvae.grid import Grid
from matvae.testing import check_dataset, dataset_checks
from matvae.testing.dataset import CHECKS

BUILTIN = [check for name in ("lines", "grf", "voronoi", "checkerboard") for check in dataset_checks(name)]


class Points:
    """Keeps the contract: one voxel of phase 1."""

    property_names = ("position",)
    units = {"position": "voxel"}  # noqa: RUF012 - as the contract has it

    def __init__(self, shape=(8, 8)):
        self.grid = Grid(tuple(shape))

    def sample(self, rng):
        labels = np.zeros(self.grid.shape, np.uint8)
        position = self.position(rng)
        labels.flat[position] = 1
        return labels, {"position": float(position)}

    def position(self, rng):
        return int(rng.integers(self.grid.n_voxels))


class NoDefault(Points):
    def __init__(self, shape):
        super().__init__(shape)


class Doubled(Points):
    def sample(self, rng):
        labels, properties = super().sample(rng)
        return 2 * labels, properties


class Undeclared(Points):
    property_names = ()
    units = {}  # noqa: RUF012


class Counting(Points):
    n_drawn = 0

    def position(self, rng):
        self.n_drawn += 1
        return (super().position(rng) + self.n_drawn) % self.grid.n_voxels


class GlobalRandomness(Points):
    def position(self, rng):
        return int(np.random.randint(self.grid.n_voxels))


class Unpicklable(Points):
    def __reduce__(self):
        return Points, ((4, 4),)


class Permissive(Points):
    def __init__(self, shape=(8, 8)):
        try:
            super().__init__(shape)
        except InputError:
            super().__init__()


FAULTS = {
    NoDefault: "defaults",
    Doubled: "structures",
    Undeclared: "properties",
    Counting: "repeats",
    GlobalRandomness: "leaves_global_randomness_alone",
    Unpicklable: "pickles",
    Permissive: "bad_shapes_are_refused",
}


@pytest.mark.parametrize("check", BUILTIN, ids=str)
def test_built_in_generators_conform(check):
    check()


@pytest.fixture
def registered(monkeypatch):
    """Registers a class of this module as a generator."""

    def register(kind):
        monkeypatch.setattr(GENERATORS, "targets", {**GENERATORS.targets, "mine": f"{__name__}:{kind.__name__}"})

    return register


def test_a_generator_that_keeps_the_contract_passes(registered):
    registered(Points)
    check_dataset("mine")


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_detected_by_its_check(registered, kind):
    registered(kind)
    (check,) = [check for check in dataset_checks("mine") if check.name == FAULTS[kind]]
    with pytest.raises(AssertionError):
        check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == set(FAULTS.values())
