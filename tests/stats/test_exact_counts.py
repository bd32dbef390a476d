from __future__ import annotations

import numpy as np
import torch

from matvae.stats.exact_counts import largest, whole_counts


def test_the_requested_number_of_largest_values_is_selected_per_row() -> None:
    values = torch.rand(6, 50, generator=torch.manual_seed(0))
    counts = torch.tensor([0, 1, 7, 25, 49, 50])
    mask = largest(values, counts)
    assert mask.sum(1).tolist() == counts.tolist()
    for row, chosen, n in zip(values.numpy(), mask.numpy(), counts.tolist(), strict=True):
        np.testing.assert_array_equal(np.sort(row[chosen])[::-1], np.sort(row)[::-1][:n])


def test_the_earlier_voxel_wins_a_tie() -> None:
    values = torch.tensor([[1.0, 2.0, 1.0, 1.0]])
    assert largest(values, torch.tensor([2])).tolist() == [[True, True, False, False]]


def test_whole_counts_add_up_and_are_within_one_voxel_of_the_amounts() -> None:
    amounts = torch.rand(40, 5, generator=torch.manual_seed(0), dtype=torch.float64)
    amounts = 97 * amounts / amounts.sum(1, keepdim=True)
    counts = whole_counts(amounts, 97)
    assert (counts.sum(1) == 97).all()
    assert ((counts - amounts).abs() <= 1).all()
    assert torch.equal(whole_counts(counts, 97), counts)
