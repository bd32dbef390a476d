"""Encoder of the statistics decoder: the nearest latent and the standard deviation of its posterior."""

from __future__ import annotations

import torch

from matvae.model.manifold import jacobian

from ..decoders.test_statistics import make


def fitted(order: int, noise: float = 0.01):
    """Return a model that maps latents to known scores, with white sampling noise in the scores."""
    module = make(order)
    decoder, encoder = module.statistics_decoder, module.encoder
    components = torch.linalg.qr(torch.randn(25, 4, generator=torch.Generator().manual_seed(0)))[0].T
    decoder.learn_components(torch.rand(25), components, torch.ones(25), unit=1.0)
    decoder.coefficients.zero_()
    decoder.coefficients[1, 0], decoder.coefficients[2, 1] = 1.0, 0.5
    if order == 2:
        # The third score is the square of the first latent.
        decoder.coefficients[3, 2] = 0.2
    decoder.noise_precision.copy_(torch.eye(4) / noise)
    z = torch.randn(400, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    encoder.learn_start(decoder.scores(decoder(z)), z, order)
    return module


def test_the_encoder_inverts_the_decoder() -> None:
    z = torch.tensor([[0.5, -1.0], [-2.0, 1.5]])
    for order in (1, 2):
        module = fitted(order)
        mean, _ = module.encode(module.decoded_statistics(z), None)
        # At first order latents are in units of the standard deviation of a sample of finite size.
        torch.testing.assert_close(mean, z, atol=1e-3 if order == 2 else 0.3, rtol=0)


def test_the_posterior_variance_is_that_of_the_laplace_approximation() -> None:
    module = fitted(1, noise=0.01)
    z = torch.zeros(1, 2)
    _, log_variance = module.encode(module.decoded_statistics(z), None)
    slopes = torch.tensor([1.0, 0.5])
    torch.testing.assert_close(log_variance.exp()[0], 1 / (1 + slopes.square() / 0.01))


def test_the_posterior_variance_without_information_is_that_of_the_prior() -> None:
    module = fitted(2, noise=1e9)
    _, log_variance = module.encode(module.decoded_statistics(torch.randn(3, 2)), None)
    torch.testing.assert_close(log_variance, torch.zeros(3, 2), atol=1e-5, rtol=0)


def test_latents_moved_by_one_standard_deviation_change_the_scores_by_the_sampling_noise() -> None:
    module = fitted(2, noise=1e-4)
    z = torch.tensor([[0.2, 0.3]])
    _, log_variance = module.encode(module.decoded_statistics(z), None)
    slopes = jacobian(z.double(), module.statistics_decoder.coefficients, 2)[0]
    change = slopes * (0.5 * log_variance[0]).exp().unsqueeze(1)
    torch.testing.assert_close(change.norm(dim=1), torch.full((2,), 0.01, dtype=torch.float64), rtol=0.02, atol=0)
