from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from matvae.stats.run_lengths import positions_in_runs, run_lengths
from matvae.stats.segments import segment_products, totals

from .samples import SHAPES


def runs_of(line: np.ndarray, periodic: bool) -> tuple[list[int], list[int]]:
    """List the lengths of all runs of True, and of those with False at both ends."""
    n = len(line)
    if line.all():
        return [n], []
    if periodic:
        line = np.roll(line, -int(np.argmin(line)))
        lengths = [len(list(group)) for inside, group in itertools.groupby(line) if inside]
        return lengths, lengths
    groups = [(inside, len(list(group))) for inside, group in itertools.groupby(line)]
    return [size for inside, size in groups if inside], [size for inside, size in groups[1:-1] if inside]


@pytest.mark.parametrize("space", [*SHAPES, (1,), (3, 1)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("volume_fraction", [0.0, 0.4, 0.8, 1.0])
def test_run_lengths_equal_those_of_a_loop(space, periodic, volume_fraction):
    inside = np.random.default_rng(0).random((5, *space)) < volume_fraction
    for axis, n in enumerate(space, start=1):
        runs, closed = run_lengths(torch.from_numpy(inside), axis, periodic)
        for sample, structure in enumerate(inside):
            lines = [runs_of(line, periodic) for line in np.moveaxis(structure, axis - 1, -1).reshape(-1, n)]
            for counts, lengths in ((runs, [a for a, _ in lines]), (closed, [b for _, b in lines])):
                expected = np.bincount(np.array(list(itertools.chain(*lengths)), int), minlength=n + 1)
                assert counts[sample].tolist() == expected.tolist()


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("volume_fraction", [0.4, 0.8, 1.0])
def test_positions_equal_the_sums_of_products(space, periodic, volume_fraction):
    inside = torch.from_numpy(np.random.default_rng(0).random((5, *space)) < volume_fraction)
    for axis, n in enumerate(space, start=1):
        expected = totals(segment_products(inside.double(), axis, periodic, n))
        positions = positions_in_runs(run_lengths(inside, axis, periodic)[0], periodic)
        torch.testing.assert_close(positions.double(), expected, rtol=0, atol=0)
