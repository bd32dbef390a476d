"""Refined structures are closer to the decoded statistics and keep the number of voxels of each phase."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.estimator import FittedModel, realizations
from matvae.estimator.realizations import check_phases_realized, check_realizations, check_search, realized, refined
from matvae.reconstruction import reconstruct
from matvae.stats import relative_error, two_point_stats


def errors(statistics: np.ndarray, structures: np.ndarray, **options) -> np.ndarray:
    return np.asarray(relative_error(statistics, two_point_stats(structures, **options)))


OPTIONS = [
    {},
    {"periodic": False, "cutoff": 3},
    {"phases": 3},
    {"phases": 3, "correlations": [(0, 0), (2, 2)], "cutoff": 2},
    {"threshold": 0.3},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_refinement_raises_no_error_and_lowers_the_mean(make_blobs, tiny, options: dict) -> None:
    X = make_blobs(30, phases=options.get("phases", 2))
    model = tiny(**options).fit(X)
    Z = model.transform(X)
    decoded = model.inverse_statistics(Z)
    before = model.inverse_transform(Z)
    after = refined(FittedModel.of(model), Z)
    assert after.dtype == np.uint8
    for phase in range(model.grid_.phases):
        np.testing.assert_array_equal((after == phase).sum((1, 2)), (before == phase).sum((1, 2)))
    statistic = {name: value for name, value in options.items() if name != "threshold"}
    statistic["phases"] = model.grid_.phases
    error, error_before = errors(decoded, after, **statistic), errors(decoded, before, **statistic)
    assert (error <= error_before + 1e-5).all()
    # Where a threshold has set wrong volume fractions, swaps can improve little.
    assert error.mean() < (1 if "threshold" in options else 0.95) * error_before.mean()
    # Refinement moves only a few voxels.
    assert 0 < np.mean(after != before) < 0.3


def test_realizations_all_have_the_statistics_and_volume_fraction_of_their_latent(X, fitted) -> None:
    Z = fitted.transform(X)[:10]
    moved = Z[:, None] + np.random.default_rng(0).normal(size=(10, 4, 2)).astype(np.float32)
    structures = refined(FittedModel.of(fitted), Z, moved)
    assert structures.shape == (10, 4, 8, 8)
    np.testing.assert_array_equal(
        structures.sum((2, 3)), np.repeat(fitted.inverse_transform(Z).sum((1, 2))[:, None], 4, axis=1)
    )
    decoded = np.repeat(fitted.inverse_statistics(Z), 4, axis=0)
    unrefined = fitted.inverse_transform(moved.reshape(40, 2))
    error = errors(decoded, structures.reshape(40, 8, 8), phases=2).mean()
    assert error < 0.9 * errors(decoded, unrefined, phases=2).mean()


def test_refinement_in_parts_equals_refinement_at_once(X, fitted, monkeypatch) -> None:
    Z = fitted.transform(X)
    expected = refined(FittedModel.of(fitted), Z, Z[:, None].repeat(2, axis=1))
    monkeypatch.setattr(realizations, "PART_BYTES", 4 * 64 * 2 * 7)
    assert np.mean(refined(FittedModel.of(fitted), Z, Z[:, None].repeat(2, axis=1)) != expected) < 0.02


def test_realization_in_parts_equals_realization_at_once(X, monkeypatch) -> None:
    f = two_point_stats(X)
    options = {"grid": Grid((8, 8)), "random_state": 3, "max_iter": 2}
    part_sizes = []

    def statistics(latents: np.ndarray) -> np.ndarray:
        part_sizes.append(len(latents))
        return f[latents[:, 0].astype(int)]

    monkeypatch.setattr(realizations, "PART_BYTES", 256 * 2 * 9)
    numbers = np.arange(5.0, 40.0)[:, None]
    in_parts = realized(statistics, numbers, row_bytes=256, n_realizations=2, first_sample=5, **options)
    assert part_sizes == [9, 9, 9, 8]
    whole = reconstruct(f, n_realizations=2, **options).structures
    assert np.mean(in_parts != whole[5:]) < 0.02


def test_invalid_options_are_refused() -> None:
    assert check_realizations(None) is None
    assert check_realizations(np.int64(3)) == 3
    for wrong in (0, True, 1.5, "2"):
        with pytest.raises(InputError, match="n_realizations must be"):
            check_realizations(wrong)
    with pytest.raises(InputError, match=r"refine=True makes structures .* continuous fields"):
        check_phases_realized(Grid((4, 4), phases=1), "refine=True")
    check_phases_realized(Grid((4, 4)), "refine=True")
    check_search(1e-3, 40, "cpu")
    with pytest.raises(InputError, match="tol"):
        check_search(float("nan"), 40, "cpu")
