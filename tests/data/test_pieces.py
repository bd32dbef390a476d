from __future__ import annotations

import numpy as np
import pytest
import zarr

from matvae.data.pieces import count_pieces, missing_pieces


@pytest.mark.parametrize(("shards", "pieces"), [((4, 6), 3 * 2), (None, 5 * 4)])
def test_pieces_are_the_files_an_array_should_have(tmp_path, shards, pieces):
    array = zarr.create_array(tmp_path / "a", shape=(10, 12), chunks=(2, 3), shards=shards, dtype="u1", fill_value=255)
    assert count_pieces(array) == pieces
    assert missing_pieces(array, tmp_path / "a") == pieces
    array[:4, :6] = np.ones((4, 6))
    written = 1 if shards else 4
    assert missing_pieces(array, tmp_path / "a") == pieces - written
    (tmp_path / "a" / "c" / "0" / "0").write_bytes(b"")
    assert missing_pieces(array, tmp_path / "a") == pieces - written + 1
