"""Search without gradients: a Gaussian process of what was measured says where to measure next (BoTorch)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, MissingExtraError
from ..stats.map_samples import as_tensor
from .measuring import Decoder, measure_all
from .region import Region
from .task import Task

# Latents that are measured at a time, in parallel.
BATCH = 4

OnBatch = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class BlackBoxSearch:
    """Bayesian optimisation of the cost of thresholded structures.

    Each property has a Gaussian process of its own, and the cost is taken of their samples (Astudillo & Frazier,
    "Bayesian optimization of composite functions", ICML 2019), by expected improvement of a batch.

    Parameters
    ----------
    decoder : Decoder
    task : Task
        Need not be scaled.
    region : Region
    """

    decoder: Decoder
    task: Task
    region: Region

    def run(
        self,
        n_evaluations: int,
        rng: np.random.Generator,
        *,
        evaluated: tuple[np.ndarray, np.ndarray] | None = None,
        on_batch: OnBatch | None = None,
    ) -> tuple[Tensor, np.ndarray, list[str]]:
        """Measure so many latents.

        Parameters
        ----------
        n_evaluations : int
            Those that were evaluated before included.
        rng : Generator
        evaluated : (latents, values), optional
            ``(sample, component)`` and ``(sample, property)`` of an earlier search, whose first random numbers are
            skipped.
        on_batch : callable, optional
            Called with the latents and values of each batch.

        Returns
        -------
        Tensor ``(sample, component)``, ndarray ``(sample, property)``, list of str
            All that were evaluated, their values, and the reasons of missing values.

        Raises
        ------
        MissingExtraError
            If BoTorch is not installed.
        InputError
            If none of the first latents has the properties.
        """
        _check_installed()
        n_components = self.region.points.shape[1]
        first = self.region.draw(min(n_evaluations, 2 * (n_components + 1)), rng)
        latents, values, reasons = first[:0], np.empty((0, len(self.task.labels))), list[str]()
        if evaluated is not None:
            latents, values = as_tensor(np.asarray(evaluated[0], np.float32)), np.asarray(evaluated[1])
        while len(latents) < n_evaluations:
            if len(latents) >= len(first):
                _check_any(values, reasons)
            n, left = len(latents), n_evaluations - len(latents)
            fresh = first[n : n + BATCH] if n < len(first) else self._propose(latents, values, min(BATCH, left), rng)
            found, why = measure_all(
                list(self.task.properties.values()), self.decoder.structures(fresh), self.decoder.grid
            )
            latents, values = torch.cat([latents, fresh]), np.concatenate([values, found])
            reasons += why
            if on_batch is not None:
                on_batch(fresh.numpy(), found)
        _check_any(values, reasons)
        return latents, values, reasons

    def _propose(self, latents: Tensor, values: np.ndarray, n: int, rng: np.random.Generator) -> Tensor:
        """The next latents ``(n, component)``."""
        from botorch.acquisition import GenericMCObjective, qLogExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Normalize, Standardize
        from botorch.optim import optimize_acqf
        from botorch.sampling import SobolQMCNormalSampler
        from gpytorch.mlls import ExactMarginalLogLikelihood

        known = np.isfinite(values).all(1)
        task = self.task.scaled_by(values)
        # With several goals each batch looks at another part of their front.
        weights = torch.from_numpy(rng.dirichlet(np.ones(len(task.goals)))) if len(task.goals) > 1 else None
        targets = torch.from_numpy(values.copy())
        costs = task.cost(targets[torch.from_numpy(known)], weights)
        # What could not be measured counts as the worst that could, so the search keeps away from it.
        targets[torch.from_numpy(~known)] = targets[torch.from_numpy(known)][costs.argmax()]
        places = (latents / self.region.unit).double()
        points = self.region.points / self.region.unit
        bounds = torch.stack([points.amin(0) - self.region.radius, points.amax(0) + self.region.radius]).double()
        seed = int(rng.integers(2**31))
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            # Fits that end early and repeated latents only make a proposal less clever.
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            model = SingleTaskGP(
                places,
                targets,
                input_transform=Normalize(places.shape[1], bounds=bounds),
                outcome_transform=Standardize(targets.shape[1]),
            )
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            acquisition = qLogExpectedImprovement(
                model,
                best_f=-costs.min(),
                objective=GenericMCObjective(lambda samples, X=None: -task.cost(samples, weights)),
                sampler=SobolQMCNormalSampler(torch.Size([64]), seed=seed),
            )
            found, _ = optimize_acqf(
                acquisition,
                bounds,
                q=n,
                num_restarts=4,
                raw_samples=64,
                options={"maxiter": 50, "batch_limit": 4},
            )
        return self.region.project(found.float() * self.region.unit)


def _check_any(values: np.ndarray, reasons: list[str]) -> None:
    if not np.isfinite(values).all(1).any():
        why = f": {'; '.join(sorted(set(reasons)))}" if reasons else ""
        raise InputError(
            f"None of the first {len(values)} structures has all properties{why}. Choose another property, or a model "
            "of structures that have it."
        )


def _check_installed() -> None:
    try:
        import botorch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "A property without a gradient is searched for with BoTorch, which is not installed. Install the extra: "
            "pip install 'matvae[optimize]'."
        ) from error
