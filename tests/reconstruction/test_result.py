from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from matvae.grid import Grid
from matvae.reconstruction import reconstruct
from matvae.stats import two_point_stats

from ..structures import blobs


def test_attributes_of_a_result_cannot_be_reassigned():
    result = reconstruct(two_point_stats(blobs(1, (8, 8))), grid=Grid((8, 8)), random_state=0, max_iter=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.error = np.ones(1)
