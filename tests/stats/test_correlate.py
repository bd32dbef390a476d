from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matvae.errors import InputError
from matvae.stats import correlate
from matvae.stats.correlate import pair_counts, transform_shape

from ..structures import one_hot
from .oracle import direct_statistics

SHAPES = [(1,), (2,), (7,), (8,), (5, 6), (6, 4), (1, 5), (3, 4, 5), (2, 3, 2)]


def states_first(states: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.moveaxis(states, -1, 1))


@st.composite
def problems(draw: st.DrawFn) -> dict:
    space = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    periodic = draw(st.booleans())
    largest_cutoffs = [(n - 1) // 2 if periodic else n - 1 for n in space]
    cutoff_per_axis = st.tuples(*(st.integers(0, top) for top in largest_cutoffs))
    phases = draw(st.integers(1, 4))
    state = st.integers(0, phases - 1)
    return {
        "space": space,
        "phases": phases,
        "periodic": periodic,
        "cutoff": draw(st.one_of(st.none(), st.integers(0, min(largest_cutoffs)), cutoff_per_axis)),
        "pairs": draw(st.lists(st.tuples(state, state), min_size=1, max_size=5)),
        "mask": draw(st.sampled_from([None, "shared", "per sample"])),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


@settings(max_examples=60, deadline=None)
@given(problems())
def test_fourier_transforms_equal_the_direct_sum(problem):
    rng = np.random.default_rng(problem["seed"])
    states = rng.normal(size=(2, *problem["space"], problem["phases"]))
    mask = None
    if problem["mask"]:
        mask = rng.uniform(0.1, 1, (2, *problem["space"])[problem["mask"] == "shared" :])
    window = {"periodic": problem["periodic"], "cutoff": problem["cutoff"]}
    expected = direct_statistics(states, problem["pairs"], mask=mask, **window)
    weights = None if mask is None else torch.from_numpy(mask)
    double = correlate(states_first(states), tuple(problem["pairs"]), mask=weights, **window)
    single = correlate(states_first(states).float(), tuple(problem["pairs"]), mask=weights, **window)
    assert double.dtype == torch.float64
    assert single.dtype == torch.float32
    np.testing.assert_allclose(double, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(single, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("periodic", [True, False])
def test_statistics_of_indicators_are_the_exact_fraction_of_pairs(space, periodic):
    states = one_hot(np.random.default_rng(0).integers(0, 3, (2, *space)), 3)
    pairs = ((0, 0), (1, 2), (2, 1))
    exact = direct_statistics(states, pairs, periodic=periodic)
    fields = states_first(states).float()
    f = correlate(fields, pairs, periodic=periodic, indicator=True)
    np.testing.assert_array_equal(f, exact.astype(np.float32))
    np.testing.assert_allclose(correlate(fields, pairs, periodic=periodic), f, atol=1e-6)


def test_lags_with_few_pairs_are_exact_for_indicators():
    labels = np.random.default_rng(0).random((1, 1, 200, 200)) < 0.7
    f = correlate(torch.from_numpy(labels), ((0, 0),), periodic=False, indicator=True)[0, ..., 0]
    corners = labels[0, 0, 0, 0] * labels[0, 0, -1, -1], labels[0, 0, 0, -1] * labels[0, 0, -1, 0]
    assert (f[-1, -1], f[-1, 0]) == corners
    assert f[0, 0] == f[-1, -1]


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("phases", [2, 3])
def test_correlations_with_the_complement_equal_those_by_its_transform(space, phases):
    labels = np.random.default_rng(1).integers(0, phases, (3, *space))
    fields = states_first(one_hot(labels, phases)).float()
    pairs = tuple(itertools.product(range(phases), repeat=2))
    slow = correlate(fields, pairs, indicator=True)
    np.testing.assert_array_equal(correlate(fields[:, :-1], pairs, indicator=True), slow)


def test_the_complement_exists_only_in_periodic_structures_without_a_mask():
    fields = torch.ones(1, 1, 4)
    with pytest.raises(IndexError):
        correlate(fields, ((1, 1),), periodic=False)
    with pytest.raises(IndexError):
        correlate(fields, ((1, 1),), mask=torch.ones(4))


@pytest.mark.parametrize("mask", [None, "shared", "per sample"])
@pytest.mark.parametrize("periodic", [True, False])
def test_precomputed_counts_change_nothing(mask, periodic):
    generator = torch.manual_seed(0)
    fields = torch.rand(3, 2, 5, 4, generator=generator)
    weights = None if mask is None else torch.rand((3, 5, 4)[mask == "shared" :], generator=generator)
    window = {"periodic": periodic, "cutoff": (1, 1), "mask": weights}
    counts = pair_counts((5, 4), **window)
    assert torch.equal(correlate(fields, ((0, 1),), counts=counts, **window), correlate(fields, ((0, 1),), **window))


@pytest.mark.parametrize("space", SHAPES)
@pytest.mark.parametrize("periodic", [True, False])
def test_pair_counts_without_a_mask_equal_those_of_a_mask_of_ones(space, periodic):
    counts = pair_counts(space, periodic=periodic)
    ones = pair_counts(space, periodic=periodic, mask=torch.ones(space))[0]
    np.testing.assert_allclose(counts.expand(ones.shape), ones, atol=1e-9)
    assert counts.dtype == torch.float64


def test_padding_never_wraps_a_kept_lag_around():
    for n, cutoff in itertools.product(range(1, 30), [None, 0, 3]):
        if cutoff is not None and cutoff > n - 1:
            continue
        (size,) = transform_shape((n,), False, cutoff)
        assert size >= n + (n - 1 if cutoff is None else cutoff)
        assert transform_shape((n,), True, None) == (n,)


@pytest.mark.parametrize("cutoff", [0, 1, (2, 0), (2, 1)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("space", [(6, 5), (5, 4)])
def test_a_cutoff_keeps_the_central_lags(space, periodic, cutoff):
    fields = torch.rand(2, 2, *space, dtype=torch.float64, generator=torch.manual_seed(0))
    all_lags = correlate(fields, ((0, 1),), periodic=periodic)
    cuts = (cutoff, cutoff) if isinstance(cutoff, int) else cutoff
    centre = [n // 2 if periodic else n - 1 for n in space]
    window = tuple(slice(m - c, m + c + 1) for m, c in zip(centre, cuts, strict=True))
    kept = correlate(fields, ((0, 1),), periodic=periodic, cutoff=cutoff)
    torch.testing.assert_close(kept, all_lags[:, *window])


@pytest.mark.parametrize("space", [(4,), (2, 3), (2, 1, 2)])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("cutoff", [None, 0])
def test_the_gradient_equals_finite_differences(space, periodic, masked, cutoff):
    generator = torch.manual_seed(0)
    fields = torch.rand(2, 2, *space, dtype=torch.float64, generator=generator, requires_grad=True)
    mask = torch.rand(2, *space, dtype=torch.float64, generator=generator).add(0.1) if masked else None
    pairs = ((0, 0), (0, 1), (1, 0)) if masked or not periodic else ((0, 0), (0, 1), (2, 1))

    def statistics(x: torch.Tensor) -> torch.Tensor:
        return correlate(x, pairs, periodic=periodic, cutoff=cutoff, mask=mask)

    assert torch.autograd.gradcheck(statistics, (fields,))
    assert torch.autograd.gradgradcheck(statistics, (fields,), fast_mode=True)


@pytest.mark.parametrize("periodic", [True, False])
def test_the_gradient_of_the_mask_equals_finite_differences(periodic):
    generator = torch.manual_seed(0)
    fields = torch.rand(2, 1, 3, 4, dtype=torch.float64, generator=generator)
    mask = torch.rand(3, 4, dtype=torch.float64, generator=generator).add(0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: correlate(fields, ((0, 0),), periodic=periodic, mask=m), (mask,))


def test_half_precision_and_integers_are_computed_in_single_precision():
    fields = torch.rand(2, 1, 8, generator=torch.manual_seed(0))
    for other in (fields.half(), fields.bfloat16(), (fields > 0.5), (fields > 0.5).to(torch.int64)):
        f = correlate(other, ((0, 0),))
        assert f.dtype == torch.float32
        assert torch.equal(f, correlate(other.float(), ((0, 0),)))


@pytest.mark.parametrize("space", [(8,), (7,), (6, 4), (5, 6), (2, 4, 6), (4, 3, 2)])
@pytest.mark.parametrize("pairs", [((0, 0), (0, 1)), ((0, 1), (1, 1)), ((0, 0),)])
@pytest.mark.parametrize("periodic", [True, False])
def test_the_result_may_take_the_memory_of_the_fields(space, pairs, periodic):
    """Only if both have one shape; otherwise fields are left alone."""
    fields = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 2, *space)))
    expected = direct_statistics(np.moveaxis(fields.numpy(), 1, -1), pairs, periodic=periodic)
    kept = fields.clone()
    np.testing.assert_allclose(correlate(fields, pairs, periodic=periodic), expected, atol=1e-9)
    assert torch.equal(fields, kept)
    f = correlate(fields, pairs, periodic=periodic, overwrite=True)
    np.testing.assert_allclose(f, expected, atol=1e-9)
    shares = f.untyped_storage().data_ptr() == fields.untyped_storage().data_ptr()
    assert shares == (periodic and len(pairs) == 2)
    assert shares or torch.equal(fields, kept)


def test_the_gradient_does_not_need_memory_that_is_overwritten():
    fields = torch.rand(2, 1, 4, 6, dtype=torch.float64, generator=torch.manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: correlate(x, ((0, 0),), overwrite=True), (fields,))


def test_the_memory_layout_of_fields_changes_nothing():
    fields = torch.rand(3, 2, 6, 5, generator=torch.manual_seed(0))
    strided = fields.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    assert not strided.is_contiguous()
    torch.testing.assert_close(correlate(strided, ((0, 1),)), correlate(fields, ((0, 1),)))


@pytest.mark.parametrize(("periodic", "largest"), [(True, 1), (False, 1)])
def test_a_lag_without_pairs_is_refused_and_the_largest_cutoff_is_named(periodic, largest):
    mask = torch.zeros(12)
    mask[:2] = 1
    fields = torch.rand(1, 1, 12, generator=torch.manual_seed(0))
    with pytest.raises(
        InputError, match=f"pair of voxels with weight at every lag.*cutoff={largest} has pairs: pass that"
    ):
        correlate(fields, ((0, 0),), periodic=periodic, mask=mask)
    with pytest.raises(InputError, match=f"cutoff={largest}"):
        correlate(fields, ((0, 0),), periodic=periodic, mask=mask, cutoff=largest + 1)
    f = correlate(fields, ((0, 0),), periodic=periodic, mask=mask, cutoff=largest)
    assert torch.isfinite(f).all()


def test_the_largest_cutoff_is_the_same_along_all_axes():
    mask = torch.zeros(2, 9, 9)
    mask[0] = 1
    mask[1, 2:7, 3:6] = 1
    with pytest.raises(InputError, match="cutoff=2 has pairs"):
        pair_counts((9, 9), periodic=False, mask=mask)
    assert pair_counts((9, 9), periodic=False, mask=mask, cutoff=2).min() > 0.5


def test_zero_lag_may_be_the_only_lag_with_pairs():
    mask = torch.zeros(8)
    mask[3] = 1
    with pytest.raises(InputError, match="cutoff=0 has pairs"):
        pair_counts((8,), mask=mask)


def test_a_mask_without_any_weight_is_refused():
    mask = torch.ones(2, 8)
    mask[1] = 0
    with pytest.raises(InputError, match="no weight at all in at least one sample: leave that sample out"):
        pair_counts((8,), mask=mask)


def test_a_sample_of_little_weight_is_kept_alongside_one_of_full_weight():
    mask = torch.ones(2, 64, 64, dtype=torch.float64)
    mask[1] *= 1e-6
    fields = torch.rand(2, 1, 64, 64, dtype=torch.float64, generator=torch.manual_seed(0))
    torch.testing.assert_close(correlate(fields, ((0, 0),), mask=mask), correlate(fields, ((0, 0),)))


@pytest.mark.parametrize("periodic", [True, False])
def test_counts_in_single_precision_are_those_in_double_precision_rounded_once(periodic):
    space = (31, 17, 23)
    exact = pair_counts(space, periodic=periodic)
    assert torch.equal(pair_counts(space, periodic=periodic, dtype=torch.float32), exact.to(torch.float32))
