from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.reconstruction.labels import indicators
from matvae.reconstruction.retrieval import Retrieval

from ..structures import blobs
from .structures import fractions, same_but_for_symmetry, target_of


def lines_image() -> np.ndarray:
    """Two horizontal lines and a vertical one, ``(1, y, x)``."""
    image = np.zeros((1, 24, 24), np.uint8)
    image[0, 3:5, 2:16] = 1
    image[0, 10, 6:20] = 1
    image[0, 6:21, 21] = 1
    return image


def random_start(labels: np.ndarray, copies: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(labels.ravel()) for _ in range(copies)]
    return torch.from_numpy(np.stack(rows).reshape(copies, *labels.shape[1:])).long()


def test_lines_are_recovered_exactly_up_to_a_shift_and_an_inversion():
    image = lines_image()
    target = target_of(image).select(torch.zeros(8, dtype=torch.long))
    recovered = Retrieval(target, random_start(image, 8)).run(400)
    exact = [same_but_for_symmetry(image[0], structure.numpy()) for structure in recovered]
    errors = target.errors(indicators(recovered, 2)).numpy()
    assert sum(exact) >= 6
    assert (errors[exact] < 1e-6).all()
    assert (errors[np.logical_not(exact)] > 1e-3).all()


@pytest.mark.parametrize("phases", [2, 3, 5])
@pytest.mark.parametrize("shape", [(40,), (16, 15), (8, 9, 7)])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_structure_with_the_statistics_is_a_fixed_point(phases, shape, periodic):
    labels = blobs(2, shape, phases)
    retrieval = Retrieval(target_of(labels, phases, periodic), torch.from_numpy(labels).long())
    assert np.array_equal(retrieval.run(20 if phases == 2 else 1).numpy(), labels)


@pytest.mark.parametrize("phases", [2, 4])
def test_iterations_lower_the_error_and_keep_volume_fractions(phases):
    labels = blobs(1, (20, 20), phases)
    target = target_of(labels, phases).select(torch.zeros(4, dtype=torch.long))
    start = random_start(labels, 4)
    recovered = Retrieval(target, start).run(60)
    assert np.array_equal(fractions(recovered.numpy(), phases), fractions(labels.repeat(4, axis=0), phases))
    before = target.errors(indicators(start, phases))
    assert (target.errors(indicators(recovered, phases)) < 0.8 * before).all()


def test_continued_iterations_equal_uninterrupted_ones():
    labels = blobs(2, (16, 16))
    target = target_of(labels)
    start = torch.cat([random_start(structure[None], 1) for structure in labels])
    once, twice = Retrieval(target, start), Retrieval(target, start)
    twice.run(13)
    assert torch.equal(once.run(30), twice.run(17))


def test_kept_structures_continue_unaffected_by_the_removal_of_others():
    labels = blobs(4, (16, 16), 3)
    target = target_of(labels, 3)
    start = torch.cat([random_start(structure[None], 1) for structure in labels])
    whole, part = Retrieval(target, start), Retrieval(target, start)
    whole.run(10)
    part.run(10)
    part.keep(torch.tensor([0, 2]))
    assert len(part.target) == 2
    assert torch.equal(part.run(10), whole.run(10)[[0, 2]])


def test_fields_are_zero_outside_a_window():
    labels = blobs(2, (12, 12))
    retrieval = Retrieval(target_of(labels, periodic=False), torch.from_numpy(labels).long())
    assert min(retrieval.fields.shape[2:]) >= 23
    assert retrieval.fields[:, :, 12:].abs().max() == 0
    assert retrieval.fields[:, :, :, 12:].abs().max() == 0
