"""Channels that say nothing are left out; those that say something never are."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.data.channels import one_channel, redundant_channels
from matvae.data.lazy_array import LazyArray, choose_chunks
from matvae.errors import InputError

GREY = np.random.default_rng(0).integers(0, 200, (7, 9)).astype(np.uint8)


def channels(*values):
    return np.stack([np.broadcast_to(np.uint8(value), GREY.shape) for value in values], axis=-1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (channels(GREY, GREY, GREY), "its 3 channels are equal: one channel is taken"),
        (channels(GREY, GREY, GREY, 255), "its 3 channels are equal, and its alpha is opaque: one channel is taken"),
        (channels(GREY, 255), "its alpha is opaque: only grey is taken"),
        (channels(GREY, GREY, GREY, 255).astype(np.uint16) * 257, "its 3 channels are equal, and its alpha is opaque"),
        (channels(GREY, GREY, GREY, 255) / 255, "its 3 channels are equal, and its alpha is opaque"),
        (channels(GREY, GREY, GREY + 1), None),
        (channels(GREY, GREY, GREY, 254), None),
        (channels(GREY, GREY, GREY, GREY), None),
        (channels(0, 0, 0, 0), None),
        (channels(GREY, 0), None),
        (channels(GREY + 1, GREY, GREY, 255), None),
    ],
)
def test_equal_channels_and_opaque_alpha_are_redundant(values, said):
    found = redundant_channels(values)
    assert found is None if said is None else found.startswith(said)


def lazy(array):
    return LazyArray(
        "a file", array.shape, array.dtype, choose_chunks(array.shape, array.dtype), lambda box: array[box]
    )


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_an_axis_of_equal_channels_gets_the_length_one_and_boxes_of_it_are_read(axis):
    images = np.random.default_rng(1).integers(0, 200, (4, 7, 9)).astype(np.uint8)
    found, _ = one_channel(lazy(np.stack([images] * 3, axis=axis)), axis)
    np.testing.assert_array_equal(found.squeeze(axis)[:], images)
    np.testing.assert_array_equal(found.squeeze(axis)[1:3, 2:, ::4], images[1:3, 2:, ::4])
    np.testing.assert_array_equal(found.squeeze(axis).to_dask()[3, 1:].compute(), images[3, 1:])


def test_channels_that_differ_later_are_refused_when_they_are_read():
    images = np.stack([np.stack([GREY] * 3, axis=-1)] * 2)
    images[1, 0, 0, 2] += 1
    found, _ = one_channel(lazy(images), 3)
    np.testing.assert_array_equal(found[0, ..., 0], GREY)
    with pytest.raises(InputError, match=r"a file .* 3 channels or colours differ in part of it"):
        found[:]
    assert one_channel(lazy(images[1:]), 3) is None
