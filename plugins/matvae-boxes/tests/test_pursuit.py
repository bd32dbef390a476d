from __future__ import annotations

import pytest
import torch

from matvae_boxes.band import Band
from matvae_boxes.pursuit import Found, Pursuit, spectrum_of


def pursuit_of(shape, trials, n_boxes):
    logs = torch.tensor(trials, dtype=torch.float64).log()
    return Pursuit(Band(shape, 28).double(), Band(shape, 56).double(), logs, n_boxes)


def statistics_of(labels):
    axes = tuple(range(1, labels.ndim))
    power = torch.fft.rfftn(labels.double(), dim=axes).abs().square() / labels[0].numel()
    return torch.fft.fftshift(torch.fft.irfftn(power, s=labels.shape[1:], dim=axes), axes)


def lines(n=64):
    labels = torch.zeros(4, n, n)
    labels[0, 10:12, 5:45] = 1
    labels[1, 10:12, 5:45] = labels[1, 20:50, 7:9] = 1
    labels[2, 10:12, 5:45] = labels[2, 20:50, 20:22] = labels[2, 30:32, 40:60] = 1
    labels[3, 8:10, 5:25] = labels[3, 40:42, 30:60] = 1
    return labels


TRIALS = [(2, 20), (2, 30), (2, 40), (20, 2), (30, 2), (40, 2)]


def test_lines_are_recovered_from_their_statistics():
    labels = lines()
    found = pursuit_of((64, 64), TRIALS, 4).find(statistics_of(labels))
    assert found.there.sum(1).tolist() == [1, 2, 3, 2]
    extents = [sorted(found.extent[k][found.there[k]].exp().round().int().tolist()) for k in range(len(labels))]
    assert extents == [[[2, 40]], [[2, 40], [30, 2]], [[2, 20], [2, 40], [30, 2]], [[2, 20], [2, 30]]]


def test_relative_position_of_two_boxes_is_found_up_to_reflection():
    found = pursuit_of((64, 64), TRIALS, 2).find(statistics_of(lines()[3:]))
    apart = 64 * (found.place[0, 0] - found.place[0, 1]) % 64
    # Middles at (9, 15) and (41, 45), or their mirror image.
    expected = torch.tensor([32.0, 30.0], dtype=torch.float64)
    difference = torch.stack([(apart - expected + 32) % 64 - 32, (apart + expected + 32) % 64 - 32]).abs().amax(1)
    assert difference.min() < 0.1


def test_boxes_do_not_depend_on_translation_or_other_samples():
    labels = lines()
    pursuit = pursuit_of((64, 64), TRIALS, 3)
    found = pursuit.find(statistics_of(labels))
    moved = pursuit.find(statistics_of(labels.roll((11, 50), (1, 2))))
    alone = pursuit.find(statistics_of(labels[2:3]))
    for values, values_moved, values_alone in zip(found, moved, alone, strict=True):
        torch.testing.assert_close(values_moved, values, rtol=0, atol=1e-6)
        torch.testing.assert_close(values_alone[0], values[2], rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(40,), (12, 14, 16)])
def test_boxes_of_one_and_three_dimensions_are_found(shape):
    labels = torch.zeros(1, *shape)
    labels[(0, *[slice(2, 6)] * len(shape))] = 1
    labels[(0, *[slice(8, 11)] * len(shape))] = 1
    found = pursuit_of(shape, [[k] * len(shape) for k in (2, 3, 4, 5)], 2).find(statistics_of(labels))
    extents = sorted(found.extent[0].exp().round().int().tolist())
    assert extents == [[3] * len(shape), [4] * len(shape)]


def test_an_empty_structure_has_no_boxes():
    found = pursuit_of((16, 16), [(2, 4)], 2).find(torch.zeros(1, 16, 16, dtype=torch.float64))
    assert not found.there.any()


def test_a_spectrum_is_the_sum_over_the_boxes_present():
    band = Band((10, 12), 8).double()
    generator = torch.Generator().manual_seed(0)
    place, extent = torch.rand(2, 3, 4, 2, generator=generator, dtype=torch.float64)
    there = torch.rand(3, 4, generator=generator) < 0.5
    slow = sum(
        band.spectra(place[:, k] * torch.tensor([10, 12]), extent[:, k].exp()) * there[:, k].view(-1, 1, 1)
        for k in range(4)
    )
    torch.testing.assert_close(spectrum_of(band, there, place, extent), slow)
    assert Found(there, place, extent).without(1).there[:, 1].sum() == 0
