"""Refined structures are closer to what was decoded, with the voxels of each phase as they were."""

from __future__ import annotations

import numpy as np
import pytest

from matvae import Grid
from matvae.errors import InputError
from matvae.estimator import FittedModel, realizations
from matvae.estimator.realizations import check_phases_realized, check_realizations, check_search, realized, refined
from matvae.reconstruction import reconstruct
from matvae.stats import relative_error, two_point_stats


def errors(wanted: np.ndarray, structures: np.ndarray, **options) -> np.ndarray:
    return np.asarray(relative_error(wanted, two_point_stats(structures, **options)))


OPTIONS = [
    {},
    {"periodic": False, "cutoff": 3},
    {"phases": 3},
    {"phases": 3, "correlations": [(0, 0), (2, 2)], "cutoff": 2},
    {"threshold": 0.3},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_no_structure_gets_worse_and_most_get_better(make_blobs, tiny, options: dict) -> None:
    X = make_blobs(30, phases=options.get("phases", 2))
    model = tiny(**options).fit(X)
    Z = model.transform(X)
    wanted = model.inverse_statistics(Z)
    before = model.inverse_transform(Z)
    after = refined(FittedModel.of(model), Z)
    assert after.dtype == np.uint8
    for phase in range(model.grid_.phases):
        np.testing.assert_array_equal((after == phase).sum((1, 2)), (before == phase).sum((1, 2)))
    statistic = {name: value for name, value in options.items() if name != "threshold"}
    statistic["phases"] = model.grid_.phases
    e, start = errors(wanted, after, **statistic), errors(wanted, before, **statistic)
    assert (e <= start + 1e-5).all()
    # A threshold that leaves wrong volume fractions leaves swaps little to gain.
    assert e.mean() < (1 if "threshold" in options else 0.95) * start.mean()
    # Few voxels had to move.
    assert 0 < np.mean(after != before) < 0.3


def test_realizations_all_have_the_statistics_and_volume_fraction_of_their_latent(X, fitted) -> None:
    Z = fitted.transform(X)[:10]
    moved = Z[:, None] + np.random.default_rng(0).normal(size=(10, 4, 2)).astype(np.float32)
    made = refined(FittedModel.of(fitted), Z, moved)
    assert made.shape == (10, 4, 8, 8)
    np.testing.assert_array_equal(
        made.sum((2, 3)), np.repeat(fitted.inverse_transform(Z).sum((1, 2))[:, None], 4, axis=1)
    )
    wanted = np.repeat(fitted.inverse_statistics(Z), 4, axis=0)
    unrefined = fitted.inverse_transform(moved.reshape(40, 2))
    reached = errors(wanted, made.reshape(40, 8, 8), phases=2).mean()
    assert reached < 0.9 * errors(wanted, unrefined, phases=2).mean()


def test_parts_change_nothing(X, fitted, monkeypatch) -> None:
    Z = fitted.transform(X)
    expected = refined(FittedModel.of(fitted), Z, Z[:, None].repeat(2, axis=1))
    monkeypatch.setattr(realizations, "PART_BYTES", 4 * 64 * 2 * 7)
    assert np.mean(refined(FittedModel.of(fitted), Z, Z[:, None].repeat(2, axis=1)) != expected) < 0.02


def test_statistics_are_realized_part_by_part_as_at_once(X, monkeypatch) -> None:
    f = two_point_stats(X)
    options = {"grid": Grid((8, 8)), "random_state": 3, "max_iter": 2}
    seen = []

    def statistics(latents: np.ndarray) -> np.ndarray:
        seen.append(len(latents))
        return f[latents[:, 0].astype(int)]

    monkeypatch.setattr(realizations, "PART_BYTES", 256 * 2 * 9)
    numbers = np.arange(5.0, 40.0)[:, None]
    found = realized(statistics, numbers, row_bytes=256, n_realizations=2, first_sample=5, **options)
    assert seen == [9, 9, 9, 8]
    whole = reconstruct(f, n_realizations=2, **options).structures
    assert np.mean(found != whole[5:]) < 0.02


def test_what_makes_no_sense_is_refused() -> None:
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
