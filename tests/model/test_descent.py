from __future__ import annotations

import torch

from matvae.model.descent import descend


def test_each_sample_reaches_the_minimum_of_a_quadratic_error():
    minimum = torch.tensor([[0.3, -0.2], [0.1, 0.4]])
    (variables,) = descend(lambda x: (x - minimum).square().sum(1), [torch.zeros(2, 2)], [0.05], 100)
    torch.testing.assert_close(variables, minimum, rtol=0, atol=0.01)


def test_samples_are_independent_and_the_start_is_not_modified():
    start, minimum = torch.zeros(2, 2), torch.tensor([[0.3, -0.2], [5.0, 4.0]])
    both = descend(lambda x: (x - minimum).square().sum(1), [start], [0.05], 20)[0]
    alone = descend(lambda x: (x - minimum[:1]).square().sum(1), [start[:1]], [0.05], 20)[0]
    torch.testing.assert_close(both[:1], alone, rtol=0, atol=0)
    assert start.abs().max() == 0
    with torch.no_grad():
        torch.testing.assert_close(descend(lambda x: (x - minimum).square().sum(1), [start], [0.05], 20)[0], both)
