from __future__ import annotations

import pytest
import torch

from matvae.model import search_latents, volume_fraction_labels
from matvae.model.objective import trained_distance
from matvae.stats import relative_error


def thresholded_error(module, z, target):
    fields = module.fields(volume_fraction_labels(module.decode(z)))
    return relative_error(target, module.statistics(fields))


def latents(n=6, seed=0):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("model", [{"decoder": "dense"}, {"decoder": "separable", "coarse": (2, 2)}])
def test_the_error_never_increases_and_falls_from_an_inaccurate_start(make_module, model):
    module = make_module((8, 8), width=32, **model).eval().requires_grad_(False)
    if model["decoder"] == "separable":
        # Profiles of an untrained decoder hardly depend on the latent; larger weights make them differ.
        module.decoder.layers[-1].weight *= 6
    truth = latents()
    target = module.statistics(module.fields(volume_fraction_labels(module.decode(truth))))
    start = truth + 0.3 * latents(seed=1)
    refined = search_latents(module, start, target, 60)
    before, after = (thresholded_error(module, z, target) for z in (start, refined))
    assert (after <= before).all()
    assert after.mean() < 0.8 * before.mean()


def test_each_sample_is_independent_of_the_others_in_the_batch(make_module):
    module = make_module((8, 8), width=32).double().eval().requires_grad_(False)
    truth = latents().double()
    target = module.statistics(module.decode(truth))
    start = truth + 0.3 * latents(seed=1).double()
    together = search_latents(module, start, target, 20)
    alone = torch.cat([search_latents(module, start[i : i + 1], target[i : i + 1], 20) for i in range(len(start))])
    torch.testing.assert_close(together, alone)


def test_latents_that_cannot_be_improved_are_unchanged(make_module):
    module = make_module((8, 8), width=32).eval().requires_grad_(False)
    start = latents()
    target = module.statistics(module.fields(volume_fraction_labels(module.decode(start))))
    assert torch.equal(search_latents(module, start, target, 20), start)


def test_a_continuous_field_is_searched_without_a_threshold(make_module):
    module = make_module((8, 8), phases=1, pairs=((0, 0),), width=32).eval().requires_grad_(False)
    truth = latents()
    target = module.statistics(module.decode(truth))
    start = truth + 0.3 * latents(seed=1)
    refined = search_latents(module, start, target, 60)
    errors = [relative_error(target, module.statistics(module.decode(z))).mean() for z in (start, refined)]
    assert errors[1] < 0.5 * errors[0]


def test_the_search_minimises_the_trained_distance(make_module):
    module = make_module((16, 16), width=32).eval().requires_grad_(False)
    truth = latents()
    target = module.statistics(module.fields(volume_fraction_labels(module.decode(truth))))
    start = truth + 0.5 * latents(seed=1)

    def distances(z, short_range):
        reconstructed = module.statistics(module.fields(volume_fraction_labels(module.decode(z))))
        return trained_distance(module, target, reconstructed, (16, 16), short_range)

    for short_range in (0.0, 3.0):
        refined = search_latents(module, start, target, 40, short_range=short_range)
        assert (distances(refined, short_range) <= distances(start, short_range)).all()
    # The refined latents depend on the weight of the short-range loss.
    assert not torch.equal(refined, search_latents(module, start, target, 40))
