from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.model.coarse import coarsen
from matvae.model.decoders.separable import BARS, SHARPNESS, SeparableDecoder, _between, few_products


def latents(n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("shape", "phases"), [((13,), 2), ((5, 8), 4), ((3, 4, 5), 2), ((6, 6), 1), ((70, 20), 2)])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_field_is_the_sum_of_products_of_interpolated_level_sets(make_spec, shape, phases, periodic):
    spec = make_spec(shape, phases=phases, periodic=periodic)
    decoder = SeparableDecoder(spec).double()
    z = latents()
    logits = SHARPNESS * decoder.layers(z).detach().numpy()
    slow = np.zeros((2, spec.channels, *shape))
    strengths = 1 / (1 + np.exp(-logits[:, -spec.channels * BARS * len(shape) :]))
    strengths = strengths.reshape(2, spec.channels, len(shape), BARS)
    letters, at = "zyx"[: len(shape)], 0
    for along in range(len(shape)):
        profiles = []
        for axis, n in enumerate(shape):
            count = min(n, 16 if axis == along and len(shape) > 1 else 64)
            size = spec.channels * BARS * count
            points = logits[:, at : at + size].reshape(-1, count)
            at += size
            # Points are at the centres of the blocks into which the side is divided.
            places = (np.arange(count) + 0.5) * n / count - 0.5
            period = n if periodic else None
            lines = [np.interp(np.arange(n), places, row, period=period) for row in points]
            profiles.append(1 / (1 + np.exp(-np.reshape(lines, (2, spec.channels, BARS, n)))))
        terms = ",".join("sck" + a for a in letters)
        slow += np.einsum(f"sck,{terms}->sc{letters}", strengths[:, :, along], *profiles)
    assert at + strengths[0].size == logits.shape[1]
    np.testing.assert_allclose(decoder(z).detach().numpy(), slow, rtol=1e-6)


@pytest.mark.parametrize("factors", [(2, 4), (1, 2), (2, 1)])
def test_coarse_fields_are_block_means_of_fine_fields(make_spec, factors):
    decoder = SeparableDecoder(make_spec((6, 8))).double()
    torch.testing.assert_close(decoder(latents(), factors), coarsen(decoder(latents()), factors))


def test_the_coarse_stage_trains_every_weight_of_the_last_layer(make_spec):
    decoder = SeparableDecoder(make_spec((6, 8)))
    decoder(torch.ones(1, 3), (2, 4)).square().sum().backward()
    last = decoder.layers[-1]
    assert (last.weight.grad.abs().sum(1) > 0).all()


@pytest.mark.parametrize("start", [40.4, 43.7, 0.2])
def test_edges_may_lie_anywhere_between_points(start):
    """A bar of 3 voxels on 16 points that are 14 voxels apart: interpolated logits cross zero at its edges."""
    n, count = 224, 16
    places = (np.arange(count) + 0.5) * n / count - 0.5
    left = int(np.floor((start - places[0]) / (n / count)))
    # The line through the logits at the two points next to the left edge is zero there.
    logits = np.zeros(count)
    share = (start - (places[0] + left * n / count)) / (n / count)
    logits[left % count], logits[(left + 1) % count] = -share, 1 - share
    profile = _between(n, count, periodic=True).numpy() @ logits
    inside = np.arange(np.ceil(start), np.ceil(start) + 3).astype(int) % n
    outside = np.arange(np.ceil(start) - 3, np.ceil(start)).astype(int) % n
    assert (profile[inside] >= 0).all()
    assert (profile[outside] <= 0).all()


def test_the_number_of_outputs_is_bounded_for_large_images(make_spec):
    assert SeparableDecoder(make_spec((64, 64))).layers[-1].out_features == 2 * BARS * (16 + 64 + 1)
    assert SeparableDecoder(make_spec((224, 500))).layers[-1].out_features == 2 * BARS * (16 + 64 + 1)


def test_fractions_of_overlapping_bars_sum_to_one_and_keep_a_gradient(make_module):
    module = make_module((6, 6), phases=3, decoder="separable").double()
    with torch.no_grad():
        module.decoder.layers[-1].bias.fill_(5.0)
    z = latents().requires_grad_()
    decoded = module.eval().decode(z)
    torch.testing.assert_close(decoded.sum(1), torch.ones_like(decoded[:, 0]))
    assert (decoded[:, 0].abs() < 1e-12).all()
    assert (decoded >= -1e-12).all()
    # In training the sum of all bars still has a gradient.
    (gradient,) = torch.autograd.grad(module.train().decode(z)[:, 1:].sum(), module.decoder.layers[-1].bias)
    assert (gradient > 0).all()


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


def test_small_images_are_not_classified_as_sums_of_few_products():
    assert not few_products(torch.zeros(2, 31, 40, dtype=torch.uint8))
