"""A walk changes one component at a time, and starts at a real structure."""

from __future__ import annotations

import numpy as np

from matvae.evaluate.walks import central_latent, walk

STEPS = (-2.0, 0.0, 1.0)


def test_a_walk_changes_one_component_by_standard_deviations(model, unseen):
    z = model.transform(unseen.data.compute())
    along = walk(model, z, steps=STEPS, n_components=2)
    deviations = z.std(0)
    assert along.components.tolist() == np.argsort(-deviations).tolist()[:2]
    assert along.steps.tolist() == list(STEPS)
    assert along.structures.shape == (2, 3, 8, 8)
    for row, component in enumerate(along.components):
        for column, step in enumerate(STEPS):
            point = central_latent(z).copy()
            point[component] += np.float32(step) * deviations[component]
            np.testing.assert_array_equal(along.structures[row, column], model.inverse_transform(point[None])[0])


def test_all_walks_start_at_the_reconstruction_of_a_real_structure(model, unseen):
    z = model.transform(unseen.data.compute())
    starts = walk(model, z, steps=STEPS, n_components=9).structures[:, 1]
    assert len(starts) == 3
    assert (starts == starts[0]).all()
    assert any((starts[0] == structure).all() for structure in model.inverse_transform(z))


def test_the_common_start_is_decoded_once():
    class Counting:
        def inverse_transform(self, Z, random_state=None):
            self.latents = Z
            return Z

    decoder, z = Counting(), np.random.default_rng(0).standard_normal((20, 3))
    along = walk(decoder, z, steps=STEPS, n_components=3)
    assert len(decoder.latents) == 3 * 2 + 1
    np.testing.assert_array_equal(along.structures[:, 1], np.tile(central_latent(z), (3, 1)))
    assert (along.structures[0, 2] != central_latent(z)).tolist() == (np.arange(3) == along.components[0]).tolist()


def test_the_start_is_nearest_to_the_median_in_standard_deviations():
    # The median (0, 0) belongs to no sample; the first component varies a hundred times as much.
    z = np.array([[0.0, 1.0], [50.0, 0.0], [0.0, -1.0], [-100.0, 0.0], [100.0, 0.0]])
    assert central_latent(z).tolist() == [50.0, 0.0]
    # A component that does not vary at all decides nothing.
    assert central_latent(np.column_stack([z, np.ones(5)])).tolist() == [50.0, 0.0, 1.0]
