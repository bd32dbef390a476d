"""Gradient-free search: Bayesian optimisation with Gaussian processes (BoTorch)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import MissingExtraError
from ..stats.map_samples import as_tensor
from .measuring import LatentDecoder, check_any_measured, measure_all
from .region import Region
from .task import Task
from .windows import OnBatch

# Number of latents that are proposed, and measured in parallel, at a time.
BATCH_SIZE = 4


@dataclass(frozen=True)
class BlackBoxSearch:
    """Bayesian optimisation of the cost of thresholded structures.

    Each property is modelled by its own Gaussian process, and the cost is evaluated on their samples (Astudillo &
    Frazier, "Bayesian optimization of composite functions", ICML 2019). Batches are chosen by expected improvement.

    Parameters
    ----------
    decoder : LatentDecoder
    task : Task
        Does not need a scale.
    region : Region
    """

    decoder: LatentDecoder
    task: Task
    region: Region

    def run(
        self,
        n_evaluations: int,
        rng: np.random.Generator,
        *,
        starts: Tensor | None = None,
        evaluated: tuple[np.ndarray, np.ndarray] | None = None,
        on_batch: OnBatch | None = None,
    ) -> tuple[Tensor, np.ndarray, list[str]]:
        """Propose and measure latents.

        Parameters
        ----------
        n_evaluations : int
            Total number of latents, including those of an earlier search.
        rng : Generator
        starts : Tensor ``(sample, component)``, optional
            Latents to measure in place of as many of the initial random ones.
        evaluated : (latents, values), optional
            ``(sample, component)`` and ``(sample, property)`` of an earlier search to continue. They replace as many
            of the initial random latents.
        on_batch : callable, optional
            Called with the latents and values of each batch.

        Returns
        -------
        Tensor ``(sample, component)``, ndarray ``(sample, property)``, list of str
            All latents, their values, and the reasons for missing values.

        Raises
        ------
        MissingExtraError
            If BoTorch is not installed.
        InputError
            If none of the initial latents has all properties.
        """
        _check_installed()
        n_components = self.region.points.shape[1]
        initial = self.region.draw(min(n_evaluations, 2 * (n_components + 1)), rng)
        if starts is not None:
            known = starts[: len(initial)]
            initial[: len(known)] = self.region.project(known)
        latents, values, reasons = initial[:0], np.empty((0, len(self.task.labels))), list[str]()
        if evaluated is not None:
            latents = as_tensor(np.asarray(evaluated[0], np.float32))
            # Copied, as torch cannot represent an array that is read-only.
            values = np.array(evaluated[1], dtype=np.float64)
        while len(latents) < n_evaluations:
            n = len(latents)
            if n < len(initial):
                batch = initial[n : n + BATCH_SIZE]
            else:
                check_any_measured(values, reasons)
                batch = self._propose(latents, values, min(BATCH_SIZE, n_evaluations - n), rng)
            batch_values, batch_reasons = measure_all(
                self.task.properties.values(), self.decoder.structures(batch), self.decoder.grid
            )
            latents, values = torch.cat([latents, batch]), np.concatenate([values, batch_values])
            reasons += batch_reasons
            if on_batch is not None:
                on_batch(batch.numpy(), batch_values)
        check_any_measured(values, reasons)
        return latents, values, reasons

    def _propose(self, latents: Tensor, values: np.ndarray, n: int, rng: np.random.Generator) -> Tensor:
        """Propose the next latents ``(n, component)``."""
        from botorch.acquisition import GenericMCObjective, qLogExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Normalize, Standardize
        from botorch.optim import optimize_acqf
        from botorch.sampling import SobolQMCNormalSampler
        from gpytorch.mlls import ExactMarginalLogLikelihood

        is_measured = torch.from_numpy(np.isfinite(values).all(1))
        task = self.task.scaled_by(values)
        # With several goals, random weights direct each batch to another part of the Pareto front.
        weights = torch.from_numpy(rng.dirichlet(np.ones(len(task.goals)))) if len(task.goals) > 1 else None
        targets = torch.from_numpy(values.copy())
        costs = task.cost(targets[is_measured], weights)
        # A failed measurement gets the worst measured values, so that the search avoids its surroundings.
        targets[~is_measured] = targets[is_measured][costs.argmax()]
        inputs = (latents / self.region.scale).double()
        points = self.region.points / self.region.scale
        bounds = torch.stack([points.amin(0) - self.region.radius, points.amax(0) + self.region.radius]).double()
        seed = int(rng.integers(2**31))
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            # Fits that stop early and repeated latents only make a proposal less efficient.
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            model = SingleTaskGP(
                inputs,
                targets,
                input_transform=Normalize(inputs.shape[1], bounds=bounds),
                outcome_transform=Standardize(targets.shape[1]),
            )
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            acquisition = qLogExpectedImprovement(
                model,
                best_f=-costs.min(),
                objective=GenericMCObjective(lambda samples, X=None: -task.cost(samples, weights)),
                sampler=SobolQMCNormalSampler(torch.Size([64]), seed=seed),
            )
            proposals, _ = optimize_acqf(
                acquisition,
                bounds,
                q=n,
                num_restarts=4,
                raw_samples=64,
                options={"maxiter": 50, "batch_limit": 4},
            )
        return self.region.project(proposals.float() * self.region.scale)


def _check_installed() -> None:
    try:
        import botorch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "The search for a property without a gradient requires BoTorch, which is not installed. Install the extra: "
            "pip install 'matvae[optimize]'."
        ) from error
