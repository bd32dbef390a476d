"""Realized structures are judged as a set: true windows pass every measure, and copies are found out."""

from __future__ import annotations

import numpy as np
import pytest

from matvae.estimator import TwoPointPCA
from matvae.evaluate.resemblance import resemblance
from matvae.jobs.benchmark.materials_decoded import Windows
from matvae.jobs.benchmark.materials_realized import MEASURED, Realizer, ways_to_realize
from matvae.jobs.benchmark.materials_windows import cut

from .standins import SMALL, field


class Oracle:
    """A method whose latents are numbers of structures that it has seen, and whose statistics are 10 % too small."""

    n_components = 1

    def __init__(self, known, realized):
        self.known, self.realized = known, realized

    def transform(self, structures):
        equal = (self.known[None] == structures[:, None]).all((2, 3))
        return equal.argmax(1)[:, None]

    def inverse_statistics(self, z):
        return 0.9 * Windows.of(self.known[z[:, 0]], 2, SMALL.cutoff).statistics

    def inverse_transform(self, z, random_state, realize, shape=None):
        return self.realized[z[:, 0]]


@pytest.fixture(scope="module")
def realizer():
    windows = cut(SMALL, field((144, 144), 1), 0, most_training=40, most_held_out=30)
    test = Windows.of(windows.test, 2, SMALL.cutoff)
    return Realizer(SMALL, windows, test, 8, test.statistics.mean(0), 0)


def test_true_windows_are_alike_in_every_measure(realizer):
    row, structures = realizer.row("oracle", Oracle(realizer.windows.test, realizer.windows.test), "decoder")
    np.testing.assert_array_equal(structures, realizer.chosen.structures)
    assert len(structures) == 8
    assert (row["centred_all"], row["loss_all"], row["surface_error"]) == (0, 0, 0)
    assert (row["n_alike"], row["outside"]) == (len(MEASURED), [])


def test_copies_of_training_windows_are_found(realizer):
    copies = realizer.windows.training[np.arange(len(realizer.windows.test)) % 40]
    row, structures = realizer.row("copies", Oracle(realizer.windows.test, copies), "decoder")
    assert row["copying"] == 1
    assert row["n_copies"] == 8
    assert row["copying_true"] < 1
    # The shares computed once for all methods are those of the direct comparison.
    whole = resemblance(structures, realizer.windows.apart, realizer.windows.training, phases=2)
    assert row["diversity"] == pytest.approx(whole.diversity)
    assert row["copying_true"] == pytest.approx(whole.copying_true.mean())


def test_noise_is_not_the_material(realizer):
    noise = (np.random.default_rng(0).random(realizer.windows.test.shape) < 0.4).astype(np.uint8)
    row, _ = realizer.row("noise", Oracle(realizer.windows.test, noise), "decoder")
    assert {"specific_surface", "mean_chord_length", "pieces"} <= set(row["outside"])
    assert row["n_alike"] == len(MEASURED) - len(row["outside"])
    assert row["surface_error"] > 1
    # Statistics that are 10 % off are far better than those of noise.
    assert row["loss_all"] > 1


def test_pca_is_realized_by_phase_retrieval(realizer):
    pca = TwoPointPCA(3, periodic=False, cutoff=SMALL.cutoff).fit(realizer.windows.training)
    assert ways_to_realize(pca) == ("retrieval",)
    row, structures = realizer.row("PCA", pca, "retrieval")
    assert structures.shape == (8, 24, 24)
    z = pca.transform(realizer.chosen.structures)
    f, g = realizer.chosen.statistics, Windows.of(structures, 2, SMALL.cutoff).statistics
    mean = realizer.mean
    ratios = [
        np.median([np.linalg.norm(a - b) / np.linalg.norm(a - mean) for a, b in zip(f, other, strict=True)])
        for other in (g, np.asarray(pca.inverse_statistics(z)))
    ]
    assert row["loss_all"] == pytest.approx(ratios[0] / ratios[1], rel=1e-4)
    assert row["seconds"] > 0
