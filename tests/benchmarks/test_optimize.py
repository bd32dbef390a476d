"""Accuracy and cost of inverse design with small models, compared with their targets."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np
import pytest

from matvae import StatsVAETransformer, two_point_stats
from matvae.data.datasets.grf import GaussianRandomField
from matvae.optimize import between, make_property, maximize, minimize, optimize_latents, reach
from matvae.optimize.geometry import CorrelationLength
from matvae.optimize.measuring import LatentDecoder
from matvae.optimize.region import Region
from matvae.optimize.statistics import StatisticsError
from matvae.stats import relative_error

from .materials import MATERIALS, halves, micrograph, windows

SIZE = 32
# Number of random latents from which the evaluations that a random search needs are estimated.
N_RANDOM = 5000


def row(quantity: str, figures: str, target: str) -> None:
    print(f"\n{quantity:<67} {figures:<68} target {target}", end="")


def fields(n: int, **options) -> np.ndarray:
    """Return Gaussian random fields with independent correlation lengths along y and x."""
    generator = GaussianRandomField((SIZE, SIZE), correlation_length_range=(2, 8), isotropic=False, **options)
    return np.stack([generator.sample(np.random.default_rng([0, k]))[0] for k in range(n)])


def fitted(X: np.ndarray, n_components: int, max_epochs: int) -> tuple[StatsVAETransformer, np.ndarray]:
    """Return a small fitted model, and the latents of its training structures."""
    model = StatsVAETransformer(n_components, decoder="dense", max_epochs=max_epochs, width=128, random_state=0).fit(X)
    return model, model.transform(X)


@pytest.fixture(scope="module")
def varied_fractions():
    X = fields(600, volume_fraction_range=(0.25, 0.75))
    return X, *fitted(X, n_components=4, max_epochs=40)


def test_volume_fraction_over_the_range_of_the_data(varied_fractions):
    X, model, latents = varied_fractions
    fractions = X.mean((1, 2))
    differences = []
    for target in np.linspace(fractions.min(), fractions.max(), 20):
        candidates = optimize_latents(
            model, reach("volume_fraction", target), latents=latents, n_candidates=1, random_state=0
        )
        differences.append(abs(candidates.achieved["volume_fraction"][0] - target))
    within = sum(difference <= 0.005 for difference in differences)
    figures = f"worst {max(differences):.4f}, median {median(differences):.4f}, {within} of 20 within 0.005"
    row("volume fraction, 20 targets: error of the achieved value", figures, "<= 0.005")
    assert np.isfinite(differences).all()


@pytest.mark.parametrize("name", MATERIALS)
def test_statistics_of_held_out_windows(shared_data, name):
    """The search starts from the statistics only, whereas the encoder reads the window."""
    train, held_out = (
        windows(half, n, SIZE) for half, n in zip(halves(micrograph(shared_data, name)), (500, 6), strict=True)
    )
    model, latents = fitted(train, n_components=9, max_epochs=25)
    f = two_point_stats(held_out)
    encoded = relative_error(f, two_point_stats(model.inverse_transform(model.transform(held_out))))
    searched = [
        optimize_latents(
            model, minimize(StatisticsError(target)), latents=latents, n_candidates=1, random_state=0
        ).structures[0]
        for target in f
    ]
    errors = relative_error(f, two_point_stats(np.stack(searched)))
    ratio = errors.mean() / encoded.mean()
    figures = f"{errors.mean():.3f} / {encoded.mean():.3f} = {ratio:.2f}"
    row(f"{name}, {SIZE} x {SIZE}: statistics error, search / encoder", figures, "<= 1.2")
    assert np.isfinite(ratio)


def test_effective_diffusivity_at_a_volume_fraction():
    """Measure on realizations that neither the search nor the ranking of candidates used."""
    pytest.importorskip("botorch")
    pytest.importorskip("matvae_taufactor")
    X = fields(400, volume_fractions=(0.35, 0.65))
    model, latents = fitted(X, n_components=4, max_epochs=40)
    diffusivity = make_property("effective_diffusivity")
    training_values = diffusivity.measure(X, model.grid_).values
    target, best = float(np.nanquantile(training_values, 0.75)), np.nanmax(training_values)
    for goal in (reach(diffusivity, target), maximize(diffusivity)):
        candidates = optimize_latents(
            model,
            goal,
            constraints=["volume_fraction=0.65+-0.01"],
            latents=latents,
            n_candidates=10,
            n_evaluations=48,
            random_state=0,
        )
        fresh = model.inverse_transform(candidates.latents[:1], n_realizations=32, random_state=1)[0]
        values, fraction = diffusivity.measure(fresh, model.grid_).values, fresh.mean()
        mean = np.nanmean(values)
        details = f"std {np.nanstd(values):.3f}, volume fraction {fraction:.3f}"
        if goal.target is not None:
            row(
                f"effective diffusivity {target:.3f}: relative difference",
                f"{100 * abs(mean - target) / target:.1f} % ({mean:.3f}, {details})",
                "<= 3 %",
            )
        else:
            row(
                "effective diffusivity, maximised / best training structure",
                f"{mean:.3f} / {best:.3f} = {mean / best:.2f} ({details})",
                "> 1, or the line above",
            )
        assert np.isfinite(mean)


def test_time_of_ten_candidates(varied_fractions):
    _, model, latents = varied_fractions
    start = perf_counter()
    candidates = optimize_latents(
        model,
        maximize("specific_surface"),
        constraints=[between("volume_fraction", 0.45, 0.55)],
        latents=latents,
        n_candidates=10,
        random_state=0,
    )
    seconds = perf_counter() - start
    row("10 candidates by gradient", f"{seconds:.1f} s, {candidates.feasible.sum()} of 10 feasible", "< 30 s")
    assert np.isfinite(seconds)


class OpaqueLength(CorrelationLength):
    """Correlation length without its gradient, as an example of a continuous property that requires a simulation."""

    name = "opaque"
    differentiable = False


@pytest.mark.parametrize("objective", ["maximum", "target"])
def test_evaluations_against_random_search(varied_fractions, objective):
    """Compare the evaluations up to the best value with the mean number of random latents up to one as good."""
    pytest.importorskip("botorch")
    _, model, latents = varied_fractions
    length, decoder = OpaqueLength(), LatentDecoder(model)
    drawn = Region.of_data(latents, latents.shape[1]).draw(N_RANDOM, np.random.default_rng(1))
    random_values = length.measure(decoder.structures(drawn), decoder.grid).values
    target = float(np.nanquantile(random_values, 0.8))
    goal = maximize(length) if objective == "maximum" else reach(length, target)

    def cost(values: np.ndarray) -> np.ndarray:
        return -values if objective == "maximum" else abs(values - target)

    ratios, numbers = [], []
    for seed in range(5):
        batches: list[np.ndarray] = []
        optimize_latents(
            model,
            goal,
            latents=latents,
            n_candidates=1,
            n_evaluations=32,
            random_state=seed,
            on_batch=lambda _, values, batches=batches: batches.append(values[:, 0]),
        )
        costs = cost(np.concatenate(batches))
        # If no random latent is as good, one more is assumed to be, which gives a lower bound on the ratio.
        expected = (N_RANDOM + 1) / ((cost(random_values) <= np.nanmin(costs)).sum() + 1)
        numbers.append((int(np.nanargmin(costs)) + 1, expected))
        ratios.append(expected / numbers[-1][0])
    figures = f"{median(ratios):.1f} ({', '.join(f'{b:.0f}/{a}' for a, b in numbers)})"
    row(f"random search / black box, {objective} correlation length: evaluations", figures, ">= 5")
    assert np.isfinite(ratios).all()
