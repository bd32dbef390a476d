from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction.constraints import connect, read_fixed, read_percolates
from matvae.reconstruction.paths import crosses

from ..structures import blobs
from .structures import fractions

GRID = Grid((8, 10), phases=3)
COUNTS = torch.tensor([[40, 30, 10], [50, 20, 10]])


def free(shape=(8, 10)) -> np.ndarray:
    return np.full(shape, 255, np.uint8)


def test_fixed_voxels_apply_to_all_samples():
    fixed = free()
    fixed[0] = 2
    per_sample = read_fixed(fixed, GRID, COUNTS)
    assert per_sample.shape == (2, 8, 10)
    assert np.array_equal(per_sample.numpy(), np.stack([fixed, fixed]))
    assert read_fixed(None, GRID, COUNTS) is None


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        (free((8, 9)), r"shape \(8, 10\), or \(2, 8, 10\)"),
        (free().astype(float), "integer labels 0 to 2, and 255"),
        (np.full((8, 10), 3, np.uint8), "from 3 to 3"),
        (np.zeros((8, 10), np.uint8), "At most 40 voxels of phase 0 fit the volume fraction of sample 0"),
    ],
)
def test_invalid_fixed_voxels_are_refused(fixed, words):
    with pytest.raises(InputError, match=words):
        read_fixed(fixed, GRID, COUNTS)


def test_percolation_is_specified_by_the_index_or_name_of_an_axis():
    assert read_percolates((1, "x"), GRID, COUNTS, None) == ((1, 1),)
    assert read_percolates([(1, 0), (1, -1)], GRID, COUNTS, None) == ((1, 0), (1, 1))
    assert read_percolates(None, GRID, COUNTS, None) == ()


@pytest.mark.parametrize(
    ("percolates", "words"),
    [
        ((3, 0), "a phase from 0 to 2"),
        ((1, "z"), "one of the axes y, x"),
        ((1, 2), "one of the axes y, x"),
        (1, "or a list of such pairs"),
        ([1, 0], r"such as \(1, 'y'\), but 1 was given"),
        ([(0, 0), (1, 1)], "separates the other two"),
    ],
)
def test_invalid_percolation_is_refused(percolates, words):
    with pytest.raises(InputError, match=words):
        read_percolates(percolates, GRID, COUNTS, None)


def test_percolation_requires_enough_voxels_and_a_free_path():
    with pytest.raises(
        InputError, match=r"at least 10 voxels to connect the two sides of axis 1, but .* gives it only 9"
    ):
        read_percolates((2, 1), GRID, torch.tensor([[51, 20, 9]]), None)
    wall = free()
    wall[:, 4] = 0
    held = read_fixed(wall, GRID, COUNTS)
    with pytest.raises(InputError, match="fixed voxels of sample 0 leave no path"):
        read_percolates((1, 1), GRID, COUNTS, held)
    assert read_percolates((1, 0), GRID, COUNTS, held) == ((1, 0),)


@pytest.mark.parametrize(("shape", "phases"), [((24, 20), 2), ((12, 12, 12), 3)])
def test_paths_are_created_and_volume_fractions_are_kept(shape, phases):
    labels = np.random.default_rng(0).choice(phases, (3, *shape), p=[0.8 / (phases - 1)] * (phases - 1) + [0.2])
    percolates = tuple((phases - 1, axis) for axis in range(len(shape)))
    assert not all(crosses(structure == phases - 1, axis) for structure in labels for axis in range(len(shape)))
    counts = torch.from_numpy(fractions(labels, phases))
    fixed = np.full(labels.shape, 255, np.uint8)
    fixed[:, 0, :2] = 0
    counts_before = fractions(labels, phases)
    labels[:, 0, :2] = 0
    connected, held = connect(torch.from_numpy(labels).long(), counts, percolates, torch.from_numpy(fixed))
    connected, held = connected.numpy(), held.numpy()
    assert np.array_equal(fractions(connected, phases), counts_before)
    assert (connected[:, 0, :2] == 0).all()
    for structure, kept in zip(connected, held, strict=True):
        for phase, axis in percolates:
            # The held voxels alone connect the two sides.
            assert crosses(kept == phase, axis)
        assert np.array_equal(structure[kept != 255], kept[kept != 255])


def test_a_connected_structure_is_unchanged():
    labels = np.zeros((1, 9, 9), np.int64)
    labels[0, :, 3:5] = 1
    counts = torch.from_numpy(fractions(labels, 2))
    connected, held = connect(torch.from_numpy(labels), counts, ((1, 0),), None)
    assert np.array_equal(connected.numpy(), labels)
    assert (held.numpy() != 255).sum() == 9


def test_a_winding_path_with_too_few_voxels_is_straightened():
    labels = np.zeros((1, 5, 5), np.int64)
    labels[0, 0, 0] = labels[0, 1] = labels[0, 2, 4] = 1
    counts = torch.from_numpy(fractions(labels, 2))
    connected, _ = connect(torch.from_numpy(labels), counts, ((1, 0),), None)
    assert crosses(connected[0].numpy() == 1, 0)
    assert connected.sum() == labels.sum() == 7


def test_paths_that_block_each_other_are_refused():
    # Both phases are required to cross a volume that is one voxel thick.
    labels = torch.from_numpy(blobs(1, (1, 8, 8))).long()
    counts = torch.from_numpy(fractions(labels.numpy(), 2))
    with pytest.raises(InputError, match="do not exist together"):
        connect(labels, counts, ((0, 1), (1, 2)), None)
