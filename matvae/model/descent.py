"""Gradient descent in a few variables per sample, for many samples at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def descend(
    error_of: Callable[..., Tensor], start: Sequence[Tensor], rates: Sequence[float], steps: int
) -> list[Tensor]:
    """Minimise the error of each sample by Adam, with a step size that falls to zero along a cosine.

    Parameters
    ----------
    error_of : callable
        Maps tensors of the shapes of `start`, ``(sample, ...)``, to errors ``(sample,)``; each error depends only on
        its own sample.
    start : sequence of Tensor
        Initial variables.
    rates : sequence of float
        Initial step size of each variable.
    steps : int

    Returns
    -------
    list of Tensor
        Variables after the last step.
    """
    with torch.enable_grad():
        variables = [variable.detach().clone().requires_grad_() for variable in start]
        optimizer = torch.optim.Adam(
            [{"params": [variable], "lr": rate} for variable, rate in zip(variables, rates, strict=True)]
        )
        for step in range(steps):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
            gradients = torch.autograd.grad(error_of(*variables).sum(), variables)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.grad = gradient
            optimizer.step()
    return [variable.detach() for variable in variables]
