"""Number of independent windows in sets with a known overlap."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.stats.independent_windows import independent_among, independent_windows

from ..structures import blobs


def cut(image: np.ndarray, size: int, stride: int) -> np.ndarray:
    views = np.lib.stride_tricks.sliding_window_view(image, (size,) * image.ndim)
    return views[(slice(None, None, stride),) * image.ndim].reshape(-1, *(size,) * image.ndim)


def test_windows_without_overlap_are_all_independent() -> None:
    image = blobs(1, (256, 256))[0]
    windows = cut(image, 64, 64)
    assert independent_windows(windows) == pytest.approx(16, rel=0.02)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_overlapping_windows_do_not_increase_the_number(stride: int) -> None:
    image = blobs(1, (256, 256), width=3)[0]
    assert 15 < independent_windows(cut(image, 64, stride)) < 20


def test_copies_count_once() -> None:
    windows = blobs(10, (32, 32))
    assert independent_windows(np.concatenate([windows] * 5)) == pytest.approx(10, rel=0.02)


def test_windows_of_a_volume_are_counted() -> None:
    volume = blobs(1, (48, 48, 48), phases=3)[0]
    assert independent_windows(cut(volume, 24, 24)) == pytest.approx(8, rel=0.02)
    assert independent_windows(cut(volume, 24, 6)) < 16


def test_uniform_windows_all_count_as_independent() -> None:
    assert independent_windows(np.zeros((7, 16, 16), np.uint8)) == 7


def test_some_windows_tell_of_all() -> None:
    windows = blobs(10, (32, 32))
    assert independent_among(np.repeat(windows[:5], 3, axis=0), 30) == pytest.approx(10, rel=0.02)
    assert independent_among(np.repeat(windows[:1], 5, axis=0), 1) == 1


def test_windows_count_as_much_as_they_have_inside_the_mask() -> None:
    image = blobs(1, (256, 256))[0]
    windows = cut(image, 64, 64)
    mask = np.ones(windows.shape, bool)
    assert independent_windows(windows, mask) == independent_windows(windows)
    # Patches of 10 voxels begin in 55 rows of a window; without its upper 32 rows, in 23.
    mask[::2, :32] = False
    assert independent_windows(windows, mask) == pytest.approx(8 + 8 * 23 / 55, rel=0.02)


def test_voxels_outside_the_mask_have_no_influence_on_the_number() -> None:
    windows = blobs(10, (32, 32))
    mask = np.ones(windows.shape, bool)
    mask[:, 10:20, :20] = False
    others = np.where(mask, windows, np.random.default_rng(0).integers(0, 2, windows.shape))
    assert independent_windows(others, mask) == pytest.approx(independent_windows(windows, mask))
    copies, masks = np.concatenate([others, windows]), np.concatenate([mask, mask])
    assert independent_windows(copies, masks) == pytest.approx(independent_windows(windows, mask))
