from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.grid import Grid
from matvae.reconstruction import Wanted, reconstruct
from matvae.reconstruction.comparison import copied_share
from matvae.reconstruction.from_examples import read_examples, with_expected_paths
from matvae.reconstruction.objective import Demands
from matvae.reconstruction.paths import crosses
from matvae.reconstruction.target import read_target
from matvae.stats import relative_error, surface_area, two_point_stats

from ..structures import blobs
from .structures import fractions


def network(n: int, size: int, seed: int = 0) -> np.ndarray:
    """Boundaries, two to three voxels wide, between the cells around random points of a window."""
    rng = np.random.default_rng(seed)
    axes = np.indices((size, size))
    structures = []
    for _ in range(n):
        points = rng.random((max(4, size**2 // 220), 2)) * size
        distances = np.sort(np.hypot(*(axes[:, None] - points.T[:, :, None, None])), axis=0)
        structures.append(distances[1] - distances[0] < 2.5)
    return np.stack(structures).astype(np.uint8)


EXAMPLES = network(3, 96)
F = two_point_stats(network(1, 96, seed=1), periodic=False, cutoff=16)
GRID = Grid((64, 64), periodic=False)


def test_patches_keep_a_network_that_statistics_lose():
    options = {"grid": GRID, "n_realizations": 3, "random_state": 0}
    with_examples = reconstruct(F, examples=EXAMPLES, **options)
    without = reconstruct(F, **options)
    share = with_examples.percolation[0, :, 1].mean()
    assert share >= 5 / 6
    assert np.mean([crosses(x == 1, axis) for x in without.structures[0] for axis in (0, 1)]) < share / 2
    target = surface_area(EXAMPLES, periodic=False)[:, 1].mean()
    errors = [
        abs(surface_area(r.structures[0], periodic=False)[:, 1].mean() - target) for r in (with_examples, without)
    ]
    assert errors[0] < 0.1 * target < errors[1]
    assert with_examples.error.max() < 0.03
    assert without.voted_distance is without.copied is without.percolation is None


def test_realizations_are_no_copies_and_the_result_says_so():
    reconstruction = reconstruct(F, grid=GRID, examples=EXAMPLES, n_realizations=3, random_state=0)
    elsewhere = copied_share(network(4, 64, seed=9), EXAMPLES)
    assert reconstruction.copied.shape == reconstruction.voted_distance.shape == (1, 3)
    assert reconstruction.percolation.shape == (1, 3, 2, 2)
    # A window of the examples has 1, and an independent structure less than a realization, which shares their patches.
    assert elsewhere.max() < reconstruction.copied.min()
    assert reconstruction.copied.max() < 0.9
    first, second, third = reconstruction.structures[0]
    assert min(np.mean(first != second), np.mean(first != third)) > 0.2


@pytest.mark.parametrize(
    ("shape", "phases", "periodic", "cutoff", "max_error"),
    [
        ((96,), 2, True, 12, 0.15),
        ((40, 50), 2, True, None, 0.08),
        # Far lags of a window, of few voxel pairs, are those of one structure and no property of the material.
        ((48, 48), 2, False, None, 0.3),
        ((41, 32), 3, True, 8, 0.06),
        ((32, 32), 4, False, 6, 0.15),
        ((16, 18, 16), 2, True, 5, 0.05),
        ((12, 13, 12), 3, False, 3, 0.15),
    ],
)
def test_all_kinds_of_statistics_are_met_with_exact_volume_fractions(shape, phases, periodic, cutoff, max_error):
    structures = blobs(2, shape, phases, seed=3, width=2.0)
    f = two_point_stats(structures, spatial_dims=len(shape), phases=phases, periodic=periodic, cutoff=cutoff)
    examples = blobs(4, (24,) * len(shape), phases, width=2.0)
    grid = Grid(shape, phases=phases, periodic=periodic)
    reconstruction = reconstruct(f, grid=grid, examples=examples, random_state=0)
    assert reconstruction.structures.shape == structures.shape
    assert np.array_equal(fractions(reconstruction.structures, phases), fractions(structures, phases))
    g = two_point_stats(
        reconstruction.structures, spatial_dims=grid.ndim, phases=phases, periodic=periodic, cutoff=cutoff
    )
    np.testing.assert_allclose(reconstruction.error, relative_error(f, g), atol=1e-5)
    assert reconstruction.error.max() < max_error


def test_parts_of_a_set_give_the_same_structures_as_the_whole():
    f = two_point_stats(blobs(3, (32, 32), width=2.0), cutoff=8)
    options = {"grid": Grid((32, 32)), "examples": blobs(3, (48, 48), seed=2, width=2.0), "random_state": 5}
    whole = reconstruct(f, n_realizations=2, **options)
    last = reconstruct(f[2:], n_realizations=2, first_sample=2, **options)
    assert np.array_equal(last.structures[0], whole.structures[2])
    assert np.array_equal(last.error[0], whole.error[2])


def test_other_demands_are_met():
    structures = blobs(2, (48, 48), seed=3, width=2.0)
    f, surface = two_point_stats(structures, cutoff=10), surface_area(structures)
    options = {"grid": Grid((48, 48)), "examples": blobs(3, (64, 64), width=2.0), "random_state": 0}
    reconstruction = reconstruct(f, also=[Wanted("surface_area", surface)], **options)
    assert np.median(reconstruction.errors["surface_area"]) < 0.08
    fixed = np.full((48, 48), 255, np.uint8)
    fixed[:5] = structures[0, :5]
    held = reconstruct(f[:1], fixed=fixed, percolates=(1, "y"), **options)
    assert np.array_equal(held.structures[0, :5], structures[0, :5])
    assert held.percolation[0, 1, 0]
    mask = np.ones((48, 48), np.uint8)
    mask[20:30, 10:40] = 0
    masked = reconstruct(two_point_stats(structures, mask=mask, cutoff=10), mask=mask, **options)
    g = two_point_stats(masked.structures, mask=mask, cutoff=10)
    np.testing.assert_allclose(
        masked.error, relative_error(two_point_stats(structures, mask=mask, cutoff=10), g), rtol=1e-2
    )
    assert masked.error.max() < 0.05


def test_torch_examples_give_the_same_structures():
    options = {"grid": Grid((32, 32), periodic=False), "random_state": 0}
    first = reconstruct(F, examples=EXAMPLES, **options)
    second = reconstruct(F, examples=torch.from_numpy(EXAMPLES), **options)
    assert np.array_equal(first.structures, second.structures)


def test_examples_of_another_material_are_reported():
    f = two_point_stats(blobs(1, (64, 64), width=4.0), cutoff=16)
    stripes = np.tile(np.repeat([0, 1], 2), (2, 64, 16))

    def two_of_them():
        for seed in (0, 1):
            reconstruct(f, grid=Grid((48, 48)), examples=stripes, random_state=seed)

    with pytest.warns(UserWarning, match="fit the target statistics of a structure badly") as caught:
        two_of_them()
    assert len(caught) == 2
    # Of equal messages of one line of a program Python shows one.
    assert len({str(warning.message) for warning in caught}) == 1


@pytest.mark.parametrize(
    ("examples", "options", "words"),
    [
        (EXAMPLES[0], {}, r"with 2 spatial axes like the grid, but an array of shape \(96, 96\)"),
        (EXAMPLES.astype(float), {}, "examples must be integer labels"),
        (EXAMPLES + 1, {}, r"all labels 0 to 1 of the grid's 2 phases, and no others, but \[1, 2\]"),
        (EXAMPLES * 0, {}, r"but \[0\] were found"),
        (EXAMPLES, {"patch": 1}, "patch must be"),
        (EXAMPLES[:, :5], {"patch": 7}, "must fit both the grid"),
        (EXAMPLES, {"method": "retrieval"}, "With examples the method must be 'auto'"),
    ],
)
def test_examples_that_do_not_fit_are_refused(examples, options, words):
    with pytest.raises(InputError, match=words):
        reconstruct(F, grid=GRID, examples=examples, **options)


def bars(n: int, size: int, share: float) -> np.ndarray:
    """Windows of which a share has a bar of phase 1 from side to side along y, and the others one with a gap."""
    windows = np.zeros((n, size, size), np.uint8)
    windows[:, :, size // 2 : size // 2 + 3] = 1
    windows[round(share * n) :, size // 3] = 0
    return windows


@pytest.mark.parametrize(
    ("share", "size", "is_opened"),
    [(1.0, 32, True), (0.8, 32, False), (0.8, 48, True), (0.4, 48, False), (1.0, 24, False)],
)
def test_a_gap_is_closed_where_the_phase_crosses_the_examples(share, size, is_opened):
    grid, device = Grid((size, size), periodic=False), torch.device("cpu")
    prepared = read_examples(bars(10, 32, share), "auto", grid, device).prepare(0)
    labels = torch.from_numpy(bars(1, size, 0.0)).long()
    target, _ = read_target(two_point_stats(labels.numpy(), phases=2, periodic=False, cutoff=4), grid, None, device)
    opened = with_expected_paths(labels, target, prepared, Demands())
    assert crosses(opened[0].numpy() == 1, 0) == is_opened
    assert not crosses(opened[0].numpy() == 1, 1)
    assert opened.sum() == labels.sum()
    # The voxel of the gap, and the one that is given for it.
    assert (opened != labels).sum() == (2 if is_opened else 0)


def test_fixed_voxels_and_paths_that_are_asked_for_take_the_place_of_expected_ones():
    grid, device = Grid((32, 32), periodic=False), torch.device("cpu")
    prepared = read_examples(bars(10, 32, 1.0), "auto", grid, device).prepare(0)
    labels = torch.from_numpy(bars(1, 32, 0.0)).long()
    target, _ = read_target(two_point_stats(labels.numpy(), phases=2, periodic=False, cutoff=4), grid, None, device)
    fixed = torch.full((1, 32, 32), 255, dtype=torch.uint8)
    for demands in (Demands(fixed=fixed), Demands(percolates=((0, 1),))):
        assert torch.equal(with_expected_paths(labels, target, prepared, demands), labels)
