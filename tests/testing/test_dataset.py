"""Built-in generators pass the suite, and each fault is detected by its check."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets import GENERATORS, Card
from matvae.errors import InputError
from matvae.evaluate import count_lines, line_element
from matvae.grid import Grid
from matvae.testing import check_dataset, dataset_checks
from matvae.testing.dataset import CHECKS
from matvae.validate import integer

SHAPES_1_TO_3 = ((32,), (48, 32), (16, 32, 16))


def count_horizontal(labels):
    return count_lines(labels[None], element=line_element(labels.shape))[0, 0]


def count_vertical(labels):
    return count_lines(labels[None], element=line_element(labels.shape))[0, 1]


def count_classes(labels):
    return np.unique(labels).size


def volume_fraction(labels):
    return (labels == 1).mean()


def edge_of_cells(labels):
    return labels.shape[0] / (np.diff(labels, axis=0, append=labels[:1]) != 0).reshape(len(labels), -1)[:, 0].sum()


BUILTIN = [
    *dataset_checks(
        "lines", ((64, 64), (32, 48)), measures={"n_horizontal": count_horizontal, "n_vertical": count_vertical}
    ),
    *dataset_checks("grf", SHAPES_1_TO_3, measures={"volume_fraction_1": volume_fraction}),
    *dataset_checks("voronoi", SHAPES_1_TO_3),
    # Three grains of 255 classes rarely share a class, and do not with the seeds of this check.
    *dataset_checks(
        "voronoi", ((64, 64),), measures={"n_grains": count_classes}, parameters={"n_grains": 3, "phases": 255}
    ),
    *dataset_checks("checkerboard", SHAPES_1_TO_3, measures={"cell": edge_of_cells}),
]


class Points:
    """A conforming generator of structures with one voxel of phase 1."""

    property_names = ("position",)
    units = {"position": "voxel"}  # noqa: RUF012 - as in the protocol

    def __init__(self, shape=(8, 8), *, margin=0):
        self.grid = Grid(tuple(shape))
        self.margin = integer("margin", margin, 0)

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


class Untrue(Points):
    def sample(self, rng):
        labels, properties = super().sample(rng)
        return np.roll(labels, 1), properties


class Constant(Points):
    def position(self, rng):
        return 3


class CountingProperty(Points):
    n_drawn = 0

    def sample(self, rng):
        labels, properties = super().sample(rng)
        self.n_drawn += 1
        return labels, {"position": properties["position"] + self.n_drawn}


class OtherShape(Points):
    def __init__(self, shape=(8, 8)):
        super().__init__(shape[::-1])


class Unchecked(Points):
    def __init__(self, shape=(8, 8), *, margin=0):
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
    OtherShape: "structures",
    Untrue: "properties_are_true",
    Undeclared: "properties",
    Counting: "samples_are_independent",
    Constant: "samples_are_independent",
    CountingProperty: "stores",
    GlobalRandomness: "global_random_state_is_unused",
    Unpicklable: "pickling",
    Permissive: "invalid_parameters_are_refused",
    Unchecked: "invalid_parameters_are_refused",
}


@pytest.mark.parametrize("check", BUILTIN, ids=str)
def test_built_in_generators_conform(check):
    check()


def find_position(labels):
    return float(labels.argmax())


def test_a_conforming_generator_passes(register):
    register(GENERATORS, Points)
    check_dataset("mine", measures={"position": find_position})


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_a_fault_is_detected_by_its_check(register, kind):
    register(GENERATORS, kind)
    checks = dataset_checks("mine", measures={"position": find_position})
    (check,) = [check for check in checks if check.name == FAULTS[kind]]
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(
    ("change", "readme", "message"),
    [
        ({}, "# mine\n`margin` **Provenance**", None),
        ({"licence": ""}, "# mine\n`margin` **Provenance**", "summary and a licence"),
        ({"kind": "download"}, "# mine\n`margin` **Provenance**", "'generated', not 'download'"),
        ({"periodic": False}, "# mine\n`margin` **Provenance**", "but those of the grid are"),
        ({}, "# mine\n**Provenance**", "`margin`"),
    ],
)
def test_incomplete_cards_are_detected(register, monkeypatch, tmp_path, change, readme, message):
    register(GENERATORS, Points)
    (tmp_path / "README.md").write_text(readme)
    entries = {"summary": "Points", "kind": "generated", "licence": "MIT", "phases": 2, "periodic": True, **change}
    card = Card("mine", readme=tmp_path / "README.md", generator="mine", **entries)
    monkeypatch.setattr("matvae.testing.dataset.load_card", lambda name: card)
    (check,) = [check for check in dataset_checks("mine") if check.name == "card"]
    if message is None:
        check()
    else:
        with pytest.raises(AssertionError, match=message):
            check()


def test_every_check_detects_a_fault():
    assert {check.__name__.removeprefix("check_") for check in CHECKS} == {*FAULTS.values(), "card"}
