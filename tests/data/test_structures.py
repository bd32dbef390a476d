from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from matvae.data import Structures, concatenate
from matvae.errors import InputError
from matvae.grid import Grid

LABELS = np.random.default_rng(0).integers(0, 2, (6, 4, 5)).astype(np.uint8)


def make(labels=LABELS, phases=2, **changes):
    parts = {
        "properties": {"E": np.arange(len(labels))},
        "units": {"E": "GPa"},
        "attributes": {"a": 1, "b": 2},
    }
    return Structures(labels, Grid(labels.shape[1:], phases=phases), **{**parts, **changes})


def test_a_slice_is_lazy_and_keeps_the_properties():
    part = make()[1:5:2]
    assert isinstance(part.data, da.Array)
    assert len(part) == 2
    np.testing.assert_array_equal(part.data.compute(), LABELS[1:5:2])
    np.testing.assert_array_equal(part.properties["E"], [1, 3])
    assert part.properties["E"].dtype == np.float64
    assert part.units == {"E": "GPa"}


def test_structures_are_selected_by_slices_only():
    with pytest.raises(InputError, match=r"structures\[10:20\], but 3 was given"):
        make()[3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": Grid((5, 4))}, r"data of shape \(sample, \*\(5, 4\)\)"),
        ({"grid": Grid((4,))}, r"data of shape \(sample, \*\(4,\)\)"),
        ({"data": LABELS.astype(float)}, "needs integer labels"),
        ({"grid": Grid((4, 5), phases=1)}, "needs real numbers"),
        ({"properties": {"E": np.zeros(5)}}, "one number for each of the 6 structures"),
        ({"units": {"nu": "1"}}, r"Units are given for \['nu'\]"),
    ],
)
def test_parts_that_do_not_match_are_refused(changes, message):
    parts = {"data": LABELS, "grid": Grid((4, 5)), **changes}
    with pytest.raises(InputError, match=message):
        Structures(**parts)


def test_concatenate_keeps_samples_properties_and_shared_attributes():
    joined = concatenate([make(), make(LABELS[:2] * 2, phases=3, attributes={"a": 1, "b": 3})])
    np.testing.assert_array_equal(joined.data.compute(), np.concatenate([LABELS, LABELS[:2] * 2]))
    np.testing.assert_array_equal(joined.properties["E"], [0, 1, 2, 3, 4, 5, 0, 1])
    assert joined.grid.phases == 3
    assert joined.attributes == {"a": 1}
    assert joined.units == {"E": "GPa"}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make(LABELS[:, :, :4]), "Only structures on one grid"),
        (make(LABELS.astype(np.float32), phases=1), "Only structures on one grid"),
        (make(properties={}, units={}), "Only structures with the same properties and units"),
        (make(units={"E": "MPa"}), "Only structures with the same properties and units"),
    ],
)
def test_concatenate_refuses_sets_that_differ(other, message):
    with pytest.raises(InputError, match=message):
        concatenate([make(), other])


def test_concatenate_needs_at_least_one_set():
    with pytest.raises(InputError, match="At least one set"):
        concatenate([])


def test_structures_of_several_places_have_no_common_origin():
    parts = [Structures(np.zeros((2, 4), np.uint8), Grid((4,), origin=(place,))) for place in (1, 1, 2)]
    assert concatenate(parts[:2]).grid.origin == (1,)
    assert concatenate(parts).grid.origin is None


THREE = np.random.default_rng(0).integers(0, 3, (5, 6, 7)).astype(np.uint8)


def test_an_array_of_structures_that_are_not_periodic_gives_a_warning():
    with pytest.warns(UserWarning, match="which an array cannot say") as caught:
        array = np.asarray(Structures(THREE, Grid((6, 7), phases=3, periodic=False)))
    np.testing.assert_array_equal(array, THREE)
    assert caught[0].filename == __file__


def test_an_array_of_periodic_structures_gives_none(recwarn):
    array = np.asarray(Structures(THREE, Grid((6, 7), phases=3)), dtype=float)
    np.testing.assert_array_equal(array, THREE)
    assert array.dtype == float
    assert not recwarn.list
