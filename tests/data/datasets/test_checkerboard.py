from __future__ import annotations

import numpy as np
import pytest

from matvae.data.datasets.checkerboard import Checkerboard
from matvae.errors import InputError


@pytest.mark.parametrize("shape", [(24,), (24, 12), (12, 24, 36)])
def test_structures_are_shifted_periodic_checkerboards(shape):
    cell = 3
    plain = sum(index // cell for index in np.indices(shape)) % 2
    labels, properties = Checkerboard(shape, cell=cell).sample(np.random.default_rng(4))
    assert labels.dtype == np.uint8
    assert labels.mean() == 0.5
    assert properties == {"cell": 3.0}
    # A shift by one cell along any axis exchanges the phases, across the periodic boundary as well.
    for axis in range(len(shape)):
        assert (np.roll(labels, cell, axis) == 1 - labels).all()
    transforms = [np.abs(np.fft.fftn(image)) for image in (plain, labels)]
    np.testing.assert_allclose(*transforms, atol=1e-9)  # same 2-point statistics


def test_shifts_differ_between_samples():
    generator = Checkerboard((16,), cell=4)
    patterns = {generator.sample(np.random.default_rng([0, index]))[0].tobytes() for index in range(200)}
    assert len(patterns) == 8


@pytest.mark.parametrize(
    ("shape", "cell", "message"),
    [
        ((64, 60), 8, "multiples of two cells \\(16 voxels\\), but size 64x60"),
        ((8,), 8, "multiples of two cells"),
        ((64,), 0, "cell must be an integer of at least 1"),
    ],
)
def test_non_periodic_checkerboards_are_refused(shape, cell, message):
    with pytest.raises(InputError, match=message):
        Checkerboard(shape, cell=cell)
