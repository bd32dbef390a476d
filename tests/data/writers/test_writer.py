from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae import Grid
from matvae.data import Structures
from matvae.data.writers import WRITERS, Writer, writer


def test_all_built_in_writers_can_be_imported_and_state_what_they_hold():
    for name in WRITERS.builtin:
        part = WRITERS.get(name)
        assert isinstance(part, Writer), name
        assert part.holds <= {"samples", "fields", "voxel_size", "unit", "origin"}, name


@pytest.mark.parametrize("chunks", [(1, 2, 6, 4), (5, 6, 6, 4), (2, 3, 2, 2)])
@pytest.mark.parametrize("most_bytes", [1, 100, 200, 10**6])
def test_blocks_together_are_the_array_in_its_order(monkeypatch, chunks, most_bytes):
    monkeypatch.setattr(writer, "READ_BYTES", most_bytes)
    values = np.random.default_rng(0).integers(0, 2, (5, 6, 6, 4)).astype(np.uint8)
    structures = Structures(da.from_array(values, chunks=chunks), Grid((6, 6, 4)))
    blocks = list(writer.blocks(structures))
    assert np.concatenate([block.ravel() for block in blocks]).tolist() == values.ravel().tolist()
    # No block is larger than asked for, unless a chunk is.
    layers = chunks[0] * chunks[1] if most_bytes >= 144 else chunks[1]
    assert max(block.nbytes for block in blocks) <= max(most_bytes, layers * 24, chunks[0] * 144 * (most_bytes >= 144))


def test_samples_are_not_split_where_a_format_needs_them_whole(monkeypatch):
    monkeypatch.setattr(writer, "READ_BYTES", 1)
    structures = Structures(np.zeros((2, 5, 6), np.uint8), Grid((5, 6)))
    shapes = [block.shape for block in writer.blocks(structures, whole_samples=True)]
    assert {shape[1:] for shape in shapes} == {(5, 6)}
    assert sum(shape[0] for shape in shapes) == 2


def test_unknown_lengths_are_one_and_zero():
    assert writer.lengths(Grid((2, 3))) == (1.0, 1.0)
    assert writer.corner(Grid((2, 3))) == (0.0, 0.0)
    assert writer.lengths(Grid((2, 3), voxel_size=(2, 3))) == (2.0, 3.0)
    assert writer.corner(Grid((2, 3), origin=(2, 3))) == (2.0, 3.0)
