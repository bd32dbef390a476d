from __future__ import annotations

import numpy as np
import pytest
import torch

from matvae.errors import InputError
from matvae.stats.form import (
    FIELD,
    LABELS,
    STATES,
    Form,
    check_meaning,
    check_phases,
    check_values,
    find_form,
)


def form_of(shape, integer=True, phases=None, state_axis=None, count=2):
    return find_form(shape, integer, phases=phases, state_axis=state_axis, count=lambda: count)


def test_integers_are_labels_whose_number_sets_that_of_the_phases():
    assert form_of((9, 4, 5), count=4) == Form(LABELS, 4, (4, 5))


def test_an_explicit_number_of_phases_needs_no_data():
    def never() -> int:
        raise AssertionError("the data were read")

    assert find_form((9, 4), True, phases=5, state_axis=None, count=never).phases == 5


def test_real_numbers_are_a_field_in_one_state():
    assert form_of((9, 4, 5, 6), integer=False) == Form(FIELD, 1, (4, 5, 6))


@pytest.mark.parametrize(
    ("axis", "space"), [(-1, (4, 5)), (3, (4, 5)), (1, (5, 3)), (-2, (4, 3)), (np.int64(3), (4, 5))]
)
def test_the_state_axis_is_left_out_of_space(axis, space):
    shape = (9, 4, 5, 3)
    form = form_of(shape, integer=False, state_axis=axis)
    assert form.space == space
    assert form.phases == shape[axis]
    assert form.kind == STATES


@pytest.mark.parametrize("axis", [0, -4, 4, 9, 1.0, "x"])
def test_an_axis_that_cannot_hold_states_is_refused(axis):
    with pytest.raises(InputError, match=r"does not name the axis of local states.*\(9, 4, 5, 3\).*state_axis=-1"):
        form_of((9, 4, 5, 3), integer=False, state_axis=axis)


@pytest.mark.parametrize("shape", [(4,), (), (2, 3, 4, 5, 6)])
def test_a_wrong_number_of_axes_is_refused(shape):
    with pytest.raises(InputError, match=r"\(sample, \*space\) with one to three spatial axes.*Reshape it"):
        form_of(shape)


@pytest.mark.parametrize("phases", [1, 2, 255, np.int64(3), np.uint8(3)])
def test_phases_may_be_any_kind_of_integer(phases):
    assert check_phases(phases) == int(phases)
    assert type(check_phases(phases)) is int


@pytest.mark.parametrize("phases", [0, -1, 256, 10**9, 2.0, True, None, "two", np.array([2, 3]), np.array(["auto"])])
def test_phases_out_of_range_or_type_are_refused(phases):
    with pytest.raises(InputError, match=r'phases must be "auto" or an integer from 1.*to 255.*was given'):
        check_phases(phases)


def test_auto_leaves_the_number_of_phases_open():
    assert check_phases("auto") is None


def test_float_labels_with_a_number_of_phases_are_refused():
    with pytest.raises(
        InputError, match=r"phases=2 asks for integer phase labels.*Cast labels with X.astype\('uint8'\)"
    ):
        form_of((9, 4), integer=False, phases=2)


def test_labels_of_one_phase_are_refused():
    with pytest.raises(InputError, match=r"phases=1 means a continuous field.*integer type.*Cast it"):
        form_of((9, 4), phases=1)


def test_phases_that_contradict_the_state_axis_are_refused():
    with pytest.raises(InputError, match=r"holds 3 local states, but phases=2 was given.*Pass the axis"):
        form_of((9, 4, 3), integer=False, state_axis=-1, phases=2)
    with pytest.raises(InputError, match=r"holds 300 local states.*at most 255"):
        form_of((9, 4, 300), integer=False, state_axis=-1)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int64])
def test_labels_become_indicators_of_the_requested_states(dtype):
    labels = torch.tensor([[0, 1, 2, 1]], dtype=dtype)
    fields = Form(LABELS, 200, (4,)).fields(labels, [1, 2, 199])
    assert fields.dtype == torch.float32
    assert fields.tolist() == [[[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]]


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_states_are_moved_next_to_the_samples_and_selected(axis):
    states = torch.rand(2, 3, 4, 5)
    form = form_of(states.shape, integer=False, state_axis=axis)
    expected = states.movedim(axis, 1)
    assert torch.equal(form.fields(states, range(form.phases)), expected)
    assert torch.equal(form.fields(states, [2, 0]), expected[:, [2, 0]])


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
    ],
)
def test_only_double_precision_stays_double(dtype, kept):
    assert Form(FIELD, 1, (4,)).fields(torch.ones(1, 4, dtype=dtype), [0]).dtype == kept
    assert Form(STATES, 2, (4,), 2).fields(torch.ones(1, 4, 2, dtype=dtype), [0, 1]).dtype == kept


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_outside_the_phases_are_named(labels):
    with pytest.raises(
        InputError, match=f"labels 0 to 2 were expected, but labels from {labels[0]} to {labels[1]}.*Map"
    ):
        check_values(torch.tensor([labels]), Form(LABELS, 3, (2,)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_values_that_are_not_finite_are_refused(bad, dtype):
    field = torch.zeros(1, 5, dtype=dtype)
    field[0, 3] = bad
    with pytest.raises(InputError, match=r"needs a finite value, but the array contains NaN or infinity. Fill"):
        check_values(field, Form(FIELD, 1, (5,)))


def test_opposite_infinities_are_refused():
    with pytest.raises(InputError, match="NaN or infinity"):
        check_values(torch.tensor([[np.inf, -np.inf]]), Form(FIELD, 1, (2,)))


def test_large_finite_values_whose_sum_overflows_are_accepted():
    check_values(torch.full((1, 4), 3e38), Form(FIELD, 1, (4,)))


def test_an_empty_block_is_refused():
    with pytest.raises(InputError, match="empty array"):
        check_values(torch.zeros(0, 4), Form(FIELD, 1, (4,)))


def check_whole(X: torch.Tensor) -> None:
    check_meaning(X.split(2), form_of(X.shape, integer=False))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_forgotten_state_axis_is_detected(dtype):
    states = torch.softmax(torch.randn(6, 4, 5, 3, generator=torch.manual_seed(0)), dim=-1).to(dtype)
    with pytest.raises(
        InputError, match=r"sum to one everywhere, as 3 local states do. Pass state_axis=-1, or phases=1"
    ):
        check_whole(states)


def test_fields_are_not_mistaken_for_states():
    generator = torch.manual_seed(0)
    states = torch.softmax(torch.randn(6, 4, 5, 3, generator=generator), dim=-1)
    one_off = states.clone()
    one_off[5, 3, 4] *= 0.9
    check_whole(one_off)
    check_whole(torch.full((6, 4, 4), 0.25))
    check_whole(torch.softmax(torch.randn(6, 4, 17, generator=generator), dim=-1))
    check_whole(torch.softmax(torch.randn(6, 4, generator=generator), dim=-1))
    signed = states.clone()
    signed[..., 0] -= 2
    signed[..., 1] += 2
    check_whole(signed)
