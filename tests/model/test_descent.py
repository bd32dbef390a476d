from __future__ import annotations

import torch

from matvae.model.descent import descend


def test_it_finds_the_bottom_of_a_bowl_for_each_sample():
    bottom = torch.tensor([[0.3, -0.2], [0.1, 0.4]])
    (found,) = descend(lambda x: (x - bottom).square().sum(1), [torch.zeros(2, 2)], [0.05], 100)
    torch.testing.assert_close(found, bottom, rtol=0, atol=0.01)


def test_a_sample_does_not_depend_on_the_others_and_the_start_stays_as_it_is():
    start, bottom = torch.zeros(2, 2), torch.tensor([[0.3, -0.2], [5.0, 4.0]])
    both = descend(lambda x: (x - bottom).square().sum(1), [start], [0.05], 20)[0]
    alone = descend(lambda x: (x - bottom[:1]).square().sum(1), [start[:1]], [0.05], 20)[0]
    torch.testing.assert_close(both[:1], alone, rtol=0, atol=0)
    assert start.abs().max() == 0
    with torch.no_grad():
        torch.testing.assert_close(descend(lambda x: (x - bottom).square().sum(1), [start], [0.05], 20)[0], both)
