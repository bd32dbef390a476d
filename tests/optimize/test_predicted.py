"""Predictions follow the decoder, or a polynomial of training windows, and have a gradient."""

from __future__ import annotations

import numpy as np
import torch

from matvae.optimize import between, maximize
from matvae.optimize.predicted import Surrogate, TextureDecoder
from matvae.optimize.task import Task
from matvae.optimize.windows import TrainingWindows

Z = torch.randn((5, 2), generator=torch.Generator().manual_seed(0))
TASK = Task.of([maximize("correlation_length")], [between("volume_fraction", 0.4, 0.6), between("specific_surface", 0)])


def decoder_of(model):
    windows = TrainingWindows.of(model).measured(TASK, model.grid_, 10)
    return TextureDecoder.of(model, TASK.properties, windows), windows


def test_a_polynomial_of_second_order_is_recovered():
    z = np.random.default_rng(0).standard_normal((400, 2))
    values = 3 + z[:, 0] - 2 * z[:, 1]
    values[0] = np.nan
    surrogate = Surrogate.of(z, values)
    np.testing.assert_allclose(surrogate(torch.from_numpy(z[:5])), 3 + z[:5, 0] - 2 * z[:5, 1], atol=1e-2)
    assert surrogate.order == 2
    # 6 terms need 18 windows.
    assert [Surrogate.of(z[:n], values[:n]).order for n in (18, 19)] == [1, 2]


def test_decoded_descriptors_are_used_as_they_are(texture_model):
    decoder, windows = decoder_of(texture_model)
    assert set(decoder.surrogates) == {"correlation_length"}
    values = decoder.soft_values(TASK.properties, Z)
    decoded = texture_model.inverse_descriptors(Z.numpy())
    np.testing.assert_allclose(values[:, 0], decoded["volume_fraction"][:, 1], rtol=1e-5)
    np.testing.assert_allclose(values[:, 1], decoded["surface_area"][:, 1], rtol=1e-5)
    # The correlation length of windows is known to their own latents only in part.
    predicted = decoder.soft_values(TASK.properties, torch.from_numpy(windows.latents))[:, 2].numpy()
    assert np.corrcoef(predicted, windows.values[:, 2])[0, 1] > 0.5
    assert decoder.predicts(TASK.properties)
    assert not TextureDecoder(texture_model).predicts(TASK.properties)


def test_predictions_have_a_gradient(texture_model):
    decoder, _ = decoder_of(texture_model)
    z = Z.clone().requires_grad_()
    values = decoder.soft_values(TASK.properties, z)
    for k in range(3):
        (gradient,) = torch.autograd.grad(values[:, k].sum(), z, retain_graph=True)
        step = 1e-2
        plus, minus = (
            decoder.soft_values(TASK.properties, Z + sign * step * torch.eye(2)[0])[:, k] for sign in (1, -1)
        )
        np.testing.assert_allclose(gradient[:, 0], ((plus - minus) / (2 * step)).detach(), atol=1e-3)


def test_realizations_are_those_of_the_model(texture_model):
    decoder = TextureDecoder(texture_model)
    realizations = decoder.realizations(Z[:2], 3, 7)
    np.testing.assert_array_equal(
        realizations, texture_model.inverse_transform(Z[:2].numpy(), n_realizations=3, random_state=7)
    )
    assert (realizations[0, 0] != realizations[0, 1]).mean() > 0.1
    np.testing.assert_array_equal(decoder.shown(Z[:2], realizations), realizations[:, 0])
    assert decoder.structures(Z[:2]).shape == (2, 16, 16)
