from __future__ import annotations

import pytest
import torch

from matvae_boxes.band import Band

SHAPES = [(12,), (9,), (16, 10), (7, 9), (6, 5, 8)]


def drawn(shape, middle, extent):
    """Draw boxes ``(sample, *space)`` voxel by voxel, as the fraction of each voxel that is inside."""
    whole = torch.ones(len(middle), *[1] * len(shape), dtype=torch.float64)
    for axis, n in enumerate(shape):
        low, high = (middle[:, axis] + side * extent[:, axis] / 2 for side in (-1, 1))
        profile = torch.zeros(len(middle), n, dtype=torch.float64)
        for image in (-1, 0, 1):
            for voxel in range(n):
                start = voxel + image * n
                profile[:, voxel] += (torch.minimum(high, torch.tensor(start + 1.0)) - low.clamp_min(start)).clamp_min(
                    0
                )
        whole = whole * profile.view(len(middle), *[-1 if a == axis else 1 for a in range(len(shape))])
    return whole


def boxes(shape, n=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sides = torch.tensor(shape, dtype=torch.float64)
    middle, extent = torch.rand(2, n, len(shape), generator=generator, dtype=torch.float64) * sides
    return middle, (0.8 * extent).clamp_min(0.3)


def kept(band, spectrum):
    for axis, n in enumerate(band.shape):
        spectrum = spectrum.index_select(axis + 1, band.get_buffer(f"frequency_{axis}") % n)
    return spectrum


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("most", [4, 5, 100])
def test_spectra_are_the_fourier_transforms_of_the_drawn_boxes(shape, most):
    band = Band(shape, most).double()
    middle, extent = boxes(shape)
    axes = tuple(range(1, 1 + len(shape)))
    slow = torch.fft.rfftn(drawn(shape, middle, extent), dim=axes, norm="ortho")
    torch.testing.assert_close(band.spectra(middle, extent), kept(band, slow), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(9,), (7, 9), (5, 5, 7)])
def test_distances_of_power_spectra_equal_those_of_the_statistics(shape):
    """By Parseval's theorem, this holds if all waves are kept and the numbers of voxels are odd."""
    band = Band(shape, 100).double()
    axes = tuple(range(1, 1 + len(shape)))
    pictures = [drawn(shape, *boxes(shape, seed=seed)) for seed in (0, 1)]
    spectra = [torch.fft.rfftn(picture, dim=axes, norm="ortho") for picture in pictures]
    f = [torch.fft.irfftn(spectrum.abs().square(), s=shape, dim=axes) for spectrum in spectra]
    target = band.power(torch.fft.fftshift(f[1], axes))
    n_voxels = f[0][0].numel()
    torch.testing.assert_close(
        band.distance(spectra[0], target), n_voxels * (f[0] - f[1]).square().flatten(1).sum(1), rtol=1e-6, atol=0
    )
    torch.testing.assert_close(band.norm(target), n_voxels * f[1].square().flatten(1).sum(1), rtol=1e-6, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("most", [5, 6])
def test_distances_at_all_positions_equal_those_at_each_position(shape, most):
    band = Band(shape, most).double()
    rest, target = (band.spectra(*boxes(shape, seed=seed)) for seed in (1, 2))
    power = target.abs().square()
    middle, extent = boxes(shape, seed=3)
    box = band.spectra(torch.zeros_like(middle), extent)
    fast = band.distance_everywhere(rest, box, power)
    assert fast.shape == (4, *band.points)
    for point in torch.cartesian_prod(*map(torch.arange, band.points)).view(-1, len(shape))[::3]:
        moved = box
        for axis, points in enumerate(band.points):
            phase = torch.exp(-2j * torch.pi * band.get_buffer(f"frequency_{axis}") * point[axis] / points)
            moved = moved * phase.view(-1, *[1] * (len(shape) - 1 - axis))
        torch.testing.assert_close(
            fast[(slice(None), *point)], band.distance(rest + moved, power), rtol=1e-6, atol=1e-6
        )


def test_power_is_invariant_under_translation_and_reflection():
    band = Band((16, 10), 8).double()
    middle, extent = boxes((16, 10))
    pair = band.spectra(middle, extent) + band.spectra(middle + 3, extent / 2)
    moved = band.spectra(middle + 2, extent) + band.spectra(middle + 5, extent / 2)
    mirrored = band.spectra(-middle, extent) + band.spectra(-middle - 3, extent / 2)
    for other in (mirrored, moved):
        torch.testing.assert_close(other.abs(), pair.abs(), rtol=0, atol=1e-6)


def test_gradients_match_finite_differences():
    band = Band((16, 10), 8).double()
    middle, extent = (values.requires_grad_() for values in boxes((16, 10)))
    power = band.spectra(*boxes((16, 10), seed=1)).abs().square()
    assert torch.autograd.gradcheck(lambda m, e: band.distance(band.spectra(m, e), power), (middle, extent))
