from __future__ import annotations

import pytest
import torch

from matvae.model.coarse import coarsen
from matvae.model.decoders.separable import RANK, SeparableDecoder, few_products


@pytest.mark.parametrize(("shape", "phases"), [((13,), 2), ((5, 8), 4), ((3, 4, 5), 2), ((6, 6), 1)])
def test_the_field_is_the_sum_of_products_of_profiles(make_spec, shape, phases):
    spec = make_spec(shape, phases=phases)
    decoder = SeparableDecoder(spec).double()
    z = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    flat = decoder.layers(z).view(2, spec.channels, RANK, sum(shape))
    profiles = flat.split(shape, dim=-1)
    letters = "zyx"[: len(shape)]
    slow = torch.einsum(",".join("sck" + a for a in letters) + "->sc" + letters, *profiles)
    scale = 1 if len(shape) == 1 else RANK**0.5
    out = decoder(z)
    assert out.shape == (2, spec.channels, *shape)
    torch.testing.assert_close(out * scale, slow)


@pytest.mark.parametrize("factors", [(2, 4), (1, 2), (2, 1)])
def test_coarse_profiles_are_means_of_the_fine_ones(make_spec, factors):
    decoder = SeparableDecoder(make_spec((6, 8))).double()
    z = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # A mean of products of profiles, each constant or not, is the product of their means.
    torch.testing.assert_close(decoder(z, factors), coarsen(decoder(z), factors))


def test_the_coarse_stage_trains_every_weight_of_the_fine_one(make_spec):
    decoder = SeparableDecoder(make_spec((6, 8)))
    decoder(torch.ones(1, 3), (2, 4)).square().sum().backward()
    last = decoder.layers[-1]
    assert (last.weight.grad.abs().sum(1) > 0).all()


def test_its_outputs_grow_with_the_sides(make_spec):
    assert SeparableDecoder(make_spec((20, 30))).layers[-1].out_features == RANK * 50


def test_bars_are_sums_of_few_products_and_discs_are_not():
    bars = torch.zeros(4, 40, 40, dtype=torch.uint8)
    for k in range(4):
        bars[k, 3 + k, 5:30] = 1
        bars[k, 10:35, 20:23] = 1
    assert few_products(bars)
    noise = torch.randint(2, (4, 40, 40), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert not few_products(noise)
    y, x = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    discs = sum((y - a) ** 2 + (x - b) ** 2 <= 30 for a, b in [(8, 9), (25, 12), (14, 30), (31, 31)])
    assert not few_products(discs.clamp(max=1).unsqueeze(0))


def test_structures_without_a_voxel_of_the_phase_need_no_products():
    assert few_products(torch.zeros(2, 40, 40, dtype=torch.uint8))


def test_of_small_images_nothing_is_said():
    assert not few_products(torch.zeros(2, 31, 40, dtype=torch.uint8))
